//! Errors of an answer.

use std::{fmt, io};

use fantail_metrics::{
    internal::Malformed,
    state::{StateError, StateErrorKind},
};

/// An error of reading an answer.
#[derive(Debug)]
pub struct AnswerError {
    kind: AnswerErrorKind,
    source: Option<io::Error>,
}

/// The reason why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerErrorKind {
    /// The bytes are not an answer of a host.
    NotAnAnswer,
    /// The host has another version of fantail, with another form of answers.
    UnknownVersion,
    /// The end of the answer is missing.
    CutOff,
    /// The answer exceeds a limit.
    TooLong,
    /// The checksum differs: the answer was changed.
    Checksum,
    /// No host can have written the answer.
    Malformed,
    /// The connection failed.
    Io,
}

impl AnswerError {
    /// Returns the reason.
    #[must_use]
    pub const fn kind(&self) -> AnswerErrorKind {
        self.kind
    }
}

impl From<AnswerErrorKind> for AnswerError {
    fn from(kind: AnswerErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<io::Error> for AnswerError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return AnswerErrorKind::CutOff.into();
        }
        Self {
            kind: AnswerErrorKind::Io,
            source: Some(error),
        }
    }
}

impl From<Malformed> for AnswerErrorKind {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<StateError> for AnswerErrorKind {
    fn from(error: StateError) -> Self {
        match error.kind() {
            StateErrorKind::UnknownVersion => Self::UnknownVersion,
            StateErrorKind::CutOff => Self::CutOff,
            StateErrorKind::Checksum => Self::Checksum,
            _ => Self::Malformed,
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            AnswerErrorKind::NotAnAnswer => "the answer is not that of a fantail server",
            AnswerErrorKind::UnknownVersion => "the answer is of another version of fantail",
            AnswerErrorKind::CutOff => "the answer is cut off",
            AnswerErrorKind::TooLong => "the answer is longer than the limit",
            AnswerErrorKind::Checksum => "the answer is damaged: its checksum is wrong",
            AnswerErrorKind::Malformed => "the answer contradicts itself",
            AnswerErrorKind::Io => "the answer cannot be read",
        })?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AnswerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
