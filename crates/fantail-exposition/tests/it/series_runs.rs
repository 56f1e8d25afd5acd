//! Rows that are written in runs, compared with separately written ones.

use fantail_event::{Dialect, Event, Timestamp, ValueRef, escape::escape};
use fantail_exposition::dump::{self, Column, Names};
use fantail_metrics::{
    Label, Limits, Method, MetricSettings, Registry, Snapshot, internal::RunOrSeries,
};

use crate::hostile::{self, discrete, observed};

fn settings(name: &str, fields: &[&str], group_by: &[(&str, Method)]) -> MetricSettings {
    hostile::metric(name, fields, group_by)
}

fn event(fields: Vec<(&str, ValueRef<'_>)>) -> Event {
    hostile::event([Timestamp::from_unix_micros(0); 2], fields)
}

/// Returns counts of each label with its number of events.
fn counted(metric: MetricSettings, dialect: Dialect, labels: &[(Vec<u8>, usize)]) -> Snapshot {
    let mut registry = Registry::new(dialect);
    let id = registry.add(metric).unwrap();
    for (label, events) in labels {
        let user = ValueRef::from(label);
        let event = event(vec![("user", user), ("size", ValueRef::Int(7))]);
        for _ in 0..*events {
            observed(&mut registry, &[id], &event);
        }
    }
    // Some events have no user.
    observed(&mut registry, &[id], &event(vec![]));
    registry.snapshot()
}

/// Returns the answer to `DUMP count`, built from rows.
fn expected(snapshot: &Snapshot) -> Vec<u8> {
    let mut all = Vec::new();
    for metric in snapshot.metrics() {
        for row in dump::rows(metric, snapshot.dialect(), Names::Dovecot) {
            let fields = row.fields.iter().enumerate().map(|(at, (field, numbers))| {
                let name = escape(if at == 0 { &row.name } else { field });
                [&name, &b"\t"[..], numbers.count().to_string().as_bytes()].concat()
            });
            all.push(fields.collect::<Vec<_>>().join(&b"\t"[..]));
        }
    }
    [all.join(&b"\n"[..]), b"\n\n".to_vec()].concat()
}

fn check(name: &str, fields: &[&str], labels: &[(Vec<u8>, usize)]) {
    let mut metric = settings(name, &["size"], &[("user", discrete())]);
    metric.fields = fields.iter().map(|field| field.as_bytes().into()).collect();
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        check_snapshot(&counted(metric.clone(), dialect, labels));
    }
}

/// Checks the answer; returns the number of series in runs.
fn check_snapshot(snapshot: &Snapshot) -> usize {
    let mut answer = Vec::new();
    dump::write_answer(snapshot, &[Column::Count], &mut answer);
    assert_eq!(
        String::from_utf8_lossy(&answer),
        String::from_utf8_lossy(&expected(snapshot))
    );
    let mut in_pieces = Vec::new();
    dump::write_answer_to(snapshot, &[Column::Count], &mut in_pieces).unwrap();
    assert_eq!(in_pieces, answer);
    check_stretches(snapshot)
}

/// Checks that runs contain all series in order, with the same values.
fn check_stretches(snapshot: &Snapshot) -> usize {
    let list = snapshot.metrics()[0].series();
    let mut all = list.iter();
    let mut many = 0;
    for next in list.runs() {
        let run = match next {
            RunOrSeries::Series(series) => {
                let next = all.next().unwrap();
                assert_eq!(
                    (series.label(), series.depth()),
                    (next.label(), next.depth())
                );
                continue;
            }
            RunOrSeries::Run(run) => run,
        };
        let mut lengths = Vec::new();
        let each = run.ranges().zip(run.each());
        for ((range, distributions), series) in each.zip(run.series().iter()) {
            let next = all.next().unwrap();
            let text = &run.texts()[range];
            assert_eq!(Label::Value(text), next.label());
            assert_eq!(series.label(), next.label());
            assert_eq!(series.depth(), next.depth());
            assert_eq!(run.depth(), next.depth());
            assert!(std::ptr::eq(distributions, next.distributions()));
            lengths.push(text.len());
        }
        many += lengths.len();
        assert_eq!(run.each_length().collect::<Vec<_>>(), lengths);
        let ends = (lengths.iter().min(), lengths.iter().max());
        assert_eq!(ends, (Some(&run.lengths().0), Some(&run.lengths().1)));
    }
    assert!(all.next().is_none());
    many
}

fn plain(count: usize) -> Vec<(Vec<u8>, usize)> {
    let label = |at: usize| {
        let name = "user".repeat(1 + at % 9);
        (
            format!("{name}{at}@example.com").into_bytes(),
            1 + at * at % 130,
        )
    };
    (0..count).map(label).collect()
}

#[test]
fn rows_of_any_number_of_series() {
    for count in [0, 1, 62, 63, 64, 65, 127, 128, 300] {
        check("logins", &[], &plain(count));
        check("logins", &["size", "no\tne"], &plain(count));
    }
    let of_one = |length: usize| (vec![b'x'; length], 1);
    let lengths: Vec<_> = (0..=300).map(of_one).collect();
    check(&"long".repeat(20), &[], &lengths);
    check("a\tname", &[], &plain(70));
    check("a name", &[], &plain(70));
}

#[test]
fn odd_labels_among_others() {
    let odd: [&[u8]; 8] = [
        b"",
        b"a blank",
        b"a\ttab",
        b"\xff",
        "é".as_bytes(),
        b"del\x7f",
        b"_",
        b"other",
    ];
    for label in odd {
        for place in [0, 1, 62, 63, 64, 100, 190] {
            let mut labels = plain(200);
            labels[place] = (label.to_vec(), 3);
            check("logins", &["size"], &labels);
        }
    }
}

#[test]
fn characters_do_not_go_on_in_the_next_label() {
    let mut labels = plain(70);
    labels[9] = (b"caf\xc3".to_vec(), 1);
    labels[10] = (b"\xa9 au lait".to_vec(), 1);
    check("logins", &[], &labels);
    labels[9] = ("café".into(), 1);
    labels[10] = ("au lait".into(), 1);
    check("logins", &["size"], &labels);
}

/// Returns counts of users' events with a command, and with a reply unless it
/// is empty.
fn by_levels(dialect: Dialect, events: &[(&'static str, usize, &'static str)]) -> Snapshot {
    let levels = ["command", "user", "reply"].map(|level| (level, discrete()));
    let mut registry = Registry::new(dialect);
    let id = registry.add(settings("logins", &[], &levels)).unwrap();
    for (command, user, reply) in events {
        let user = format!("user{user}@example.com");
        let mut fields = vec![
            ("command", ValueRef::from(*command)),
            ("user", ValueRef::from(&user)),
        ];
        if !reply.is_empty() {
            fields.push(("reply", ValueRef::from(*reply)));
        }
        let event = event(fields);
        observed(&mut registry, &[id], &event);
    }
    registry.snapshot()
}

#[test]
fn series_of_several_levels() {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        // Replies are adjacent, users are not.
        let replies = ["OK", "NO", "BAD", "BYE", "PREAUTH"];
        let mut events: Vec<_> = (0..40)
            .flat_map(|user| replies.map(|reply| ("SELECT", user, reply)))
            .collect();
        let many = check_snapshot(&by_levels(dialect, &events));
        assert!(many > 150, "{many}");
        // Then replies are not adjacent either, and some are missing.
        events.extend((20..60).map(|user| ("FETCH", user, "OK")));
        events.extend((30..50).map(|user| ("SELECT", user, "LATER")));
        events.extend((50..90).map(|user| ("NOOP", user, "")));
        check_snapshot(&by_levels(dialect, &events));
        // A parent with a blank in its name.
        let blank = replies.map(|reply| ("a blank", 1, reply));
        assert_eq!(check_snapshot(&by_levels(dialect, &blank)), 5);
    }
}

#[test]
fn series_of_several_shards() {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let metric = settings("logins", &["size"], &[("user", discrete())]);
        let labels = plain(400);
        let part = |from, to| counted(metric.clone(), dialect, &labels[from..to]);
        for parts in [
            vec![part(0, 300), part(100, 400)],
            vec![part(0, 200), part(200, 400)],
            vec![part(0, 100), part(50, 150), part(0, 400)],
        ] {
            let whole = Snapshot::merged(&parts, &Limits::default()).unwrap();
            let many = check_snapshot(&whole);
            assert!(many > 390, "{many}");
        }
    }
}
