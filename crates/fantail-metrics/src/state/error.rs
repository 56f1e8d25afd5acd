//! Errors of a saved state.

use std::fmt;

use crate::encoding::Malformed;

/// An error of reading a state.
///
/// ```
/// use fantail_metrics::state::{StateError, StateErrorKind, read};
///
/// let error: StateError = read(b"no state at all").unwrap_err();
/// assert_eq!(error.kind(), StateErrorKind::NotAState);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError {
    kind: StateErrorKind,
}

/// The reason why a state cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// The bytes are not a state.
    NotAState,
    /// Another version of this library wrote the state.
    UnknownVersion,
    /// The end of the state is missing.
    CutOff,
    /// The checksum differs: the state was changed.
    Checksum,
    /// No registry can have written the state.
    Malformed,
}

impl StateError {
    pub(super) const fn new(kind: StateErrorKind) -> Self {
        Self { kind }
    }

    /// Returns the reason.
    #[must_use]
    pub const fn kind(&self) -> StateErrorKind {
        self.kind
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StateErrorKind::NotAState => "this is no saved state",
            StateErrorKind::UnknownVersion => "the state is of another version",
            StateErrorKind::CutOff => "the state is cut off",
            StateErrorKind::Checksum => "the state is damaged: its checksum is wrong",
            StateErrorKind::Malformed => "the state contradicts itself",
        })
    }
}

impl std::error::Error for StateError {}

impl From<Malformed> for StateErrorKind {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}
