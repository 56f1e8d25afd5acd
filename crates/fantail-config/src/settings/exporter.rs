//! The typed settings of an exporter.
//!
//! Those of its transport and of its queue are the types of
//! `fantail-transport`. `docs/exporters.md` has the table of all settings.

use std::path::PathBuf;

use fantail_format::{FieldRules, Format, TimeStyle};
use fantail_transport::{
    FileSettings, HttpSettings, JournalSettings, LogSettings, MessageSettings, QueueSettings,
    SyslogSettings, ThrottleSettings, UnixSettings,
};

use crate::diagnostic::source::Span;

/// `event_exporter NAME { … }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exporter {
    /// Its name.
    pub name: Vec<u8>,
    /// How events are written.
    pub format: Format,
    /// How times are written.
    pub time_style: TimeStyle,
    /// Where they go.
    pub transport: TransportSettings,
    /// Which fields are written, and what of them (`fields_…`).
    pub rules: FieldRules,
    /// The file that has the secret of hashes (`fields_hash_key`), if it
    /// comes from one.
    pub hash_key_file: Option<Vec<u8>>,
    /// Whether ids are written (`event_id`).
    pub event_id: bool,
    /// What becomes of TABs and of long messages in logs and syslog
    /// (`message_…`).
    pub messages: MessageSettings,
    /// The queue before the transport: how events wait, and what is promised
    /// of them (`delivery`, `queue_…`, `spool_…`, `retry_…`, `max_age`).
    pub queue: QueueSettings,
    /// A file for events that the target refuses for good
    /// (`dead_letter_path`).
    pub dead_letters: Option<PathBuf>,
    /// The rate limit and sampling (`rate_…`, `sample`).
    pub throttle: ThrottleSettings,
    /// Where all this was written.
    pub spans: ExporterSpans,
}

/// Where an exporter was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExporterSpans {
    /// The line that opens its first block.
    pub block: Span,
    /// Its name.
    pub name: Span,
    /// The format.
    pub format: Span,
    /// The transport, if one is given.
    pub transport: Option<Span>,
}

/// Where exported events go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportSettings {
    /// Dovecot's log, with Dovecot's settings of it (`log_path`, `info_log_path`,
    /// `log_timestamp`, `syslog_facility`, `instance_name`).
    Log(LogSettings),
    /// Nowhere.
    Drop,
    /// Posted to an HTTP server.
    HttpPost(HttpSettings),
    /// Appended to a file.
    File(FileSettings),
    /// Into a Unix socket.
    Unix(UnixSettings),
    /// To a syslog receiver; not in Dovecot.
    Syslog(SyslogSettings),
    /// Into the systemd journal; not in Dovecot.
    Journal(JournalSettings),
}

impl TransportSettings {
    /// Returns its name as the value of `transport` (2.3) or `driver` (2.4).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Log(_) => "log",
            Self::Drop => "drop",
            Self::HttpPost(_) => "http-post",
            Self::File(_) => "file",
            Self::Unix(_) => "unix",
            Self::Syslog(_) => "syslog",
            Self::Journal(_) => "journal",
        }
    }
}
