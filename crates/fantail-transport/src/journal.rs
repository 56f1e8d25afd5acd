//! The transport `journal`: the native protocol of the systemd journal.
//!
//! An entry is a datagram of fields. An entry that is too large for a datagram is
//! written to a sealed memory file whose descriptor is sent.
//!
//! The settings are always available, the transport with the feature `journal`.

#[cfg(feature = "journal")]
mod send;
mod settings;

#[cfg(feature = "journal")]
pub use self::send::JournalTransport;
pub use self::settings::{JOURNAL_SOCKET, JournalPayloads, JournalSettings};
