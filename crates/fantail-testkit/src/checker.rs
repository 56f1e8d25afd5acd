//! External programs that check our output: `promtool`, parsers in Python.

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

/// The result of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the checker accepts the input.
    pub content: bool,
    /// The output of the checker.
    pub said: String,
}

/// Passes an input to a checker, and waits for its end.
///
/// # Panics
/// Panics if it cannot be started.
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
        // The checker may write before it has read all input, and stop reading
        // at its first complaint.
        scope.spawn(move || stdin.write_all(input).is_ok());
        child.wait_with_output().expect("a child of ours")
    });
    let said = [output.stdout, output.stderr].concat();
    Verdict {
        content: output.status.success(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

/// Returns the Python of `FANTAIL_PYTHON`, for packages in a virtual
/// environment; otherwise the installed one. If there is none, [skips] the
/// calling test.
///
/// [skips]: crate::skip
#[must_use]
pub fn python() -> Option<PathBuf> {
    let named = env::var_os("FANTAIL_PYTHON").map(PathBuf::from);
    named.or_else(|| crate::program("python3"))
}
