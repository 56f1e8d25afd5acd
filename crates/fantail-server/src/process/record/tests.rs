//! Recordings of several clients, and their limits.

use super::*;

fn settings(folder: &tempfile::TempDir, limit: u64) -> RecordSettings {
    RecordSettings {
        path: folder.path().join("recording"),
        limit,
        duration: None,
    }
}

/// Records two clients that send alternately and compares the file.
fn check(limit: u64, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder, limit);
    let recorder = Recorder::create(&settings, &Budget::new(1 << 20), Log::new(|_| {})).unwrap();
    let at = Timestamp::from_unix_micros;
    let (mut one, mut two) = (
        recorder.tape(b"", b"", at(5)),
        recorder.tape(b"", b"", at(6)),
    );
    one.read(b"VERSION\tstats-client\t4\t0\nCATE", at(5));
    two.read(b"VERSION\n", at(6));
    one.read(b"GORY\ta\n\n", at(7));
    drop(one);
    two.read(b"not finished", at(8));
    drop(two);
    recorder.end("it was stopped");
    assert!(recorder.wait(Duration::from_secs(30)));
    #[allow(clippy::disallowed_methods, reason = "its own file")]
    let written = std::fs::read(&settings.path).unwrap();
    assert_eq!(
        written.escape_ascii().to_string(),
        expected.replace('|', r"\n")
    );
    let error = Recorder::create(&settings, &Budget::new(1 << 20), Log::new(|_| {})).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    let path = settings.path.display().to_string();
    assert!(error.to_string().contains(&path), "{error}");
}

/// The buffer of a connection shrinks after a large read.
#[test]
fn a_connection_keeps_only_an_unfinished_line() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(
        &settings(&folder, 1 << 30),
        &Budget::new(1 << 20),
        Log::new(|_| {}),
    );
    let mut tape = recorder.unwrap().tape(b"", b"", Timestamp::default());
    let lines = "EVENT\t0\n".repeat(8_000);
    tape.read(lines.as_bytes(), Timestamp::default());
    assert_eq!(tape.partial.capacity(), 0);
    tape.read(b"EVENT", Timestamp::default());
    assert!((5..100).contains(&tape.partial.capacity()));
}

#[test]
fn lines_are_recorded_up_to_the_limit() {
    let whole = r"1\t5\tVERSION\tstats-client\t4\t0|2\t6\tVERSION|1\t7\tCATEGORY\ta|1\t7\t|1\t7\t<close>|2\t8\t<close>|";
    check(1000, whole);
    check(0, "");
    check(29, r"1\t5\tVERSION\tstats-client\t4\t0|");
    check(30, r"1\t5\tVERSION\tstats-client\t4\t0|");
    check(50, r"1\t5\tVERSION\tstats-client\t4\t0|2\t6\tVERSION|");
}
