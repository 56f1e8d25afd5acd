//! Processes that are killed, and disks that are full.
//!
//! What must not happen to the process of the tests happens to a child: the
//! test's own program, which runs the same test with `ROLE` set.
//!
//! `FANTAIL_FAULT_EVENTS` sets how many events go through processes that are
//! killed (200,000 by default), `FANTAIL_FAULT_SEED` when they are killed.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantail_transport::{
    Batch, DeliveryLevel, DropReason, FileTransport, Queue, QueueSettings, RetrySettings,
    SpoolSettings,
    spool::{self, Fsync},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    queue::{assert_balanced, quick},
    target::{Target, batch, wait_until},
};

pub(crate) const ROLE: &str = "FANTAIL_FAULT_ROLE";
pub(crate) const FOLDER: &str = "FANTAIL_FAULT_FOLDER";
const FIRST: &str = "FANTAIL_FAULT_FIRST";
const EVENTS: &str = "FANTAIL_FAULT_EVENTS";
const SEED: &str = "FANTAIL_FAULT_SEED";

const MAX_WAIT: Duration = Duration::from_secs(20);

/// Payloads of one offer, which are then printed as accepted.
const BATCH: u64 = 100;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// This program, running only this test.
pub(crate) fn child(test: &str, role: &str, folder: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(FOLDER, folder);
    command
}

pub(crate) fn spooled(folder: &Path) -> QueueSettings {
    QueueSettings {
        level: DeliveryLevel::Spool(SpoolSettings {
            fsync: Fsync::Never,
            ..SpoolSettings::new(folder.join("spool"))
        }),
        retry: RetrySettings {
            attempts: None,
            ..quick().retry
        },
        ..quick()
    }
}

#[test]
fn accepted_events_survive_kill_9() {
    if let Ok(role) = env::var(ROLE) {
        return produce(&role);
    }
    let seed = number(SEED).unwrap_or_else(|| fastrand::u64(..));
    println!("{SEED}={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let events = number(EVENTS).unwrap_or(200_000);
    let folder = tempfile::tempdir().unwrap();
    let mut accepted = 0;
    let mut kills = 0;
    while accepted < events {
        // Down at first, then up.
        let role = if accepted < events / 2 { "down" } else { "up" };
        let mut command = child(
            "faults::accepted_events_survive_kill_9",
            role,
            folder.path(),
        );
        let command = command
            .env(FIRST, accepted.to_string())
            .env(EVENTS, events.to_string());
        let process = command.stdout(Stdio::piped()).spawn().unwrap();
        let patience = random.u64(1..events / 10);
        let before = accepted;
        accepted = kill_after(process, accepted, patience, &mut random);
        assert!(accepted > before, "no progress");
        kills += 1;
    }
    assert!(kills > 2);
    // The last one lives on until all has arrived.
    let mut command = child(
        "faults::accepted_events_survive_kill_9",
        "last",
        folder.path(),
    );
    let command = command
        .env(FIRST, accepted.to_string())
        .env(EVENTS, events.to_string());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
    let (missing, twice) = compare(&folder.path().join("received"), events);
    println!("{events} events, {kills} kills: {missing} missing, {twice} twice");
    assert_eq!(missing, 0);
    // Not more than what was on its way when a process was killed.
    assert!(twice <= kills * (1_024 + BATCH), "{twice}");
}

/// Reads how many events a process accepted, and kills it shortly after it
/// accepted `patience` events.
fn kill_after(mut process: Child, first: u64, patience: u64, random: &mut fastrand::Rng) -> u64 {
    let mut accepted = first;
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut killed = false;
    while let Some(Ok(line)) = lines.next() {
        // The first one stands behind the name of the test.
        if let Some((_, number)) = line.split_once("accepted ") {
            accepted = number.parse().unwrap();
        }
        if !killed && accepted >= first + patience {
            std::thread::sleep(Duration::from_micros(random.u64(0..2_000)));
            process.kill().unwrap();
            killed = true;
        }
    }
    process.wait().unwrap();
    accepted
}

/// The child: offers numbers and prints the accepted ones.
fn produce(role: &str) {
    let folder = env::var_os(FOLDER).unwrap();
    let folder = Path::new(&folder);
    let settings = spooled(folder);
    let queue = if role == "down" {
        let target = Target::default();
        target.set_down(true);
        Queue::start("test", target.transport(), settings)
    } else {
        let file = FileTransport::open(folder.join("received")).unwrap();
        Queue::start("test", Box::new(file), settings)
    };
    let queue = queue.unwrap();
    let (mut next, events) = (number(FIRST).unwrap(), number(EVENTS).unwrap());
    let mut batch = Batch::new();
    let mut output = std::io::stdout();
    while next < events {
        for _ in 0..BATCH {
            batch.push(format!("{next} {:0100}", 0).as_bytes());
            next += 1;
        }
        queue.offer(&mut batch);
        assert!(queue.flush(MAX_WAIT));
        writeln!(output, "accepted {next}").unwrap();
    }
    if role == "last" {
        wait_until("all has arrived", || queue.status().waiting == 0);
        // A record that was half written when its process was killed: it was
        // not accepted, but nothing tells that any more.
        let counters = queue.counters();
        let torn = counters.dropped(DropReason::Damaged);
        assert!(torn <= 1);
        assert_eq!(counters.dropped_in_all(), torn);
        assert_balanced(&queue);
        assert!(queue.close(MAX_WAIT));
    }
}

/// Returns how many numbers are missing and how many arrived twice.
fn compare(path: &Path, events: u64) -> (u64, u64) {
    let mut seen = vec![0_u64; usize::try_from(events + BATCH).unwrap()];
    for line in BufReader::new(fs::File::open(path).unwrap()).lines() {
        let line = line.unwrap();
        let whole = line
            .split_once(' ')
            .filter(|(_, filling)| filling.len() == 100);
        let number = whole.and_then(|(number, _)| number.parse::<usize>().ok());
        if let Some(count) = number.and_then(|number| seen.get_mut(number)) {
            *count += 1;
        }
    }
    let seen = &seen[..usize::try_from(events).unwrap()];
    let missing = seen.iter().filter(|count| **count == 0).count();
    let twice: u64 = seen.iter().map(|count| count.saturating_sub(1)).sum();
    (missing as u64, twice)
}

/// Runs a child in which a write beyond the limit for files is an error, not
/// a signal.
fn check_limited(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let plain = child(test, "limited", folder.path());
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    shell.arg(plain.get_program()).args(plain.get_args());
    shell.env(ROLE, "limited").env(FOLDER, folder.path());
    let output = shell.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
}

/// Limits the size of files of this process; `None` removes the limit.
fn limit_files(bytes: Option<u64>) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

#[test]
fn a_full_disk_stops_neither_producer_nor_target() {
    if env::var_os(ROLE).is_none() {
        return check_limited("faults::a_full_disk_stops_neither_producer_nor_target");
    }
    let folder = env::var_os(FOLDER).unwrap();
    let target = Target::default();
    target.set_down(true);
    // The target is tried again when it is reopened: so the last error is that
    // of the disk.
    let settings = QueueSettings {
        retry: RetrySettings {
            first: Duration::from_secs(3_600),
            longest: Duration::from_secs(3_600),
            attempts: None,
            ..RetrySettings::default()
        },
        ..spooled(Path::new(&folder))
    };
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    queue.offer(&mut batch("a b"));
    assert!(queue.flush(MAX_WAIT));
    wait_until("the target failed", || queue.counters().failures == 1);

    // Full: the producer goes on, the administrator can see it.
    limit_files(Some(0));
    queue.offer(&mut batch("c d"));
    queue.offer(&mut batch("e"));
    let spool = Path::new(&folder).join("spool");
    let message = format!(
        "cannot write to the spool {}: File too large (os error 27)",
        spool.display()
    );
    let last = || queue.status().last_error.map(|error| error.message);
    wait_until("it is told", || {
        last().is_some_and(|error| error.starts_with(&message))
    });
    assert!(!queue.flush(Duration::from_millis(50)), "nobody has it yet");
    assert_eq!(queue.status().waiting, 5);
    assert_balanced(&queue);

    // Full, but the target is well: all arrives, past the disk.
    target.set_down(false);
    queue.reopen();
    wait_until("all arrived", || queue.status().waiting == 0);
    assert_eq!(target.received().join(" "), "a b c d e");

    // And again with neither; then the disk has room.
    target.set_down(true);
    queue.offer(&mut batch("f"));
    wait_until("it is on its way", || queue.status().waiting == 1);
    queue.offer(&mut batch("g h"));
    limit_files(None);
    wait_until("the disk is used again", || {
        queue.status().memory_bytes <= 1
    });
    target.set_down(false);
    queue.reopen();
    wait_until("all arrived", || queue.status().waiting == 0);
    let received = target.received().join(" ");
    assert_eq!(received, "a b c d e f g h");
    assert!(queue.flush(MAX_WAIT));
    assert_eq!(queue.counters().dropped_in_all(), 0);
    assert_balanced(&queue);
}

#[test]
fn closing_counts_what_neither_disk_nor_target_took() {
    if env::var_os(ROLE).is_none() {
        return check_limited("faults::closing_counts_what_neither_disk_nor_target_took");
    }
    let folder = env::var_os(FOLDER).unwrap();
    let target = Target::default();
    target.set_down(true);
    let settings = spooled(Path::new(&folder));
    let queue = Queue::start("test", target.transport(), settings).unwrap();
    limit_files(Some(0));
    queue.offer(&mut batch("a b"));
    wait_until("it failed", || queue.counters().failures > 1);
    queue.offer(&mut batch("c"));
    assert!(!queue.close(Duration::from_millis(100)));
    let closed = || queue.counters().dropped(DropReason::Closed);
    wait_until("all are counted", || closed() == 3);
    assert_balanced(&queue);
}

#[test]
fn a_write_that_fails_half_way_leaves_no_trace() {
    if env::var_os(ROLE).is_none() {
        return check_limited("faults::a_write_that_fails_half_way_leaves_no_trace");
    }
    let folder = env::var_os(FOLDER).unwrap();
    let settings = SpoolSettings::new(Path::new(&folder).join("spool"));
    let (mut writer, mut reader) = spool::open(&settings).unwrap();
    assert_eq!(writer.append(batch("a b").payloads()).taken, 2);
    // In the middle of the third record of 33 bytes.
    limit_files(Some(64 + 2 * 33 + 15));
    let appended = writer.append(batch("c d").payloads());
    assert_eq!((appended.taken, appended.dropped), (0, 0));
    assert!(appended.error.is_some());
    limit_files(None);
    assert_eq!(writer.append(batch("c d").payloads()).taken, 2);
    let check = |reader: &mut spool::SpoolReader| {
        let mut found = Batch::new();
        let mut words = Vec::new();
        while {
            reader
                .read(&mut found, fantail_transport::BatchLimits::default())
                .unwrap();
            !found.is_empty()
        } {
            words.extend(found.iter().flat_map(<[u8]>::to_vec));
        }
        assert_eq!(words, b"abcd");
        assert_eq!(reader.take_damaged(), 0);
    };
    check(&mut reader);
    drop((writer, reader));
    let (_, mut reader) = spool::open(&settings).unwrap();
    check(&mut reader);
}

#[test]
fn a_file_on_a_full_disk_gets_whole_lines_once() {
    if env::var_os(ROLE).is_none() {
        return check_limited("faults::a_file_on_a_full_disk_gets_whole_lines_once");
    }
    let folder = env::var_os(FOLDER).unwrap();
    let path = Path::new(&folder).join("events");
    let file = FileTransport::open(&path).unwrap();
    let queue = Queue::start(
        "test",
        Box::new(file),
        QueueSettings {
            retry: RetrySettings {
                attempts: None,
                ..quick().retry
            },
            ..quick()
        },
    );
    let queue = queue.unwrap();
    limit_files(Some(8));
    queue.offer(&mut batch("one two three four"));
    wait_until("it is full", || queue.counters().failures > 1);
    // "one" and "two", and nothing of "three".
    assert_eq!(fs::metadata(&path).unwrap().len(), 8);
    limit_files(None);
    assert!(queue.close(MAX_WAIT));
    #[allow(clippy::disallowed_methods, reason = "the lines are UTF-8")]
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "one\ntwo\nthree\nfour\n");
    assert_eq!(queue.counters().sent, 4);
    assert_eq!(queue.counters().dropped(DropReason::Failed), 0);
    assert_balanced(&queue);
}
