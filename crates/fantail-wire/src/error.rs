//! Errors of a client's lines.

use std::{error::Error, fmt};

use fantail_event::{CategoryError, TextError};

/// A line that ends its client's connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    kind: WireErrorKind,
}

/// The kind of an error in a client's line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// The first line is not `VERSION stats-client <major> <minor>`.
    NoHandshake,
    /// The client speaks another major version than 4.
    OtherVersion,
    /// The line is empty.
    EmptyLine,
    /// The command is unknown.
    UnknownCommand,
    /// An event id is missing or not a number.
    BadId,
    /// The log type is missing or not one of 0 to 5.
    BadLevel,
    /// The category's name is missing.
    MissingCategory,
    /// The event is malformed.
    Event(TextError),
    /// The category cannot be registered.
    Category(CategoryError),
    /// A live event with this id exists.
    DuplicateId(u64),
    /// No live event has this id.
    UnknownId(u64),
    /// No live event has the id of the parent.
    UnknownParent(u64),
    /// No live event has the id of the global event.
    UnknownGlobal(u64),
    /// An update names another parent than the event has.
    ChangedParent,
    /// A line is longer than the limit.
    LineTooLong,
    /// The live events are more or larger than the limits allow.
    TooManyEvents,
    /// An event has more ancestors than the limit.
    TooDeep,
    /// The client registers more categories than the limit.
    TooManyCategories,
}

impl WireError {
    pub(crate) const fn new(kind: WireErrorKind) -> Self {
        Self { kind }
    }

    /// Returns what is wrong.
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
                f.write_str("expected VERSION, stats-client, 4 and 0 separated by TABs")
            }
            WireErrorKind::OtherVersion => {
                f.write_str("the major version of the protocol is not 4")
            }
            WireErrorKind::EmptyLine => f.write_str("the line is empty"),
            WireErrorKind::UnknownCommand => f.write_str("unknown command"),
            WireErrorKind::BadId => f.write_str("an event id is missing or not a number"),
            WireErrorKind::BadLevel => f.write_str("the log type is not a number from 0 to 5"),
            WireErrorKind::MissingCategory => f.write_str("the name of the category is missing"),
            WireErrorKind::Event(error) => error.fmt(f),
            WireErrorKind::Category(error) => error.fmt(f),
            WireErrorKind::DuplicateId(id) => {
                write!(f, "event {id} began before and has not ended")
            }
            WireErrorKind::UnknownId(id) => write!(f, "unknown event {id}"),
            WireErrorKind::UnknownParent(id) => write!(f, "unknown parent event {id}"),
            WireErrorKind::UnknownGlobal(id) => write!(f, "unknown global event {id}"),
            WireErrorKind::ChangedParent => {
                f.write_str("the update changes the parent of the event")
            }
            WireErrorKind::LineTooLong => f.write_str("the line is too long"),
            WireErrorKind::TooManyEvents => {
                f.write_str("the connection has too many or too large live events")
            }
            WireErrorKind::TooManyCategories => {
                f.write_str("the connection registers too many categories")
            }
            WireErrorKind::TooDeep => f.write_str("the event has too many ancestors"),
        }
    }
}

impl Error for WireError {
    /// Returns what the error of an event or a category is caused by; the message
    /// of a `WireError` contains that of the event or category.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            WireErrorKind::Event(error) => Some(error),
            WireErrorKind::Category(error) => Some(error),
            _ => None,
        }
    }
}
