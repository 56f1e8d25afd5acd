//! A file and its position, saved together.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use fantail_transport::PositionedFile;

struct Paths {
    _folder: tempfile::TempDir,
    file: PathBuf,
    position: PathBuf,
}

impl Paths {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            file: folder.path().join("events"),
            position: folder.path().join("events.position"),
            _folder: folder,
        }
    }

    fn open(&self) -> io::Result<(PositionedFile, Option<Vec<u8>>)> {
        PositionedFile::open(&self.file, &self.position)
    }

    /// Opens, and returns the position.
    #[track_caller]
    fn opened(&self) -> (PositionedFile, String) {
        let (file, position) = self.open().unwrap();
        (file, String::from_utf8(position.unwrap()).unwrap())
    }
}

fn append(path: &Path, text: &str) {
    let text = fs::read_to_string(path).unwrap() + text;
    fs::write(path, text).unwrap();
}

#[track_caller]
fn has(path: &Path, expected: &str) {
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
}

#[test]
fn what_is_beyond_the_position_is_cut_off() {
    let paths = Paths::new();
    let (mut file, position) = paths.open().unwrap();
    assert_eq!(position, None);
    file.commit(b"one\n", b"1").unwrap();
    file.commit(b"two\n", b"2").unwrap();
    drop(file);
    // The process was killed before it saved the position.
    append(&paths.file, "three\nfo");
    let (mut file, position) = paths.opened();
    assert_eq!(position, "2");
    has(&paths.file, "one\ntwo\n");
    file.commit(b"3\n", b"3").unwrap();
    file.commit(b"", b"4").unwrap();
    has(&paths.file, "one\ntwo\n3\n");
    drop(file);
    assert_eq!(paths.opened().1, "4");
}

#[test]
fn a_file_of_others_is_not_touched() {
    let paths = Paths::new();
    fs::write(&paths.file, "precious\n").unwrap();
    let error = paths.open().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    has(&paths.file, "precious\n");
}

#[test]
fn two_processes_do_not_write_one_file() {
    let paths = Paths::new();
    let (mut file, _) = paths.open().unwrap();
    file.commit(b"one\n", b"1").unwrap();
    let error = paths.open().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
}

#[test]
fn a_damaged_position_is_refused() {
    let paths = Paths::new();
    let (mut file, _) = paths.open().unwrap();
    file.commit(b"one\n", b"the position").unwrap();
    drop(file);
    let saved = fs::read(&paths.position).unwrap();
    for at in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[at] ^= 1;
        for bad in [&damaged[..], &saved[..at]] {
            fs::write(&paths.position, bad).unwrap();
            let error = paths.open().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{at}");
        }
    }
    has(&paths.file, "one\n");
    fs::write(&paths.position, saved).unwrap();
    assert_eq!(paths.opened().1, "the position");
}

#[test]
fn a_file_that_was_rotated_goes_on_where_it_is() {
    let paths = Paths::new();
    let (mut file, _) = paths.open().unwrap();
    file.commit(b"one\n", b"1").unwrap();
    drop(file);
    fs::remove_file(&paths.file).unwrap();
    let (file, position) = paths.opened();
    assert!(file.was_shortened());
    assert_eq!(position, "1");
    drop(file);
    // The process was killed while it wrote.
    append(&paths.file, "tw");
    let (mut file, _) = paths.opened();
    assert!(!file.was_shortened());
    has(&paths.file, "");
    file.commit(b"two\n", b"2").unwrap();
    // The file is copied and truncated while it is open.
    fs::write(&paths.file, "").unwrap();
    file.commit(b"three\n", b"3").unwrap();
    assert!(file.was_shortened());
    has(&paths.file, "three\n");
    drop(file);
    let (_file, position) = paths.opened();
    assert_eq!(position, "3");
    has(&paths.file, "three\n");
}
