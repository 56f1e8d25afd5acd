//! Why a client's connection is closed by the server.

use fantail_wire::{WireError, WireErrorKind};

/// Bytes of an invalid line that the log shows.
const MAX_SHOWN_BYTES: usize = 200;

/// A connection that the server closes; the reason is logged and counted.
#[derive(Debug)]
pub(crate) enum Closed {
    /// An invalid line, and its beginning.
    Wire(WireError, String),
    /// The connections together hold more than they may.
    Memory,
}

impl Closed {
    pub(crate) fn wire(error: impl Into<WireError>, line: &[u8]) -> Self {
        let shown = line.get(..MAX_SHOWN_BYTES).unwrap_or(line).escape_ascii();
        let more = if line.len() > MAX_SHOWN_BYTES {
            "…"
        } else {
            ""
        };
        Self::Wire(error.into(), format!("{shown}{more}"))
    }

    /// The value of the label `kind` of `fantail_protocol_errors`.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Wire(error, _) => match error.kind() {
                WireErrorKind::NoHandshake | WireErrorKind::OtherVersion => "handshake",
                WireErrorKind::EmptyLine => "empty_line",
                WireErrorKind::UnknownCommand => "unknown_command",
                WireErrorKind::BadId => "bad_id",
                WireErrorKind::BadLevel => "bad_level",
                WireErrorKind::Event(_) => "bad_event",
                WireErrorKind::Category(_) | WireErrorKind::MissingCategory => "bad_category",
                WireErrorKind::TooManyCategories => "too_many_categories",
                WireErrorKind::DuplicateId(_) => "duplicate_id",
                WireErrorKind::UnknownId(_)
                | WireErrorKind::UnknownParent(_)
                | WireErrorKind::UnknownGlobal(_) => "unknown_id",
                WireErrorKind::ChangedParent => "changed_parent",
                WireErrorKind::LineTooLong => "line_too_long",
                WireErrorKind::TooManyEvents | WireErrorKind::TooDeep => "too_many_events",
                _ => "other",
            },
        }
    }
}
