//! The log level an event was sent with.

/// The log type of one sending of an event, in the order of Dovecot's wire
/// numbers 0 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// 0
    #[default]
    Debug,
    /// 1
    Info,
    /// 2
    Warning,
    /// 3
    Error,
    /// 4
    Fatal,
    /// 5
    Panic,
}

impl Level {
    /// All levels, by wire number.
    pub const ALL: [Self; 6] = [
        Self::Debug,
        Self::Info,
        Self::Warning,
        Self::Error,
        Self::Fatal,
        Self::Panic,
    ];

    /// Returns the level with this number on the stats-writer socket.
    #[must_use]
    pub fn from_wire(number: u64) -> Option<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|n| Self::ALL.get(n).copied())
    }

    /// Returns the number on the stats-writer socket.
    #[must_use]
    pub const fn to_wire(self) -> u8 {
        self as u8
    }

    /// Returns the name in filters (`category=error`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::Panic => "panic",
        }
    }

    /// Returns the level with this name, which is case-sensitive.
    ///
    /// ```
    /// use fantail_event::Level;
    ///
    /// assert_eq!(Level::from_name(b"error"), Some(Level::Error));
    /// assert_eq!(Level::from_name(b"ERROR"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|level| level.name().as_bytes() == name)
    }
}
