//! A file system without room, and with room again.
//!
//! A real one: a tmpfs of 256 KiB in a mount namespace of the child, so that
//! nothing is left behind however the child ends. A ballast takes what room
//! there is, and gives it back.

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use fantail_transport::{
    DropReason, FileSettings, FileTransport, Queue, QueueSettings, RetrySettings, Rotation,
};

use crate::{
    faults::{FOLDER, ROLE, child, spooled},
    queue::{assert_balanced, quick},
    target::{Target, batch, wait_until},
};

const MAX_WAIT: Duration = Duration::from_secs(20);

/// What the system says when a disk is full.
const NO_SPACE: &str = "No space left on device (os error 28)";

/// Mounts the file system of `$0`, and becomes the program.
const MOUNT: &str = "mount -t tmpfs -o size=256k,mode=0700 tmpfs \"$0\" && exec \"$@\"";

/// Runs a program in a mount namespace with a small file system.
fn in_namespace(folder: &Path, inner: &Command) -> std::io::Result<Output> {
    let mut command = Command::new("unshare");
    // Root needs no user namespace, which some systems forbid.
    let kinds: &[&str] = if rustix::process::geteuid().is_root() {
        &["--mount"]
    } else {
        &["--mount", "--map-root-user"]
    };
    command.args(kinds).args(["sh", "-c", MOUNT]).arg(folder);
    command.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.output()
}

/// Runs a test once more, with a folder that has little room; whether this
/// is that child. Where nothing can be mounted, the test is skipped.
fn has_little_room(test: &str) -> bool {
    if env::var_os(ROLE).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().unwrap();
    let probe = in_namespace(folder.path(), &Command::new("true"));
    if !probe.is_ok_and(|output| output.status.success()) {
        fantail_testkit::skip("no file system can be mounted in a namespace");
        return false;
    }
    let child = child(test, "little room", folder.path());
    let output = in_namespace(folder.path(), &child).unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
    false
}

/// The folder, in the child.
fn place() -> PathBuf {
    PathBuf::from(env::var_os(FOLDER).unwrap())
}

/// Takes all room that is left.
fn take_room(folder: &Path) {
    let mut file = File::create(folder.join("ballast")).unwrap();
    let error = loop {
        if let Err(error) = file.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

fn make_room(folder: &Path) {
    fs::remove_file(folder.join("ballast")).unwrap();
}

/// Returns `count` payloads of 1,000 bytes, numbered from `first` on.
fn large(first: usize, count: usize) -> fantail_transport::Batch {
    let numbers = first..first + count;
    batch(
        &numbers
            .map(|number| format!("{number:01000} "))
            .collect::<String>(),
    )
}

/// The numbers of payloads.
fn numbers<'a>(payloads: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let numbers = payloads.into_iter().map(|text| {
        assert_eq!(text.len(), 1_000);
        text.parse().unwrap()
    });
    numbers.collect()
}

fn last_error(queue: &Queue) -> String {
    let last = queue.status().last_error;
    last.map(|error| error.message).unwrap_or_default()
}

#[test]
fn a_spool_without_room_counts_what_is_lost_and_goes_on() {
    if !has_little_room("full_disk::a_spool_without_room_counts_what_is_lost_and_goes_on") {
        return;
    }
    let folder = place();
    let target = Target::default();
    target.set_down(true);
    // The target is tried again when it is reopened: so the last error is that
    // of the disk.
    let settings = QueueSettings {
        payloads: 30,
        retry: RetrySettings {
            first: Duration::from_secs(3_600),
            longest: Duration::from_secs(3_600),
            attempts: None,
            ..RetrySettings::default()
        },
        ..spooled(&folder)
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    // Well: 10 are on disk.
    queue.offer(&mut large(0, 10));
    assert!(queue.flush(MAX_WAIT));
    assert_eq!(queue.status().memory_bytes, 0);
    wait_until("the target failed", || queue.counters().failures == 1);

    // The disk is full: the next 10 skip it, but the target is down. So 20 more
    // wait in memory, the others are lost, and the queue does not block.
    take_room(&folder);
    queue.offer(&mut large(10, 10));
    wait_until("it is told", || last_error(&queue).contains(NO_SPACE));
    for first in (20..110).step_by(10) {
        queue.offer(&mut large(first, 10));
    }
    assert_balanced(&queue);
    assert_eq!(queue.counters().dropped(DropReason::Full), 70);
    assert_eq!(queue.counters().dropped_in_all(), 70);
    assert_eq!(queue.status().memory_bytes, 30_000);

    // Room: what waited goes to disk, and the next too, but for those 10.
    make_room(&folder);
    let on_disk = || queue.status().memory_bytes == 10_000;
    wait_until("the spool is used again", on_disk);
    queue.offer(&mut large(110, 10));
    wait_until("the next are on disk", on_disk);
    assert_eq!(queue.counters().dropped_in_all(), 70);

    // All that was not counted as lost arrives, each once.
    target.set_down(false);
    queue.reopen();
    wait_until("all arrived", || queue.status().waiting == 0);
    let received = target.received();
    let mut received = numbers(received.iter().map(String::as_str));
    received.sort_unstable();
    assert_eq!(received, (0..40).chain(110..120).collect::<Vec<_>>());
    assert_eq!(queue.counters().dropped_in_all(), 70);
    assert_balanced(&queue);
    assert!(queue.close(MAX_WAIT));
}

/// The segment that was written to when the disk ran full is removed once all
/// of it was delivered; then the disk has room again.
#[test]
fn a_delivered_segment_on_a_full_disk_makes_room() {
    if !has_little_room("full_disk::a_delivered_segment_on_a_full_disk_makes_room") {
        return;
    }
    let folder = place();
    let target = Target::default();
    target.set_down(true);
    let queue = Queue::start("test", target.transport(), spooled(&folder)).unwrap();
    queue.offer(&mut large(0, 100));
    assert!(queue.flush(MAX_WAIT));
    take_room(&folder);
    queue.offer(&mut large(100, 10));
    wait_until("the disk is full", || last_error(&queue).contains(NO_SPACE));
    target.set_down(false);
    wait_until("all arrived", || queue.status().waiting == 0);
    // The next payloads wait on disk, and survive the end of the process.
    target.set_down(true);
    queue.offer(&mut large(110, 50));
    wait_until("they are on disk", || {
        let status = queue.status();
        (status.waiting, status.memory_bytes) == (50, 0)
    });
    target.set_down(false);
    wait_until("all arrived", || queue.status().waiting == 0);
    assert_eq!(queue.counters().sent, 160);
    assert_balanced(&queue);
}

#[test]
fn a_file_without_room_counts_what_is_lost_and_goes_on() {
    if !has_little_room("full_disk::a_file_without_room_counts_what_is_lost_and_goes_on") {
        return;
    }
    let folder = place();
    let path = folder.join("events");
    let file = FileTransport::open(&path).unwrap();
    let settings = QueueSettings {
        retry: RetrySettings {
            attempts: NonZeroU32::new(3),
            ..quick().retry
        },
        ..quick()
    };
    let queue = Queue::start("test", Box::new(file), settings).unwrap();
    queue.offer(&mut large(0, 10));
    assert!(queue.flush(MAX_WAIT));
    take_room(&folder);
    queue.offer(&mut large(10, 50));
    assert!(queue.flush(MAX_WAIT), "they are sent, or given up");
    assert!(
        last_error(&queue).contains(NO_SPACE),
        "{}",
        last_error(&queue)
    );
    let lost = queue.counters().dropped(DropReason::Failed);
    // What the last page of the file still took arrived.
    assert!((46..=50).contains(&lost), "{lost}");
    make_room(&folder);
    queue.offer(&mut large(60, 10));
    assert!(queue.close(MAX_WAIT));
    let counters = queue.counters();
    assert_eq!(
        (counters.sent, counters.dropped_in_all()),
        (70 - lost, lost)
    );
    assert_balanced(&queue);
    // Whole lines, each once.
    let text = fs::read_to_string(&path).unwrap();
    let received = numbers(text.lines());
    let arrived = usize::try_from(60 - lost).unwrap();
    assert_eq!(received, (0..arrived).chain(60..70).collect::<Vec<_>>());
}

#[test]
fn a_rotation_without_room_goes_on_when_there_is_some() {
    if !has_little_room("full_disk::a_rotation_without_room_goes_on_when_there_is_some") {
        return;
    }
    let folder = place();
    let path = folder.join("events");
    let file = FileTransport::with_settings(FileSettings {
        rotation: Rotation {
            bytes: Some(8_000),
            keep: 100,
            ..Rotation::default()
        },
        ..FileSettings::new(&path)
    });
    let settings = QueueSettings {
        retry: RetrySettings {
            attempts: None,
            ..quick().retry
        },
        ..quick()
    };
    let queue = Queue::start("test", Box::new(file.unwrap()), settings).unwrap();
    queue.offer(&mut large(0, 20));
    assert!(queue.flush(MAX_WAIT));
    take_room(&folder);
    queue.offer(&mut large(20, 50));
    wait_until("it is told", || last_error(&queue).contains(NO_SPACE));
    assert_balanced(&queue);
    // Tried without end: nothing is lost as long as the memory has room.
    make_room(&folder);
    assert!(queue.close(MAX_WAIT));
    assert_eq!(queue.counters().sent, 70);
    assert_balanced(&queue);
    let mut received = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let own = path.file_name().unwrap().to_string_lossy();
        if own.starts_with("events") {
            received.extend(numbers(fs::read_to_string(&path).unwrap().lines()));
        }
    }
    received.sort_unstable();
    assert_eq!(received, (0..70).collect::<Vec<_>>());
}
