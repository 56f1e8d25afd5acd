//! The series of Dovecot whose rules apply.

/// The Dovecot series whose rules apply to filters, events and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Dovecot 2.3 (as of 2.3.19).
    V2_3,
    /// Dovecot 2.4 (as of 2.4.1).
    #[default]
    V2_4,
}

impl Dialect {
    /// Returns the dialect written as `2.3` or `2.4`.
    ///
    /// ```
    /// use fantail_event::Dialect;
    ///
    /// assert_eq!(Dialect::from_version("2.3"), Some(Dialect::V2_3));
    /// assert_eq!(Dialect::from_version("2.2"), None);
    /// ```
    #[must_use]
    pub fn from_version(version: &str) -> Option<Self> {
        match version {
            "2.3" => Some(Self::V2_3),
            "2.4" => Some(Self::V2_4),
            _ => None,
        }
    }
}

impl core::fmt::Display for Dialect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::V2_3 => "2.3",
            Self::V2_4 => "2.4",
        })
    }
}
