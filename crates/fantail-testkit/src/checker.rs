//! Programs of others that read what we wrote, and complain: `promtool`,
//! parsers in Python.

#![allow(
    clippy::expect_used,
    reason = "for tests: what does not work must fail"
)]

use std::{
    env,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

/// What a checker makes of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is content.
    pub content: bool,
    /// What it printed.
    pub said: String,
}

/// Gives a checker an input, and waits until it has ended.
///
/// # Panics
/// It cannot be started.
#[must_use]
pub fn checked(command: &mut Command, input: &[u8]) -> Verdict {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a checker");
    let mut stdin = child.stdin.take().expect("its input");
    let output = thread::scope(|scope| {
        // It may say something before it has read all, and stop reading at its
        // first complaint.
        scope.spawn(move || stdin.write_all(input).is_ok());
        child.wait_with_output().expect("a child of ours")
    });
    let said = [output.stdout, output.stderr].concat();
    Verdict {
        content: output.status.success(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

/// The Python that `FANTAIL_PYTHON` names, for those whose packages are in a
/// virtual environment; else the installed one. If there is none, [skips] the
/// calling test.
///
/// [skips]: crate::skip
#[must_use]
pub fn python() -> Option<PathBuf> {
    let named = env::var_os("FANTAIL_PYTHON").map(PathBuf::from);
    named.or_else(|| crate::program("python3"))
}
