//! Ranges of parts, for readers that share the work.

use std::{fmt, str::FromStr};

use super::{PartId, token};

/// The parts of a group, which a reader receives or not as a whole.
const GROUP: u8 = 16;

/// The parts of a reader: whole groups of 16.
///
/// ```
/// use fantail_fleet::counts::PartRange;
///
/// let first: PartRange = "0-63".parse()?;
/// assert!(first.contains(63) && !first.contains(64));
/// assert!(!first.overlaps("64-255".parse()?));
/// assert!("0-64".parse::<PartRange>().is_err());
/// # Ok::<(), fantail_fleet::counts::PartRangeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartRange {
    first: PartId,
    last: PartId,
}

/// The text is not a range of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRangeError;

impl fmt::Display for PartRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected FIRST-LAST, such as 0-63: FIRST is a multiple of 16, LAST is one less than \
             such a number, at most 255",
        )
    }
}

impl std::error::Error for PartRangeError {}

impl PartRange {
    /// All parts.
    pub const ALL: Self = Self {
        first: 0,
        last: PartId::MAX,
    };

    /// Returns the range from its first to its last part.
    ///
    /// # Errors
    /// The range is empty, or cuts a group of 16 parts.
    pub fn new(first: PartId, last: PartId) -> Result<Self, PartRangeError> {
        let is_whole = first <= last && first.is_multiple_of(GROUP) && last % GROUP == GROUP - 1;
        is_whole
            .then_some(Self { first, last })
            .ok_or(PartRangeError)
    }

    /// Returns the first part.
    #[must_use]
    pub const fn first(self) -> PartId {
        self.first
    }

    /// Returns the last part.
    #[must_use]
    pub const fn last(self) -> PartId {
        self.last
    }

    /// Returns whether a part is in the range.
    #[must_use]
    pub const fn contains(self, part: PartId) -> bool {
        self.first <= part && part <= self.last
    }

    /// Returns whether two ranges have parts in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Returns the parts that are in none of these ranges.
    pub(crate) fn gaps(mut known: Vec<Self>) -> Vec<Self> {
        known.sort_unstable();
        let mut gaps = Vec::new();
        let mut next = 0_u16;
        let mut gap = |first: u16, end: u16| {
            let ends = u8::try_from(first).ok().zip(u8::try_from(end).ok());
            if let Some((first, end)) = ends
                && first <= end
            {
                gaps.push(Self { first, last: end });
            }
        };
        for range in known {
            if let Some(before) = u16::from(range.first).checked_sub(1) {
                gap(next, before);
            }
            next = next.max(u16::from(range.last) + 1);
        }
        gap(next, PartId::MAX.into());
        gaps
    }

    /// Returns the subjects that a reader of these parts needs, with wildcards: no message
    /// has two of them.
    #[must_use]
    pub fn filters(self, cluster: &[u8]) -> Vec<String> {
        let all = format!("fantail.c1.{}", token(cluster));
        if self == Self::ALL {
            return vec![format!("{all}.>")];
        }
        let groups = self.first / GROUP..=self.last / GROUP;
        let groups = groups.map(|group| format!("{all}.*.*.{group:x}.>"));
        // Heads and claims have no part.
        std::iter::once(format!("{all}.*.*.*"))
            .chain(groups)
            .collect()
    }
}

impl Default for PartRange {
    /// Returns all parts.
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for PartRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PartRange {
    type Err = PartRangeError;

    fn from_str(text: &str) -> Result<Self, PartRangeError> {
        let (first, last) = text.split_once('-').ok_or(PartRangeError)?;
        let number = |text: &str| text.parse().map_err(|_| PartRangeError);
        Self::new(number(first)?, number(last)?)
    }
}
