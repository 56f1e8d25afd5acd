//! How a command ends.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use fantail::transport::TransportError;

/// Whether a command found something wrong in its input. What it was has
/// been said on standard error already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Findings {
    None,
    Some,
}

impl Findings {
    /// Something, if either is.
    pub(crate) fn or(self, other: Self) -> Self {
        match self {
            Self::None => other,
            Self::Some => self,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something to be said.
    Said(String),
    /// Errors that are drawn already.
    Drawn(String),
    /// The reader of the output has gone away (`| head`).
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

    /// Errors that are drawn, with the lines that they are about.
    pub(crate) fn drawn(errors: &str) -> Self {
        Self::Drawn(errors.trim_end().to_owned())
    }

    /// A refusal of a server, without the word of the protocol in front.
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

/// The exit status: 0 if nothing was wrong, else 1. (Wrong usage is 2, and
/// ends the program before a command runs.)
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

/// Says something on standard error. That nobody may be listening there is
/// no reason to stop.
pub(crate) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{what}");
}
