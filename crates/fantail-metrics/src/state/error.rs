//! What can be wrong with a saved state.

use std::fmt;

use crate::encoding::Malformed;

/// A state cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError {
    kind: StateErrorKind,
}

/// Why a state cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// It is something else.
    NotAState,
    /// It was written by another version of this library.
    UnknownVersion,
    /// Its end is missing.
    CutOff,
    /// It is not what was written.
    Checksum,
    /// No registry can have written it.
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
