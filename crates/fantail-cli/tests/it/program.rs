//! Runs the program and keeps what it said.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Vec<u8> {
        assert_eq!((self.status, self.err.as_str()), (Some(0), ""));
        self.out
    }
}

/// Runs the program in the repository's folder.
pub(crate) fn fantail<A: AsRef<std::ffi::OsStr>>(arguments: &[A], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fantail"))
        .args(arguments)
        .current_dir(repository())
        .env_remove("CLICOLOR_FORCE")
        // Not the configuration of the machine that runs the tests.
        .env("FANTAIL_CONFIG", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // On a thread of its own: the program may answer before it has read all.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    Run {
        status: output.status.code(),
        out: output.stdout,
        err,
    }
}

/// The repository's folder.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the test data.
pub(crate) fn test_data(path: &str) -> PathBuf {
    repository().join("testdata").join(path)
}

/// The contents of a file.
pub(crate) fn contents(path: impl AsRef<std::path::Path>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).unwrap();
    std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
    bytes
}
