//! Reading messages with events.

use fantail_fleet::events::{
    BatchHead, Collector, CollectorLimits, EventSubject, Rewound, StreamMessage, Taken,
};

const SUBJECT: &str = "fantail.e1.mail.mail1.audit";

/// A message with the numbers from `first` on, a line for each.
fn message(run: u64, first: u64, count: u64, dropped: u64) -> (String, Vec<u8>) {
    let head = BatchHead {
        run,
        first,
        count,
        queue: 1,
        dropped,
    };
    let lines = (first..first + count).map(|number| format!("{run}/{number}\n"));
    (head.to_string(), lines.collect::<String>().into_bytes())
}

/// Takes a message of a sequence.
fn give(
    collector: &mut Collector,
    subject: &str,
    sequence: u64,
    head: Option<&str>,
    body: &[u8],
    lines: &mut Vec<u8>,
) -> Result<Taken, Rewound> {
    let message = StreamMessage {
        subject,
        sequence,
        stored_at: sequence * 100,
        head,
        body,
    };
    collector.take(&message, lines)
}

/// Takes messages `(run, first, count)` with rising sequences; returns the lines.
fn collected(collector: &mut Collector, messages: &[(u64, u64, u64)]) -> String {
    let mut lines = Vec::new();
    for (run, first, count) in messages {
        let (head, body) = message(*run, *first, *count, 0);
        let next = collector.sequence() + 1;
        let taken = give(collector, SUBJECT, next, Some(&head), &body, &mut lines);
        assert!(!taken.unwrap().is_refused);
    }
    String::from_utf8(lines).unwrap().replace('\n', " ")
}

fn new() -> Collector {
    Collector::new(CollectorLimits::default())
}

#[track_caller]
fn check(messages: &[(u64, u64, u64)], expected: &str) {
    let mut collector = new();
    assert_eq!(collected(&mut collector, messages), expected);
    // A restart between any two messages changes nothing.
    let (mut restarted, mut lines) = (new(), String::new());
    for message in messages {
        lines += &collected(&mut restarted, &[*message]);
        let saved = restarted.save();
        restarted = Collector::from_saved(&saved, CollectorLimits::default()).unwrap();
        assert_eq!(restarted.save(), saved);
    }
    assert_eq!(lines, expected);
    assert_eq!(restarted, collector);
}

#[test]
fn each_event_is_taken_once() {
    check(&[(1, 0, 2), (1, 2, 2)], "1/0 1/1 1/2 1/3 ");
    check(&[(1, 0, 2), (1, 0, 2)], "1/0 1/1 ");
    // A batch that was tried again with more events.
    check(&[(1, 0, 2), (1, 1, 3)], "1/0 1/1 1/2 1/3 ");
    // Batches that were under way together.
    check(&[(1, 4, 1), (1, 0, 2), (1, 2, 2)], "1/4 1/0 1/1 1/2 1/3 ");
    check(&[(1, 2, 1), (1, 0, 5)], "1/2 1/0 1/1 1/3 1/4 ");
    // Another run, and the first one again.
    check(&[(1, 7, 1), (2, 7, 1), (1, 7, 2)], "1/7 2/7 1/8 ");
}

#[test]
fn what_queues_dropped_is_counted_once() {
    let mut collector = new();
    let mut lines = Vec::new();
    let mut told = Vec::new();
    for (sequence, (first, dropped)) in (1..).zip([(0, 0), (1, 5), (2, 5), (2, 5), (3, 7)]) {
        let (head, body) = message(1, first, 1, dropped);
        let taken = give(
            &mut collector,
            SUBJECT,
            sequence,
            Some(&head),
            &body,
            &mut lines,
        );
        told.push(taken.unwrap().dropped);
    }
    assert_eq!(told, [0, 5, 0, 0, 2]);
    assert_eq!(collector.counts().dropped, 7);
    assert_eq!(collector.counts().repeated, 1);
}

#[test]
fn bad_messages_are_refused_and_counted() {
    let (head, body) = message(1, 0, 2, 0);
    let mut collector = new();
    let mut lines = Vec::new();
    let other = "fantail.e1.mail.mail1.audit.more";
    for (sequence, (subject, head, body)) in (1..).zip([
        (SUBJECT, None, &body[..]),
        (SUBJECT, Some("1 0a"), &body),
        (SUBJECT, Some(&*head), b"one\n"),
        (SUBJECT, Some(&*head), b"one\ntwo"),
        (SUBJECT, Some(&*head), b"one\ntwo\nthree\n"),
        (other, Some(&*head), &body),
    ]) {
        let taken = give(&mut collector, subject, sequence, head, body, &mut lines);
        assert!(taken.unwrap().is_refused, "{sequence}");
        assert_eq!(collector.counts().refused, sequence);
    }
    assert_eq!(lines, b"");
}

#[test]
fn a_host_cannot_take_the_room_of_others() {
    let mut limits = CollectorLimits::default();
    limits.subjects_of_host = 2;
    let mut collector = Collector::new(limits);
    let (head, body) = message(1, 0, 1, 0);
    let mut lines = Vec::new();
    let mut refused = Vec::new();
    for (host, exporter) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("a", "1")] {
        let subject = EventSubject {
            cluster: b"mail",
            host: host.as_bytes(),
            exporter: exporter.as_bytes(),
        };
        let next = collector.sequence() + 1;
        let subject = subject.to_string();
        let taken = give(
            &mut collector,
            &subject,
            next,
            Some(&head),
            &body,
            &mut lines,
        );
        refused.push(taken.unwrap().is_refused);
    }
    assert_eq!(refused, [false, false, true, false, false]);
}

#[test]
fn messages_that_the_stream_removed_are_counted() {
    let mut collector = new();
    assert_eq!(collector.resume("born", 9), 1);
    let mut lines = Vec::new();
    let mut skipped = Vec::new();
    // The first message of a new collector may be any.
    for sequence in [4, 5, 9] {
        let (head, body) = message(1, sequence, 1, 0);
        let taken = give(
            &mut collector,
            SUBJECT,
            sequence,
            Some(&head),
            &body,
            &mut lines,
        );
        skipped.push(taken.unwrap().skipped);
    }
    assert_eq!(skipped, [0, 0, 3]);
}

#[test]
fn a_stream_that_lost_messages_is_noticed() {
    let mut collector = new();
    collector.resume("born", 0);
    collected(&mut collector, &[(1, 0, 1), (1, 1, 1), (1, 2, 1)]);
    let mut lines = Vec::new();
    let mut take = |collector: &mut Collector, sequence, first| {
        let (head, body) = message(1, first, 1, 0);
        give(collector, SUBJECT, sequence, Some(&head), &body, &mut lines)
    };
    // The last message is read again, to see that it is the same.
    assert_eq!(collector.resume("born", 3), 3);
    assert_eq!(take(&mut collector, 3, 2).unwrap().events, 0);
    assert_eq!(take(&mut collector, 4, 3).unwrap().events, 1);
    // The stream has lost two messages, and two others since.
    assert_eq!(collector.resume("born", 4), 4);
    assert!(take(&mut collector, 4, 5).is_err());
    assert_eq!(collector.resume("born", 4), 1);
    assert_eq!(take(&mut collector, 1, 0).unwrap().events, 0);
    assert_eq!(take(&mut collector, 2, 4).unwrap().events, 1);
    // It has lost messages; what is left may be others.
    assert_eq!(collector.resume("born", 1), 1);
    assert_eq!(take(&mut collector, 1, 0).unwrap().events, 0);
    assert_eq!(take(&mut collector, 2, 5).unwrap().events, 1);
    // It is another one.
    assert_eq!(collector.resume("born again", 1), 1);
    assert_eq!(take(&mut collector, 1, 6).unwrap().events, 1);
    assert_eq!(lines, b"1/3\n1/4\n1/5\n1/6\n");
}

#[test]
fn a_message_that_was_stored_again_is_another_one() {
    let mut collector = new();
    collector.resume("born", 0);
    collected(&mut collector, &[(1, 0, 1), (1, 1, 1)]);
    // The broker lost both, and got others; the last one is the same.
    let (head, body) = message(1, 1, 1, 0);
    let again = StreamMessage {
        subject: SUBJECT,
        sequence: 2,
        stored_at: 300,
        head: Some(&head),
        body: &body,
    };
    assert_eq!(collector.resume("born", 2), 2);
    assert!(collector.take(&again, &mut Vec::new()).is_err());
    assert_eq!(collector.resume("born", 2), 1);
}

#[test]
fn a_damaged_position_is_refused() {
    let mut collector = new();
    collector.resume("born", 0);
    collected(&mut collector, &[(1, 0, 1), (1, 5, 1), (2, 2, 1)]);
    let saved = collector.save();
    for cut in 0..saved.len() {
        let (part, _) = saved.split_at(cut);
        assert!(Collector::from_saved(part, CollectorLimits::default()).is_err());
    }
    for (from, to) in [
        (" 0-1 5-6", " 5-6 0-1"),
        (" 0-1", " 1-1"),
        ("counts 3", "counts"),
        ("source", "other"),
        ("collect 1", "collect 2"),
    ] {
        let bad = saved.replacen(from, to, 1);
        assert_ne!(bad, saved);
        let read = Collector::from_saved(&bad, CollectorLimits::default());
        assert!(read.is_err(), "{bad}");
    }
}
