//! The typed settings of an exporter.
//!
//! The settings of the transport and of the queue are types of
//! `fantail-transport`. `docs/exporters.md` has the table of all settings.

use std::path::PathBuf;

use fantail_format::{FieldRules, Format, TimeStyle};
use fantail_transport::{
    FileSettings, HttpSettings, JournalSettings, LogSettings, MessageSettings, NatsSettings,
    QueueSettings, SyslogSettings, ThrottleSettings, UnixSettings,
};

use crate::diagnostic::source::Span;

/// `event_exporter NAME { … }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exporter {
    /// The name.
    pub name: Vec<u8>,
    /// The format of events.
    pub format: Format,
    /// The format of times.
    pub time_style: TimeStyle,
    /// The transport.
    pub transport: TransportSettings,
    /// The fields that are written, and their rules (`fields_…`).
    pub rules: FieldRules,
    /// The file with the secret of hashes (`fields_hash_key`), if it is in a
    /// file.
    pub hash_key_file: Option<Vec<u8>>,
    /// Whether ids are written (`event_id`).
    pub event_id: bool,
    /// The handling of TABs and of long messages in logs and syslog
    /// (`message_…`).
    pub messages: MessageSettings,
    /// The queue before the transport, and the delivery level (`delivery`,
    /// `queue_…`, `spool_…`, `retry_…`, `max_age`).
    pub queue: QueueSettings,
    /// A file for events that the target refuses permanently
    /// (`dead_letter_path`).
    pub dead_letters: Option<PathBuf>,
    /// The rate limit and sampling (`rate_…`, `sample`).
    pub throttle: ThrottleSettings,
    /// The positions.
    pub spans: ExporterSpans,
}

/// The positions of an exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExporterSpans {
    /// The line that opens the first block.
    pub block: Span,
    /// The name.
    pub name: Span,
    /// The format.
    pub format: Span,
    /// The transport, if it is set.
    pub transport: Option<Span>,
}

/// The transport of exported events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportSettings {
    /// Dovecot's log, with Dovecot's log settings (`log_path`, `info_log_path`,
    /// `log_timestamp`, `syslog_facility`, `instance_name`).
    Log(LogSettings),
    /// Drops the events.
    Drop,
    /// An HTTP server.
    HttpPost(HttpSettings),
    /// A file.
    File(FileSettings),
    /// A Unix socket.
    Unix(UnixSettings),
    /// A syslog receiver; not in Dovecot.
    Syslog(SyslogSettings),
    /// The systemd journal; not in Dovecot.
    Journal(JournalSettings),
    /// A receiver of OpenTelemetry, by OTLP/HTTP with JSON; not in Dovecot.
    Otlp(HttpSettings),
    /// A stream of NATS; not in Dovecot.
    Nats(NatsSettings),
}

impl TransportSettings {
    /// Returns the name: the value of `transport` (2.3) or `driver` (2.4).
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
            Self::Otlp(_) => "otlp",
            Self::Nats(_) => "nats",
        }
    }
}
