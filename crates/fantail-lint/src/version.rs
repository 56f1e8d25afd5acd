//! Versions of Dovecot.

use std::fmt;

use fantail_event::Dialect;

/// A version such as `2.3.18`; of two, the later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// `2`
    pub major: u16,
    /// `3`
    pub minor: u16,
    /// `18`
    pub patch: u16,
}

impl Version {
    /// Reads `2.3.18`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse);
        let version = Self {
            major: parts.next()?.ok()?,
            minor: parts.next()?.ok()?,
            patch: parts.next()?.ok()?,
        };
        parts.next().is_none().then_some(version)
    }

    /// The first version of a series.
    const fn first_of(dialect: Dialect) -> Self {
        Self {
            major: 2,
            minor: match dialect {
                Dialect::V2_3 => 3,
                Dialect::V2_4 => 4,
            },
            patch: 0,
        }
    }

    /// Whether something that came and went with these versions is there in
    /// any version of a series.
    pub(crate) fn overlap(since: Option<Self>, until: Option<Self>, dialect: Dialect) -> bool {
        let first = Self::first_of(dialect);
        let came = match dialect {
            Dialect::V2_3 => since.is_none_or(|since| since < Self::first_of(Dialect::V2_4)),
            Dialect::V2_4 => true,
        };
        came && until.is_none_or(|until| until > first)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
