//! The settings of the transport `journal`.

use std::path::PathBuf;

/// The socket of the journal.
pub const JOURNAL_SOCKET: &str = "/run/systemd/journal/socket";

/// Settings of the transport `journal`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalSettings {
    /// The socket; `None` for [`JOURNAL_SOCKET`].
    pub path: Option<PathBuf>,
    /// The kind of the payloads.
    pub payloads: JournalPayloads,
}

/// The kind of the payloads for a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JournalPayloads {
    /// Whole entries in the format of the journal.
    Entries,
    /// Texts that become the `MESSAGE` of an entry.
    #[default]
    Messages,
}
