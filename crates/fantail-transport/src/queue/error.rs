//! Errors of queues that cannot start.

use std::{error::Error, fmt, io};

/// A queue that could not be started.
#[derive(Debug)]
pub struct QueueError {
    kind: QueueErrorKind,
    source: Option<io::Error>,
}

/// Why a queue could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueErrorKind {
    /// The system did not start a thread.
    Thread,
    /// The delivery level needs a target that confirms payloads, and this
    /// target does not.
    Unconfirmed,
}

impl QueueError {
    pub(super) fn thread(source: io::Error) -> Self {
        Self {
            kind: QueueErrorKind::Thread,
            source: Some(source),
        }
    }

    pub(super) const fn unconfirmed() -> Self {
        Self {
            kind: QueueErrorKind::Unconfirmed,
            source: None,
        }
    }

    /// Returns why the queue could not be started.
    #[must_use]
    pub const fn kind(&self) -> QueueErrorKind {
        self.kind
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.source) {
            (QueueErrorKind::Thread, Some(source)) => {
                write!(f, "cannot start a thread of the queue: {source}")
            }
            _ => f.write_str(
                "`delivery = acknowledged` needs a target that confirms what it accepts, \
                 and this one does not; use `delivery = spool`",
            ),
        }
    }
}

impl Error for QueueError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
