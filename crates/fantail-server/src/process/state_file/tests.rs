//! Tests of saving and reading a state file.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    thread,
};

use super::{StateFile, StateFileErrorKind};

fn text(path: &Path) -> String {
    let mut text = String::new();
    File::open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_state_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state"));
    assert!(file.read().unwrap().is_none());
    file.check_writable().unwrap();
    file.write(b"one").unwrap();
    file.write(b"two").unwrap();
    assert_eq!(text(file.path()), "two");
    let mode = fs::metadata(file.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let error = file.read().unwrap_err();
    assert_eq!(error.kind(), StateFileErrorKind::NoState);
    let shown = file.path().display();
    assert_eq!(
        error.to_string(),
        format!("{shown}: this is no saved state")
    );
    let aside = file.put_aside().unwrap();
    assert_eq!(aside, folder.path().join("state.unreadable"));
    assert!(file.read().unwrap().is_none());
    assert_eq!(names(folder.path()), ["state.unreadable"]);
}

#[test]
fn a_failed_write_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that is not empty is not replaced by a file.
    let path = folder.path().join("state");
    fs::create_dir(&path).unwrap();
    let mut other = File::create(path.join("x")).unwrap();
    other.write_all(b"x").unwrap();
    let error = StateFile::new(&path).write(b"one").unwrap_err();
    assert_eq!(error.kind(), StateFileErrorKind::Write);
    assert_eq!(names(folder.path()), ["state"]);
    let missing = folder.path().join("missing/state");
    let error = StateFile::new(&missing).check_writable().unwrap_err();
    let start = format!("cannot write {}: No such file", missing.display());
    assert!(error.to_string().starts_with(&start), "{error}");
}

/// One of the writers once emptied the file that another one was about to give
/// the name of the state.
#[test]
fn writes_at_the_same_time_leave_a_whole_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state"));
    let states = [[b'a'; 100_000], [b'b'; 100_000]];
    thread::scope(|scope| {
        for state in &states {
            let file = &file;
            scope.spawn(move || {
                for _ in 0..30 {
                    file.write(state).unwrap();
                }
            });
        }
        for _ in 0..300 {
            if file.path().exists() {
                let found = text(file.path());
                assert!(states.iter().any(|state| found.as_bytes() == state));
            }
        }
    });
    assert_eq!(names(folder.path()), ["state"]);
}

#[test]
fn a_state_that_the_next_start_would_refuse_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile {
        max_bytes: 10,
        ..StateFile::new(folder.path().join("state"))
    };
    file.write(b"0123456789").unwrap();
    let error = file.write(b"0123456789a").unwrap_err();
    assert_eq!(error.kind(), StateFileErrorKind::TooLarge);
    assert!(error.to_string().contains("11 bytes"), "{error}");
    assert_eq!(text(file.path()), "0123456789");
    File::create(file.path())
        .unwrap()
        .write_all(b"0123456789a")
        .unwrap();
    let error = file.read().unwrap_err();
    assert_eq!(error.kind(), StateFileErrorKind::TooLarge);
}

#[test]
fn left_overs_are_removed_and_no_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let left = ["state.1.new", "state.23.0.new", "state.4.56.new"];
    let others = [
        "other.1.new",
        "state",
        "state.1.2.3.new",
        "state.a.new",
        "state.new",
        "state.unreadable",
    ];
    for name in left.iter().chain(&others) {
        File::create(folder.path().join(name)).unwrap();
    }
    let file = StateFile::new(folder.path().join("state"));
    assert_eq!(file.remove_left_overs().unwrap(), 3);
    assert_eq!(names(folder.path()), others);
    assert!(!file.is_unfinished(OsStr::new("state.1.new.new")));
}

/// The names of new files can be guessed: nothing that lies there is written to.
#[test]
fn a_new_file_follows_no_link_and_replaces_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state"));
    let target = folder.path().join("target");
    let process = std::process::id();
    for number in 0..3 {
        let name = format!("state.{process}.{number}.new");
        symlink(&target, folder.path().join(name)).unwrap();
    }
    file.write(b"one").unwrap();
    assert_eq!(text(file.path()), "one");
    assert!(!target.exists());
}

/// Opening a FIFO without a writer once waited for ever.
#[test]
fn a_fifo_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = StateFile::new(&path).read().unwrap_err();
    assert_eq!(error.kind(), StateFileErrorKind::Read);
    let expected = format!("cannot read {}: it is not a regular file", path.display());
    assert_eq!(error.to_string(), expected);
}
