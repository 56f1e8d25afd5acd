//! The settings of heavy hitters.

use std::{fmt, ops::RangeInclusive};

use super::Modifier;

/// The heavy hitters of a metric: the values of a field that occur most often, or that
/// have the greatest sum of another field.
///
/// [`HeavyHitters`](crate::HeavyHitters) describes the method and its errors.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Top {
    field: Vec<u8>,
    modifiers: Vec<Modifier>,
    weight: Option<Vec<u8>>,
    shown: u32,
    counters: u32,
}

impl Top {
    /// The values that are shown by default.
    pub const SHOWN: u32 = 10;
    /// The counters by default. They have at most 1 MB, for any values.
    pub const COUNTERS: u32 = 8_192;
    /// The permitted numbers of counters. An eviction visits each of them, and the first
    /// event after a snapshot copies them.
    pub const VALID_COUNTERS: RangeInclusive<u32> = 64..=1 << 17;

    /// Creates the settings of a field with the defaults: each event counts as 1.
    #[must_use]
    pub fn new(field: impl Into<Vec<u8>>) -> Self {
        Self {
            field: field.into(),
            modifiers: Vec::new(),
            weight: None,
            shown: Self::SHOWN,
            counters: Self::COUNTERS,
        }
    }

    /// Changes each value before it is counted.
    #[must_use]
    pub fn modified(mut self, modifiers: Vec<Modifier>) -> Self {
        self.modifiers = modifiers;
        self
    }

    /// Counts each event as the value of this field instead of 1. Negative numbers, and
    /// values that are not numbers, count as 0.
    #[must_use]
    pub fn weighted(mut self, field: Option<Vec<u8>>) -> Self {
        self.weight = field;
        self
    }

    /// Changes the number of shown values and of counters.
    ///
    /// # Errors
    /// No value is shown, more values are shown than there are counters, or the number
    /// of counters is not one of [`VALID_COUNTERS`](Self::VALID_COUNTERS).
    pub fn sized(mut self, shown: u32, counters: u32) -> Result<Self, TopError> {
        if !Self::VALID_COUNTERS.contains(&counters) {
            return Err(TopError::Counters);
        }
        if !(1..=counters).contains(&shown) {
            return Err(TopError::Shown);
        }
        (self.shown, self.counters) = (shown, counters);
        Ok(self)
    }

    /// Returns the field whose values are counted.
    #[must_use]
    pub fn field(&self) -> &[u8] {
        &self.field
    }

    /// Returns the changes of a value before it is counted.
    #[must_use]
    pub fn modifiers(&self) -> &[Modifier] {
        &self.modifiers
    }

    /// Returns the field whose value is added; `None` if events are counted.
    #[must_use]
    pub fn weight(&self) -> Option<&[u8]> {
        self.weight.as_deref()
    }

    /// Returns the maximum number of values that an answer shows.
    #[must_use]
    pub const fn shown(&self) -> u32 {
        self.shown
    }

    /// Returns the maximum number of values that are counted at one time.
    #[must_use]
    pub const fn counters(&self) -> u32 {
        self.counters
    }
}

/// The reason why settings of heavy hitters are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopError {
    /// No value is shown, or more values than there are counters.
    Shown,
    /// The number of counters is too small or too large.
    Counters,
}

impl fmt::Display for TopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = Top::VALID_COUNTERS.into_inner();
        match self {
            Self::Shown => f.write_str(
                "the number of shown values must be at least 1, and not above that of counters",
            ),
            Self::Counters => write!(
                f,
                "the number of counters must be at least {least} and at most {most}"
            ),
        }
    }
}

impl std::error::Error for TopError {}
