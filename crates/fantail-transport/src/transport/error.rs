//! Why a payload did not arrive, and whether to try again.

use std::{error::Error, fmt, io, time::Duration};

/// A payload did not arrive.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    retry: Retry,
    source: io::Error,
}

/// What a transport was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// Opening the target.
    Open,
    /// Connecting to it.
    Connect,
    /// Writing to it.
    Write,
    /// Waiting for its answer.
    Answer,
    /// It answered that it does not want the payload.
    Refused,
}

/// When an attempt that failed is worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// After a time that grows with each attempt.
    #[default]
    Backoff,
    /// At once, if it is the first failure in a row: a connection that was
    /// kept open turned out to be closed.
    Now,
    /// Not before this time is over: the target asked for it (`Retry-After`).
    After(Duration),
    /// Never: the target will not take this payload, but may take others.
    Never,
}

impl TransportError {
    /// An error that is worth another attempt after a while.
    #[must_use]
    pub const fn new(kind: TransportErrorKind, source: io::Error) -> Self {
        Self {
            kind,
            retry: Retry::Backoff,
            source,
        }
    }

    /// The same error, to be tried again then.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    pub(crate) const fn opening(source: io::Error) -> Self {
        Self::new(TransportErrorKind::Open, source)
    }

    pub(crate) const fn writing(source: io::Error) -> Self {
        Self::new(TransportErrorKind::Write, source)
    }

    /// What failed.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// When to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// What the system, or the target, said.
    #[must_use]
    pub const fn io_error(&self) -> &io::Error {
        &self.source
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TransportErrorKind::Open => "cannot open the target",
            TransportErrorKind::Connect => "cannot connect to the target",
            TransportErrorKind::Write => "cannot write to the target",
            TransportErrorKind::Answer => "no good answer from the target",
            TransportErrorKind::Refused => "the target refused it",
        };
        write!(f, "{what}: {}", self.source)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
