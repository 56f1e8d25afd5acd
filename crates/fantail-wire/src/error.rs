//! What a client can do wrong.

use std::fmt;

use fantail_event::{CategoryError, TextError};

/// A client's line that ends its connection, as it does with Dovecot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    kind: WireErrorKind,
}

/// What is wrong with a client's line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// The first line is not `VERSION stats-client <major> <minor>`.
    NoHandshake,
    /// The client speaks another major version than 4.
    OtherVersion,
    /// The command is none that is known.
    UnknownCommand,
    /// An event id is missing or not a number.
    BadId,
    /// The log type is missing or not one of 0 to 5.
    BadLevel,
    /// The category's name is missing.
    MissingCategory,
    /// The event itself cannot be read.
    Event(TextError),
    /// The category cannot be registered.
    Category(CategoryError),
    /// An event with this id lives already.
    DuplicateId(u64),
    /// No event with this id lives.
    UnknownId(u64),
    /// The event named as parent does not live.
    UnknownParent(u64),
    /// The event named as global does not live.
    UnknownGlobal(u64),
    /// An update names another parent than the event has.
    ChangedParent,
    /// A line is longer than the limit.
    LineTooLong,
    /// More events live, or larger ones, than the limits allow.
    TooManyEvents,
    /// An event has more ancestors than the limit.
    TooDeep,
}

impl WireError {
    pub(crate) const fn new(kind: WireErrorKind) -> Self {
        Self { kind }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &WireErrorKind {
        &self.kind
    }
}

impl From<WireErrorKind> for WireError {
    fn from(kind: WireErrorKind) -> Self {
        Self { kind }
    }
}

impl From<TextError> for WireError {
    fn from(error: TextError) -> Self {
        Self::new(WireErrorKind::Event(error))
    }
}

impl From<CategoryError> for WireError {
    fn from(error: CategoryError) -> Self {
        Self::new(WireErrorKind::Category(error))
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            WireErrorKind::NoHandshake => {
                f.write_str("the first line must be VERSION, stats-client, 4 and 0 between TABs")
            }
            WireErrorKind::OtherVersion => {
                f.write_str("the client speaks another major version of the protocol than 4")
            }
            WireErrorKind::UnknownCommand => f.write_str("the command is unknown"),
            WireErrorKind::BadId => f.write_str("an event id is missing or not a number"),
            WireErrorKind::BadLevel => f.write_str("the log type is not a number from 0 to 5"),
            WireErrorKind::MissingCategory => f.write_str("the category's name is missing"),
            WireErrorKind::Event(error) => error.fmt(f),
            WireErrorKind::Category(error) => error.fmt(f),
            WireErrorKind::DuplicateId(id) => write!(f, "an event with the id {id} lives already"),
            WireErrorKind::UnknownId(id) => write!(f, "no event with the id {id} lives"),
            WireErrorKind::UnknownParent(id) => {
                write!(f, "no event with the id {id}, the parent, lives")
            }
            WireErrorKind::UnknownGlobal(id) => {
                write!(f, "no event with the id {id}, the global event, lives")
            }
            WireErrorKind::ChangedParent => f.write_str("an update must not change the parent"),
            WireErrorKind::LineTooLong => f.write_str("the line is too long"),
            WireErrorKind::TooManyEvents => f.write_str("too many events live on the connection"),
            WireErrorKind::TooDeep => f.write_str("the event has too many ancestors"),
        }
    }
}

impl std::error::Error for WireError {}
