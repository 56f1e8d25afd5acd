//! How much a configuration may ask for.

/// Limits that keep a hostile or looping configuration from taking the
/// memory or the time of the program that reads it. Dovecot has none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of all files together, those of values read from files and
    /// of expanded variables included. Default: 16 MiB.
    pub total_size: usize,
    /// The bytes of one value. Default: 1 MiB.
    pub value_size: usize,
    /// The logical lines of one file. Default: 500,000.
    pub lines: usize,
    /// How deep blocks may be nested. Default: 32.
    pub block_depth: usize,
    /// How deep includes may be nested. Default: 16.
    pub include_depth: usize,
    /// How many files may be read. Default: 1,000.
    pub files: usize,
    /// After how many errors and warnings reading stops. Default: 100.
    pub errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_size: 16 << 20,
            value_size: 1 << 20,
            lines: 500_000,
            block_depth: 32,
            include_depth: 16,
            files: 1_000,
            errors: 100,
        }
    }
}
