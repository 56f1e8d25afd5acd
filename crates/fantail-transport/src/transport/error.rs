//! Errors of transports, with advice on when to try again.

use std::{error::Error, fmt, io, path::Path, time::Duration};

/// A payload that did not arrive, or a target that cannot be opened.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    retry: Retry,
    /// The file or socket, where the kind alone does not name it.
    target: Option<Box<str>>,
    source: io::Error,
}

/// What a transport was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// Opening the target.
    Open,
    /// Connecting to the target.
    Connect,
    /// Writing to the target.
    Write,
    /// Waiting for the response of the target.
    Answer,
    /// The target answered that it does not accept the payload.
    Refused,
}

/// When a failed attempt should be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// After a delay that grows with each attempt.
    #[default]
    Backoff,
    /// At once, if it is the first failure in a row: a connection that was
    /// kept open turned out to be closed.
    Now,
    /// After this delay, which the target asked for (`Retry-After`).
    After(Duration),
    /// Never: the target will not accept this payload, but may accept others.
    Never,
}

impl TransportError {
    /// Returns an error after which the attempt is repeated with backoff.
    #[must_use]
    pub const fn new(kind: TransportErrorKind, source: io::Error) -> Self {
        Self {
            kind,
            retry: Retry::Backoff,
            target: None,
            source,
        }
    }

    /// Sets when the attempt is repeated.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Sets the file or socket that the message names.
    #[must_use]
    pub fn with_target(self, path: &Path) -> Self {
        Self {
            target: Some(path.display().to_string().into()),
            ..self
        }
    }

    #[cfg(any(feature = "file", feature = "http"))]
    pub(crate) fn opening(path: &Path, source: io::Error) -> Self {
        Self::new(TransportErrorKind::Open, source).with_target(path)
    }

    pub(crate) const fn writing(source: io::Error) -> Self {
        Self::new(TransportErrorKind::Write, source)
    }

    /// Returns what the transport was doing.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns when to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// Returns the error of the system, or the response of the target.
    #[must_use]
    pub const fn io_error(&self) -> &io::Error {
        &self.source
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target.as_deref().unwrap_or("the target");
        match self.kind {
            TransportErrorKind::Open => write!(f, "cannot open {target}")?,
            TransportErrorKind::Connect => write!(f, "cannot connect to {target}")?,
            TransportErrorKind::Write => write!(f, "cannot write to {target}")?,
            TransportErrorKind::Answer => write!(f, "unexpected response from {target}")?,
            TransportErrorKind::Refused => write!(f, "{target} refused it")?,
        }
        write!(f, ": {}", self.source)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
