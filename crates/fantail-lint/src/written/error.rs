//! Errors of written events.

use std::fmt;

use fantail_config::{Span, Text};
use fantail_event::TooLarge;

use crate::catalogue::FieldType;

/// An error of making a written event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeError {
    kind: MakeErrorKind,
    span: Span,
    found: String,
    source: Option<TooLarge>,
}

/// The reason why an event cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MakeErrorKind {
    /// The sum of creation and duration is beyond the last time.
    TooLong,
    /// A name is not valid for a category.
    Category,
    /// The event has too many fields.
    TooManyFields,
    /// A value does not have the type with which Dovecot sends the field.
    WrongType(FieldType),
    /// The event has too many bytes.
    TooLarge,
}

impl MakeError {
    pub(super) const fn new(kind: MakeErrorKind, span: Span) -> Self {
        Self {
            kind,
            span,
            found: String::new(),
            source: None,
        }
    }

    /// Returns the error of a value, with its type if the catalogue knows it.
    pub(super) fn wrong_type(value: &Text, kind: Option<FieldType>) -> Self {
        let kind = MakeErrorKind::WrongType(kind.unwrap_or(FieldType::Text));
        Self {
            found: String::from_utf8_lossy(value.bytes()).into_owned(),
            ..Self::new(kind, value.span())
        }
    }

    pub(super) fn too_large(source: TooLarge, span: Span) -> Self {
        Self {
            source: Some(source),
            ..Self::new(MakeErrorKind::TooLarge, span)
        }
    }

    /// Returns the reason.
    #[must_use]
    pub const fn kind(&self) -> MakeErrorKind {
        self.kind
    }

    /// Returns the position of the part that is wrong.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            MakeErrorKind::TooLong => f.write_str("the duration reaches beyond the last time"),
            MakeErrorKind::Category => f.write_str("this cannot be a category"),
            MakeErrorKind::TooManyFields => f.write_str("the event has too many fields"),
            MakeErrorKind::WrongType(kind) => {
                let expected = match kind {
                    FieldType::Integer => "a number",
                    FieldType::Address => "an address",
                    FieldType::Timestamp => "a time in seconds since 1970",
                    FieldType::Text | FieldType::List => "a text",
                };
                let found = &self.found;
                write!(
                    f,
                    "expected {expected}, the type that Dovecot sends this field with, found `{found}`"
                )
            }
            MakeErrorKind::TooLarge => f.write_str("the event is too large"),
        }
    }
}

impl std::error::Error for MakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
