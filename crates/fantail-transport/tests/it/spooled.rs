//! Queues that wait on disk.

use std::{path::Path, time::Duration};

use fantail_transport::{
    DeliveryLevel, DropReason, FileSettings, FileTransport, Opening, Overflow, Queue,
    QueueErrorKind, QueueSettings, RetrySettings, SpoolSettings, spool::Fsync,
};

use crate::{
    queue::{assert_balanced, quick},
    target::{Target, batch, wait_until},
};

const MAX_WAIT: Duration = Duration::from_secs(20);

fn settings(folder: &Path) -> QueueSettings {
    QueueSettings {
        level: DeliveryLevel::Spool(SpoolSettings::new(folder.join("spool"))),
        retry: RetrySettings {
            attempts: None,
            ..quick().retry
        },
        ..quick()
    }
}

fn start(target: &Target, folder: &Path) -> Queue {
    Queue::start("test", target.transport(), settings(folder)).unwrap()
}

#[test]
fn what_a_dead_target_missed_arrives_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    target.set_down(true);
    let queue = start(&target, folder.path());
    queue.offer(&mut batch("a b c"));
    assert!(queue.close(MAX_WAIT), "all is on disk");
    assert_eq!(queue.status().waiting, 3);
    assert_balanced(&queue);
    let queue = start(&target, folder.path());
    queue.offer(&mut batch("d"));
    assert!(queue.flush(MAX_WAIT));
    let status = queue.status();
    assert_eq!((status.counters.recovered, status.waiting), (3, 4));
    assert!(status.spool_bytes > 0);
    target.set_down(false);
    wait_until("all arrived", || queue.counters().sent == 4);
    assert_eq!(target.received(), ["a", "b", "c", "d"]);
    assert!(queue.close(MAX_WAIT));
    assert_balanced(&queue);
    let queue = start(&target, folder.path());
    assert_eq!(queue.wait_until_open(MAX_WAIT), Opening::Open);
    assert_eq!(queue.counters().recovered, 0);
}

#[test]
fn closing_sends_what_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    let queue = start(&target, folder.path());
    for _ in 0..100 {
        queue.offer(&mut batch("a b c"));
    }
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received().len(), 300);
    assert_balanced(&queue);
}

#[test]
fn a_queue_that_is_forgotten_spools_first() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    target.set_down(true);
    let queue = start(&target, folder.path());
    // Otherwise the next queue may have the spool first.
    assert_eq!(queue.wait_until_open(MAX_WAIT), Opening::Open);
    queue.offer(&mut batch("a b c"));
    drop(queue);
    let queue = start(&target, folder.path());
    wait_until("the spool is free, and has them", || {
        queue.counters().recovered == 3
    });
}

#[test]
fn a_spool_is_used_by_one_queue() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    let queue = start(&target, folder.path());
    assert_eq!(queue.wait_until_open(MAX_WAIT), Opening::Open);
    let second = start(&target, folder.path());
    let Opening::Failed(error) = second.wait_until_open(MAX_WAIT) else {
        panic!("two queues have one spool");
    };
    let spool = folder.path().join("spool");
    assert_eq!(
        error.message,
        format!("the spool {} is in use by another queue", spool.display())
    );
}

/// A queue whose spool another has takes payloads, and has them on disk once
/// that one has ended; no order of what happens loses any.
#[test]
fn a_queue_follows_another() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    target.set_down(true);
    let follow = |before: &Queue| {
        let next = Queue::builder("test", target.transport());
        let next = next.settings(settings(folder.path())).after(before);
        next.start().unwrap()
    };
    let first = start(&target, folder.path());
    first.offer(&mut batch("a b"));
    let second = follow(&first);
    second.offer(&mut batch("d"));
    first.offer(&mut batch("c"));
    assert!(
        !second.flush(Duration::from_millis(50)),
        "the spool is not free"
    );
    assert_eq!(second.status().waiting, 1);
    // A third, before the second one has begun.
    let third = follow(&second);
    third.offer(&mut batch("e"));
    assert!(first.close(MAX_WAIT));
    assert!(second.flush(MAX_WAIT));
    assert_eq!(second.status().counters.recovered, 3);
    drop(first);
    assert!(second.close(MAX_WAIT));
    third.offer(&mut batch("f"));
    assert!(third.flush(MAX_WAIT));
    assert_eq!(third.status().waiting, 6);
    target.set_down(false);
    wait_until("all arrived", || third.status().waiting == 0);
    assert_eq!(target.received(), ["a", "b", "c", "d", "e", "f"]);
    for queue in [&second, &third] {
        assert_eq!(queue.counters().dropped_in_all(), 0);
        assert_balanced(queue);
    }
}

/// A spool that cannot be opened holds up neither the start nor, once it can be,
/// the payloads.
#[test]
fn a_spool_that_cannot_be_opened_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let target = Target::default();
    let queue = start(&target, &missing);
    let Opening::Failed(error) = queue.wait_until_open(MAX_WAIT) else {
        panic!("there is no folder");
    };
    let expected = format!(
        "cannot open the spool {}: No such file or directory",
        missing.join("spool").display()
    );
    assert!(error.message.starts_with(&expected), "{}", error.message);
    queue.offer(&mut batch("a b"));
    assert_eq!(queue.status().waiting, 2);
    std::fs::create_dir(&missing).unwrap();
    wait_until("both arrive", || queue.counters().sent == 2);
    assert_eq!(queue.status().last_error, None);
    assert!(queue.close(MAX_WAIT));
    assert_balanced(&queue);
}

#[test]
fn closing_does_not_wait_for_a_spool_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    let queue = start(&target, &folder.path().join("missing"));
    queue.offer(&mut batch("a b"));
    wait_until("it failed", || queue.status().last_error.is_some());
    assert!(!queue.close(Duration::from_secs(3_600)));
    assert_eq!(queue.counters().dropped(DropReason::Closed), 2);
    assert_balanced(&queue);
}

/// One that is closed while it still waits for the spool counts what it has.
#[test]
fn a_queue_that_follows_in_vain_counts_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    target.set_down(true);
    let first = start(&target, folder.path());
    let second = Queue::builder("test", target.transport());
    let second = second.settings(settings(folder.path())).after(&first);
    let second = second.start().unwrap();
    second.offer(&mut batch("a b"));
    assert!(!second.close(Duration::from_millis(50)));
    assert_eq!(second.counters().dropped(DropReason::Closed), 2);
    assert_balanced(&second);
    // The first has noticed nothing.
    first.offer(&mut batch("c"));
    assert!(first.close(MAX_WAIT));
    assert_balanced(&first);
}

#[test]
fn what_expires_on_disk_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    target.set_down(true);
    let queue = start(&target, folder.path());
    queue.offer(&mut batch("a b"));
    assert!(queue.close(MAX_WAIT));
    std::thread::sleep(Duration::from_millis(30));
    target.set_down(false);
    let settings = QueueSettings {
        max_age: Some(Duration::from_millis(20)),
        ..settings(folder.path())
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    wait_until("both expire", || {
        queue.counters().dropped(DropReason::Expired) == 2
    });
    assert!(target.received().is_empty());
    assert_balanced(&queue);
}

/// Offers 300 payloads of 1,000 bytes to a spool of 64 KiB behind a dead
/// target; returns those that arrive at last.
fn fill(overflow: Overflow) -> Vec<u32> {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default();
    target.set_down(true);
    let mut settings = settings(folder.path());
    settings.level = DeliveryLevel::Spool(SpoolSettings {
        bytes: 64 << 10,
        overflow,
        ..SpoolSettings::new(folder.path().join("spool"))
    });
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    for number in 0..300 {
        queue.offer(&mut batch(&format!("{number:01000}")));
    }
    assert!(queue.flush(MAX_WAIT));
    assert!(queue.status().spool_bytes <= 64 << 10);
    target.set_down(false);
    wait_until("all that is left arrived", || queue.status().waiting == 0);
    assert_balanced(&queue);
    let received = target.received();
    let dropped = queue.counters().dropped(DropReason::SpoolFull);
    assert_eq!(dropped, 300 - received.len() as u64);
    received
        .iter()
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn a_full_spool_drops_and_counts() {
    let kept = fill(Overflow::DropNewest);
    assert!(kept.len() > 40 && kept.iter().copied().zip(0..).all(|(a, b)| a == b));
    let kept = fill(Overflow::DropOldest);
    assert!(kept.len() > 40 && kept.last() == Some(&299));
}

#[test]
fn acknowledged_needs_a_target_that_confirms() {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = QueueSettings {
        level: DeliveryLevel::Acknowledged(SpoolSettings::new(folder.path().join("spool"))),
        ..settings(folder.path())
    };
    let start = |target: &Target| {
        let queue = Queue::builder("test", target.transport());
        let queue = queue.settings(acknowledged.clone());
        queue.start()
    };
    let error = start(&Target::default()).unwrap_err();
    assert_eq!(error.kind(), QueueErrorKind::Unconfirmed);
    // What was not confirmed is sent again after a restart.
    let target = Target::confirming();
    target.set_down(true);
    let queue = start(&target).unwrap();
    queue.offer(&mut batch("a b"));
    assert!(queue.close(MAX_WAIT));
    target.set_down(false);
    let queue = start(&target).unwrap();
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.received(), ["a", "b"]);
}

#[test]
fn a_file_on_disk_acknowledges() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let file = FileTransport::with_settings(FileSettings {
        fsync: Fsync::Always,
        ..FileSettings::new(&path)
    });
    let acknowledged = QueueSettings {
        level: DeliveryLevel::Acknowledged(SpoolSettings {
            fsync: Fsync::Always,
            ..SpoolSettings::new(folder.path().join("spool"))
        }),
        ..QueueSettings::default()
    };
    let queue = Queue::start("test", Box::new(file.unwrap()), acknowledged).unwrap();
    queue.offer(&mut batch("a b"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(std::fs::metadata(path).unwrap().len(), 4);
}

#[test]
fn targets_get_batches_as_they_like_them() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::default().one_by_one();
    let queue = start(&target, folder.path());
    queue.offer(&mut batch("a b c"));
    assert!(queue.close(MAX_WAIT));
    assert_eq!(target.attempts().len(), 3);
}
