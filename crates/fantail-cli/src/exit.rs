//! The end of a command.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use fantail::transport::TransportError;

/// Whether a command found errors in its input. They are reported on standard
/// error already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Findings {
    None,
    Some,
}

impl Findings {
    /// Returns whether either has findings.
    pub(crate) fn or(self, other: Self) -> Self {
        match self {
            Self::None => other,
            Self::Some => self,
        }
    }
}

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A message.
    Said(String),
    /// Rendered errors.
    Drawn(String),
    /// The reader of the output has closed it (`| head`).
    ReaderLeft,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::Said(what.into())
    }

    pub(crate) fn file(action: &str, path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderLeft;
        }
        Self::new(format!("cannot {action} {}: {error}", path.display()))
    }

    /// Returns a failure with rendered errors.
    pub(crate) fn drawn(errors: &str) -> Self {
        Self::Drawn(errors.trim_end().to_owned())
    }

    /// Returns the failure of a request that a server refused, without the
    /// protocol's prefix.
    pub(crate) fn refused(why: &[u8]) -> Self {
        let why = String::from_utf8_lossy(why);
        let said = why.split_once(": ").filter(|(word, _)| {
            let mut letters = word.bytes();
            letters.all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        });
        Self::new(said.map_or(&*why, |(_, reason)| reason))
    }

    pub(crate) fn transport(error: &TransportError) -> Self {
        if error.io_error().kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderLeft;
        }
        Self::new(format!("exports: {error}"))
    }
}

/// Returns the exit status: 0 without findings, otherwise 1. Wrong usage ends the
/// program with status 2 before a command runs.
pub(crate) fn code(outcome: Result<Findings, Failure>) -> ExitCode {
    match outcome {
        Ok(Findings::None) | Err(Failure::ReaderLeft) => ExitCode::SUCCESS,
        Ok(Findings::Some) => ExitCode::FAILURE,
        Err(Failure::Drawn(errors)) => {
            say(format_args!("{errors}"));
            ExitCode::FAILURE
        }
        Err(Failure::Said(what)) => {
            say(format_args!("error: {what}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a message to standard error. A closed standard error is no reason to
/// stop.
pub(crate) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{what}");
}
