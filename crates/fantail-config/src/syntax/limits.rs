//! Limits of a configuration.

/// Limits that keep a hostile or looping configuration from using too much
/// memory or time. Dovecot has none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of all files together, including values from files and
    /// expanded variables. Default: 16 MiB.
    pub total_size: usize,
    /// The bytes of one value. Default: 1 MiB.
    pub value_size: usize,
    /// The logical lines of one file. Default: 500,000.
    pub lines: usize,
    /// The depth of nested blocks. Default: 32.
    pub block_depth: usize,
    /// The depth of nested includes. Default: 16.
    pub include_depth: usize,
    /// The number of files. Default: 1,000.
    pub files: usize,
    /// The number of errors and warnings after which reading stops. Default:
    /// 100.
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
