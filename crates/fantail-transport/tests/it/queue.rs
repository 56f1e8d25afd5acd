//! Queues in memory, by what arrives and what is counted.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fantail_transport::{
    DropReason, FileSettings, FileTransport, Opening, Overflow, Queue, QueueCounters,
    QueueSettings, Retry, RetrySettings,
};

use crate::target::{Step, Target, batch, wait_until};

const MAX_WAIT: Duration = Duration::from_secs(20);

pub(crate) fn quick() -> QueueSettings {
    QueueSettings {
        retry: RetrySettings {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(4),
            attempts: NonZeroU32::new(3),
            ..RetrySettings::default()
        },
        ..QueueSettings::default()
    }
}

/// Nothing goes missing, once nothing moves.
pub(crate) fn assert_balanced(queue: &Queue) {
    wait_until("nothing is missing", || {
        let status = queue.status();
        let counters = status.counters;
        let known = counters.sent + counters.dropped_in_all() + status.waiting;
        counters.queued + counters.recovered == known
    });
}

/// Offers `a b c d` to a target that follows a plan; compares what arrived,
/// and what was retried, and dropped for a reason.
fn check(plan: &[Step], arrived: &str, retried: u64, dropped: Option<(DropReason, u64)>) {
    let target = Target::that(plan);
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    queue.offer(&mut batch("a b c d"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received().join(" "), arrived, "{plan:?}");
    let counters = queue.counters();
    let lost = dropped.map_or(0, |(_, count)| count);
    assert_eq!(
        (counters.queued, counters.sent, counters.retried),
        (4, 4 - lost, retried),
        "{plan:?}"
    );
    if let Some((reason, count)) = dropped {
        assert_eq!(counters.dropped(reason), count, "{plan:?}");
    }
    assert_eq!(counters.sent_bytes, 4 - lost);
    assert_balanced(&queue);
}

#[test]
fn each_payload_is_sent_or_counted() {
    use Step::{Refuse, Take, TakeAndFail};
    let fail = TakeAndFail(0, Retry::Backoff);
    check(&[], "a b c d", 0, None);
    check(&[Take(1), Take(2)], "a b c d", 0, None);
    check(&[fail], "a b c d", 4, None);
    check(&[fail, TakeAndFail(3, Retry::Now)], "a b c d", 5, None);
    check(&[Refuse(1)], "b c d", 0, Some((DropReason::Refused, 1)));
    check(
        &[Take(1), Refuse(3)],
        "a",
        0,
        Some((DropReason::Refused, 3)),
    );
    check(&[fail; 3], "", 8, Some((DropReason::Failed, 4)));
    // Each that arrives is a new beginning.
    let slow = TakeAndFail(1, Retry::Backoff);
    check(&[fail, fail, slow, fail, slow], "a b c d", 16, None);
    check(
        &[TakeAndFail(1, Retry::Never)],
        "a",
        0,
        Some((DropReason::Failed, 3)),
    );
    // Neither sent nor failed: as if it had failed.
    check(&[Take(0), Take(0)], "a b c d", 8, None);
}

/// The same counts as with a target that takes everything, and at once.
#[test]
fn a_queue_without_a_target_counts() {
    let queue = Queue::discard();
    assert!(queue.discards());
    queue.offer(&mut batch("a bb ccc"));
    queue.count(2, 9);
    queue.reopen();
    assert!(queue.flush(Duration::ZERO));
    let mut counters = queue.counters();
    assert_eq!((counters.queued, counters.sent), (5, 5));
    assert_eq!((counters.sent_bytes, counters.dropped_in_all()), (15, 0));
    assert_eq!(queue.status().waiting, 0);
    assert!(queue.close(Duration::ZERO));
    queue.count(1, 1);
    counters = queue.counters();
    assert_eq!((counters.queued, counters.sent), (6, 5));
    assert_eq!(counters.dropped(DropReason::Closed), 1);
    assert_balanced(&queue);

    let target = Target::that(&[]);
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    assert!(!queue.discards());
    queue.count(2, 9);
    assert_eq!(queue.counters(), QueueCounters::default());
}

#[test]
fn a_target_that_asks_for_time_gets_it() {
    let asked = Duration::from_millis(300);
    let target = Target::that(&[Step::TakeAndFail(2, Retry::After(asked))]);
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    queue.offer(&mut batch("a b c"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received(), ["a", "b", "c"]);
    let attempts = target.attempts();
    assert!(attempts[1] - attempts[0] >= asked);
}

/// Offers `a` to a target that is stuck, then `b c d e` to a queue of three
/// payloads; compares what arrives.
fn check_full(overflow: Overflow, arrived: &str) {
    let target = Target::that(&[Step::Stick]);
    let settings = QueueSettings {
        payloads: 3,
        overflow,
        ..quick()
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    queue.offer(&mut batch("a"));
    wait_until("a is on its way", || !target.attempts().is_empty());
    let start = Instant::now();
    queue.offer(&mut batch("b c d e"));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "the producer waited"
    );
    let status = queue.status();
    assert_eq!((status.waiting, status.memory_bytes), (3, 3));
    assert_eq!(status.counters.dropped(DropReason::Full), 2);
    assert_balanced(&queue);
    target.open();
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received().join(" "), arrived);
    assert_balanced(&queue);
}

#[test]
fn a_stuck_target_costs_a_counter() {
    check_full(Overflow::DropNewest, "a b c");
    check_full(Overflow::DropOldest, "a d e");
}

#[test]
fn what_waits_too_long_expires() {
    let target = Target::default();
    target.set_down(true);
    let settings = QueueSettings {
        max_age: Some(Duration::from_secs(2)),
        retry: RetrySettings {
            attempts: None,
            ..quick().retry
        },
        ..quick()
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    queue.offer(&mut batch("a b"));
    wait_until("there is an age", || {
        queue.status().oldest.is_some_and(|age| !age.is_zero())
    });
    let expired = || queue.counters().dropped(DropReason::Expired);
    wait_until("both expire", || expired() == 2);
    target.set_down(false);
    queue.offer(&mut batch("c"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received(), ["c"]);
    assert_eq!(queue.status().oldest, None);
    assert_balanced(&queue);
}

#[test]
fn closing_gives_up_in_time_and_counts() {
    let target = Target::default();
    target.set_down(true);
    let settings = QueueSettings {
        retry: RetrySettings::default(),
        ..QueueSettings::default()
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    queue.offer(&mut batch("a b"));
    wait_until("it failed", || queue.counters().failures > 0);
    queue.offer(&mut batch("c"));
    let start = Instant::now();
    assert!(!queue.close(Duration::from_millis(300)));
    assert!(start.elapsed() < Duration::from_secs(5));
    queue.offer(&mut batch("d"));
    // The sender counts what it had when it next runs.
    wait_until("all count", || {
        queue.counters().dropped(DropReason::Closed) == 4
    });
    assert_balanced(&queue);
}

#[test]
fn a_stuck_target_does_not_hold_up_closing() {
    let target = Target::that(&[Step::Stick]);
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    queue.offer(&mut batch("a"));
    wait_until("a is on its way", || !target.attempts().is_empty());
    let start = Instant::now();
    assert!(!queue.close(Duration::from_millis(50)));
    assert!(start.elapsed() < Duration::from_secs(5));
    target.open();
}

#[test]
fn flushing_waits_for_what_was_offered() {
    let target = Target::that(&[Step::Stick]);
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    assert!(queue.flush(Duration::ZERO));
    queue.offer(&mut batch("a b"));
    assert!(!queue.flush(Duration::from_millis(20)));
    target.open();
    assert!(queue.flush(MAX_WAIT));
    assert_eq!(target.received(), ["a", "b"]);
}

#[test]
fn reopening_reaches_the_target_also_while_it_fails() {
    let target = Target::default();
    target.set_down(true);
    let settings = QueueSettings {
        retry: RetrySettings {
            first: Duration::from_secs(3600),
            longest: Duration::from_secs(3600),
            ..RetrySettings::default()
        },
        ..QueueSettings::default()
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    queue.reopen();
    wait_until("the idle one is reopened", || target.reopened() == 1);
    queue.offer(&mut batch("a"));
    wait_until("it failed", || queue.counters().failures == 1);
    target.set_down(false);
    queue.reopen();
    wait_until("it is tried at once", || target.received() == ["a"]);
    assert_eq!(target.reopened(), 2);
}

#[test]
fn refused_payloads_are_kept_elsewhere() {
    let (target, place) = (
        Target::that(&[Step::Take(1), Step::Refuse(2)]),
        Target::default(),
    );
    let queue = Queue::builder("test", target.transport()).settings(quick());
    let queue = queue.dead_letters(place.transport()).start().unwrap();
    queue.offer(&mut batch("a b c d"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received(), ["a", "d"]);
    assert_eq!(place.received(), ["b", "c"]);
    assert_eq!(queue.counters().dropped(DropReason::Refused), 2);
}

#[test]
fn trouble_is_told_of_once_a_minute() {
    let target = Target::that(&[Step::TakeAndFail(0, Retry::Backoff); 2]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let queue = {
        let told = Arc::clone(&told);
        let queue = Queue::builder("test", target.transport()).settings(quick());
        queue.on_trouble(move |trouble| told.lock().unwrap().push(trouble.to_string()))
    };
    let queue = queue.start().unwrap();
    queue.offer(&mut batch("a"));
    assert!(queue.close(MAX_WAIT));
    let message = "the target refused it: as planned";
    assert_eq!(*told.lock().unwrap(), [format!("test: {message}")]);
    let status = queue.status();
    assert_eq!(status.counters.failures, 2);
    assert_eq!(status.last_error, None, "the target works again");
}

#[test]
fn the_last_error_lasts_until_the_target_works() {
    let target = Target::default();
    target.set_down(true);
    let settings = QueueSettings {
        retry: RetrySettings {
            attempts: None,
            ..quick().retry
        },
        ..quick()
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    queue.offer(&mut batch("a"));
    wait_until("it failed", || queue.status().last_error.is_some());
    let error = queue.status().last_error.unwrap();
    assert_eq!(error.message, "the target refused it: as planned");
    assert!(error.time > std::time::UNIX_EPOCH);
    target.set_down(false);
    wait_until("it works", || queue.status().last_error.is_none());
    assert_eq!(target.received(), ["a"]);
}

/// A target without payloads is tried again, too.
#[test]
fn a_target_that_cannot_be_opened_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/events");
    let file = FileTransport::new(FileSettings::new(&path));
    let queue = Queue::start("test", Box::new(file), quick()).unwrap();
    let Opening::Failed(error) = queue.wait_until_open(MAX_WAIT) else {
        panic!("there is no folder");
    };
    let expected = format!("cannot open {}: No such file or directory", path.display());
    assert!(error.message.starts_with(&expected), "{}", error.message);
    wait_until("more attempts than payloads have", || {
        queue.counters().failures > 5
    });
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    wait_until("it is open", || {
        queue.wait_until_open(Duration::ZERO) == Opening::Open
    });
    assert_eq!(queue.status().last_error, None);
    queue.offer(&mut batch("a"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(std::fs::metadata(path).unwrap().len(), 2);
}

#[test]
fn a_target_that_blocks_is_opened_on_a_thread_of_its_own() {
    let target = Target::default();
    target.block_opening();
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    assert_eq!(queue.wait_until_open(Duration::ZERO), Opening::Pending);
    queue.offer(&mut batch("a"));
    assert!(!queue.close(Duration::from_millis(20)));
    target.open();
    let until = Instant::now() + MAX_WAIT;
    assert!(queue.wait_until_ended(until));
    assert_eq!(queue.counters().dropped(DropReason::Closed), 1);
    assert_balanced(&queue);
}

/// The first queue is stuck; the others accept nothing more at once.
#[test]
fn queues_close_at_the_same_time() {
    let target = Target::that(&[Step::Stick]);
    let start = |target: &Target| Queue::start("test", target.transport(), quick()).unwrap();
    let queues = [start(&target), start(&Target::default())];
    queues[0].offer(&mut batch("a"));
    wait_until("a is on its way", || !target.attempts().is_empty());
    for queue in &queues {
        queue.begin_close(Duration::from_secs(3_600));
    }
    assert!(queues[1].wait_until_closed());
    assert!(!queues[0].wait_until_ended(Instant::now()));
    target.open();
    assert!(queues[0].wait_until_closed());
}

#[test]
fn a_queue_that_is_forgotten_ends() {
    let target = Target::default();
    for _ in 0..100 {
        drop(Queue::start("test", target.transport(), quick()).unwrap());
    }
    // Each thread has a clone of the target.
    wait_until("the threads ended", || target.users() == 1);
}

#[test]
fn many_producers_share_a_queue() {
    let target = Target::default();
    let queue = Queue::start("test", target.transport(), quick()).unwrap();
    std::thread::scope(|scope| {
        for producer in 0..4 {
            let queue = &queue;
            scope.spawn(move || {
                for event in 0..1_000 {
                    queue.offer(&mut batch(&format!("{producer}-{event}")));
                }
            });
        }
    });
    assert!(queue.close(MAX_WAIT));
    let received = target.received();
    for producer in 0..4 {
        let prefix = format!("{producer}-");
        let own = received
            .iter()
            .filter_map(|text| text.strip_prefix(&prefix));
        assert!(
            own.eq((0..1_000).map(|event| event.to_string())),
            "in order"
        );
    }
    let expected = QueueCounters::default();
    assert_eq!(queue.counters().dropped_in_all(), expected.dropped_in_all());
}
