//! What all transports have in common.

use std::{fmt, io};

/// Somewhere to send payloads to.
pub trait Transport: Send {
    /// Sends one payload; a transport that writes lines ends it with LF.
    ///
    /// # Errors
    /// The payload did not arrive, or not whole.
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError>;

    /// Hands over what is still held back.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    fn flush(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Opens the target anew, after it was moved away (`doveadm stats reopen`).
    ///
    /// # Errors
    /// The target cannot be opened.
    fn reopen(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

/// A payload did not arrive.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: io::Error,
}

/// What a transport was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// Opening the target.
    Open,
    /// Writing to it.
    Write,
}

impl TransportError {
    pub(crate) fn opening(source: io::Error) -> Self {
        Self {
            kind: TransportErrorKind::Open,
            source,
        }
    }

    pub(crate) fn writing(source: io::Error) -> Self {
        Self {
            kind: TransportErrorKind::Write,
            source,
        }
    }

    /// What the system said.
    #[must_use]
    pub const fn io_error(&self) -> &io::Error {
        &self.source
    }

    /// What failed.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TransportErrorKind::Open => "cannot open the target",
            TransportErrorKind::Write => "cannot write to the target",
        };
        write!(f, "{what}: {}", self.source)
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
