//! Errors of the text form of an event.

use core::fmt;

/// The text of an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    kind: TextErrorKind,
    argument: usize,
}

/// The kind of an error in the text of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextErrorKind {
    /// The text ends before a value that its code letter announces.
    MissingValue,
    /// A field has no key.
    MissingKey,
    /// There are more fields or categories than an event may have.
    TooManyFields,
    /// The seconds of a time are not a number.
    BadSeconds,
    /// The microseconds of a time are not a number below 1,000,000.
    BadMicroseconds,
    /// A source line is not a number.
    BadLine,
    /// A category was not registered before.
    UnknownCategory,
    /// An integer field is not a 64-bit number.
    BadInteger,
    /// An IP field is not an address.
    BadIp,
    /// The number of a list's elements is not a number.
    BadCount,
}

impl TextError {
    pub(crate) const fn new(kind: TextErrorKind, argument: usize) -> Self {
        Self { kind, argument }
    }

    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> TextErrorKind {
        self.kind
    }

    /// Returns the index of the event's argument, from 0.
    #[must_use]
    pub const fn argument(&self) -> usize {
        self.argument
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TextErrorKind::MissingValue => "the value is missing",
            TextErrorKind::MissingKey => "the field's key is missing",
            TextErrorKind::TooManyFields => "there are too many fields or categories",
            TextErrorKind::BadSeconds => "the seconds are not a number",
            TextErrorKind::BadMicroseconds => "the microseconds are not a number below 1000000",
            TextErrorKind::BadLine => "the source line is not a number",
            TextErrorKind::UnknownCategory => "the category is not registered",
            TextErrorKind::BadInteger => "the value is not a 64-bit integer",
            TextErrorKind::BadIp => "the value is not an IP address",
            TextErrorKind::BadCount => "the number of elements is not a number",
        };
        write!(f, "{what} (argument {} of the event)", self.argument + 1)
    }
}

impl core::error::Error for TextError {}
