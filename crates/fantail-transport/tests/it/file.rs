//! Files: what is in them, and which there are.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use fantail_transport::{
    FileSettings, FileTransport, Rotation, Transport, TransportErrorKind, spool::Fsync,
};

use crate::{fifo, send, target::batch};

fn contents(path: &Path) -> String {
    let mut text = String::new();
    let mut file = fs::File::open(path).unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_appended_to_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    send(&mut FileTransport::open(&path).unwrap(), &["one"]);
    send(&mut FileTransport::open(&path).unwrap(), &["two", "three"]);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(contents(&path), "one\ntwo\nthree\n");
}

#[test]
fn a_batch_is_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let mut file = FileTransport::open(&path).unwrap();
    file.send(b"before").unwrap();
    let delivery = file.deliver(batch("a b c").payloads());
    assert_eq!(delivery.settled(), 3);
    assert_eq!(contents(&path), "before\na\nb\nc\n");
}

#[test]
fn reopening_follows_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("events"), folder.path().join("events.1"));
    let mut file = FileTransport::open(&path).unwrap();
    file.send(b"before").unwrap();
    fs::rename(&path, &old).unwrap();
    file.send(b"still before").unwrap();
    file.reopen().unwrap();
    send(&mut file, &["after"]);
    assert_eq!(
        (contents(&old).as_str(), contents(&path).as_str()),
        ("before\nstill before\n", "after\n")
    );
}

/// How many files of a folder this process has open.
fn open_files(folder: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap();
    let targets = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(folder)).count()
}

/// Dovecot before 2.4.2 leaked the file of the transport when it ended.
#[test]
fn no_file_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().canonicalize().unwrap();
    let path = place.join("events");
    let mut file = FileTransport::open(&path).unwrap();
    for _ in 0..10_000 {
        file.reopen().unwrap();
    }
    assert_eq!(open_files(&place), 1);
    drop(file);
    for _ in 0..10_000 {
        FileTransport::open(&path).unwrap();
    }
    assert_eq!(open_files(&place), 0);
}

/// No file is written through a symbolic link of another user.
#[test]
fn a_symbolic_link_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("events"), folder.path().join("target"));
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let error = FileTransport::open(&path).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Open);
    assert!(!target.exists());
    // Nor one that was put there later.
    fs::remove_file(&path).unwrap();
    let mut file = FileTransport::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    assert!(file.reopen().is_err());
    assert!(!target.exists());
}

#[test]
fn files_other_than_regular_ones_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let check = |kind: &str| {
        let error = FileTransport::open(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot open {}: it is not a regular file", path.display()),
            "{kind}"
        );
    };
    fifo(&path);
    check("a FIFO that has no reader");
    let _reader = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&path)
        .unwrap();
    check("a FIFO that has one");
    fs::remove_file(&path).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    check("a socket");
}

#[test]
fn folders_are_made_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some/where/events");
    let mut settings = FileSettings::new(&path);
    let error = FileTransport::with_settings(settings.clone()).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Open);
    settings.create_folders = true;
    send(&mut FileTransport::with_settings(settings).unwrap(), &["x"]);
    assert_eq!(contents(&path), "x\n");
    assert_eq!(mode(&folder.path().join("some")), 0o700);
}

#[test]
fn a_line_that_was_cut_off_is_closed() {
    let check = |before: &str, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        fs::File::create(&path)
            .unwrap()
            .write_all(before.as_bytes())
            .unwrap();
        send(&mut FileTransport::open(&path).unwrap(), &["x"]);
        assert_eq!(contents(&path), expected);
    };
    check("", "x\n");
    check("\n", "\nx\n");
    check("whole\n", "whole\nx\n");
    check("torn", "torn\nx\n");
}

/// Sends words, a batch each, to a file with this rotation; compares the
/// files from the newest to the oldest.
fn check_rotation(rotation: Rotation, pause: Duration, words: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let keep = rotation.keep;
    let settings = FileSettings {
        rotation,
        ..FileSettings::new(&path)
    };
    let mut file = FileTransport::with_settings(settings).unwrap();
    for word in words.split_whitespace() {
        assert_eq!(file.deliver(batch(word).payloads()).settled(), 1);
        std::thread::sleep(pause);
    }
    let older = (1..=keep).map(|number| folder.path().join(format!("events.{number}")));
    let files: Vec<PathBuf> = [path].into_iter().chain(older).collect();
    let existing = files.iter().filter(|path| path.exists());
    let found: Vec<_> = existing
        .map(|path| contents(path).replace('\n', " "))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), expected.len());
    assert!(
        files
            .iter()
            .all(|path| !path.exists() || mode(path) == 0o600)
    );
}

#[test]
fn files_rotate_by_size() {
    let by_size = |bytes, keep| Rotation {
        bytes: Some(bytes),
        age: None,
        keep,
    };
    let check = |rotation, words, expected: &[&str]| {
        check_rotation(rotation, Duration::ZERO, words, expected);
    };
    check(Rotation::default(), "a b c d e f", &["a b c d e f "]);
    check(by_size(4, 3), "a b c d e", &["e ", "c d ", "a b "]);
    check(by_size(4, 1), "a b c d e", &["e ", "c d "]);
    check(by_size(4, 0), "a b c d e", &["e "]);
    check(by_size(4, 3), "long-line b c", &["b c ", "long-line "]);
    check(by_size(0, 9), "a b c", &["c ", "b ", "a "]);
}

#[test]
fn files_rotate_by_age() {
    let by_age = |age| Rotation {
        bytes: None,
        age: Some(age),
        keep: 9,
    };
    let check = |age, words, expected: &[&str]| {
        check_rotation(by_age(age), Duration::from_millis(20), words, expected);
    };
    check(Duration::from_millis(10), "a b c", &["c ", "b ", "a "]);
    check(Duration::from_secs(3600), "a b c", &["a b c "]);
}

#[test]
fn no_line_is_lost_while_files_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let settings = FileSettings {
        rotation: Rotation {
            bytes: Some(100),
            age: None,
            keep: 1_000,
        },
        ..FileSettings::new(folder.path().join("events"))
    };
    let mut file = FileTransport::with_settings(settings.clone()).unwrap();
    for number in 0..2_000 {
        file.send(number.to_string().as_bytes()).unwrap();
        file.flush().unwrap();
        if number % 500 == 0 {
            file = FileTransport::with_settings(settings.clone()).unwrap();
        }
    }
    let files = fs::read_dir(folder.path()).unwrap();
    let texts: Vec<_> = files.map(|file| contents(&file.unwrap().path())).collect();
    assert!(texts.iter().all(|text| text.len() <= 100));
    let mut found: Vec<u32> = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| line.parse().unwrap())
        .collect();
    found.sort_unstable();
    assert!(found.into_iter().eq(0..2_000));
}

#[test]
fn a_rotation_that_fails_costs_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    // A folder where the old file would go.
    fs::create_dir_all(folder.path().join("events.1/full")).unwrap();
    let settings = FileSettings {
        rotation: Rotation {
            bytes: Some(1),
            age: None,
            keep: 1,
        },
        ..FileSettings::new(&path)
    };
    let mut file = FileTransport::with_settings(settings).unwrap();
    let failed = ["a", "b", "c"].map(|word| {
        let delivery = file.deliver(batch(word).payloads());
        assert_eq!(delivery.settled(), 1);
        delivery.error().is_some()
    });
    // It is not tried again for a while.
    assert_eq!(failed, [false, true, false]);
    assert_eq!(contents(&path), "a\nb\nc\n");
}

#[test]
fn only_what_is_on_disk_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let policies = [
        (Fsync::Never, false),
        (Fsync::Interval(Duration::ZERO), false),
        (Fsync::Always, true),
    ];
    for (fsync, confirms) in policies {
        let path = folder.path().join(format!("{fsync:?}"));
        let settings = FileSettings {
            fsync,
            ..FileSettings::new(&path)
        };
        let mut file = FileTransport::with_settings(settings).unwrap();
        assert_eq!(file.confirms(), confirms);
        assert_eq!(file.deliver(batch("a b").payloads()).settled(), 2);
        assert_eq!(contents(&path), "a\nb\n");
    }
}
