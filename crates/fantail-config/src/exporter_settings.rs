//! What a configuration says of an exporter.
//!
//! Plain values. Those that only fantail knows are told so, with the name of
//! their setting; `docs/exporters.md` has the table.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use fantail_format::{FieldRules, Format, TimeStyle};

use crate::source::Span;

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
    pub transport: Transport,
    /// Which fields are written, and what of them (`fields_…`).
    pub rules: FieldRules,
    /// The file that has the secret of hashes (`fields_hash_key`), if it
    /// comes from one.
    pub hash_key_file: Option<Vec<u8>>,
    /// Whether ids are written (`event_id`).
    pub event_id: bool,
    /// What becomes of TABs and of long lines in logs (`message_…`).
    pub messages: Messages,
    /// What is promised of events, and how they wait.
    pub delivery: Delivery,
    /// What lets fewer events through (`rate_…`, `sample`).
    pub throttle: Throttle,
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

/// Where exported events go. A timeout of `None` never strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Into the log.
    Log,
    /// Nowhere.
    Drop,
    /// Posted to an HTTP server.
    HttpPost {
        /// The URL; begins with `http://` or `https://`.
        url: Vec<u8>,
        /// How long one request may take. Dovecot's default: 250 ms.
        timeout: Option<Duration>,
        /// What Dovecot does not know.
        options: HttpOptions,
    },
    /// Appended to a file.
    File {
        /// The file.
        path: Vec<u8>,
        /// What Dovecot does not know.
        options: FileOptions,
    },
    /// Into a Unix socket.
    Unix {
        /// The socket.
        path: Vec<u8>,
        /// How long connecting may take. Dovecot's default: 250 ms.
        timeout: Option<Duration>,
        /// `unix_socket = datagram`
        datagram: bool,
    },
    /// To a syslog receiver; not in Dovecot.
    Syslog(Syslog),
    /// Into the systemd journal; not in Dovecot.
    Journal {
        /// Its socket (`journal_path`), if it is not the usual one.
        path: Option<Vec<u8>>,
    },
}

impl Transport {
    /// Its name as the value of `transport` (2.3) or `driver` (2.4).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Drop => "drop",
            Self::HttpPost { .. } => "http-post",
            Self::File { .. } => "file",
            Self::Unix { .. } => "unix",
            Self::Syslog(_) => "syslog",
            Self::Journal { .. } => "journal",
        }
    }
}

/// How requests are made (`http_…`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// How events share requests.
    pub batch: HttpBatch,
    /// Events in one request at most, if they share any: 500.
    pub batch_size: NonZeroUsize,
    /// Their bytes: 1 MiB.
    pub batch_bytes: u64,
    /// The shortest time between requests that are not full: none.
    pub batch_linger: Duration,
    /// Whether bodies are compressed: no.
    pub gzip: bool,
    /// The file of a bearer token.
    pub token_file: Option<Vec<u8>>,
    /// The file of more headers.
    pub headers_file: Option<Vec<u8>>,
    /// The certificates to trust; by default those of the system.
    pub ca_file: Option<Vec<u8>>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            batch: HttpBatch::default(),
            batch_size: NonZeroUsize::MIN.saturating_add(499),
            batch_bytes: 1 << 20,
            batch_linger: Duration::ZERO,
            gzip: false,
            token_file: None,
            headers_file: None,
            ca_file: None,
        }
    }
}

/// How events share requests (`http_batch`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpBatch {
    /// Each has its own, as in Dovecot.
    #[default]
    None,
    /// A line for each.
    Lines,
    /// One JSON array.
    Array,
}

/// How a file is kept (`file_…`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileOptions {
    /// Whether missing folders are made.
    pub create_folders: bool,
    /// The size at which it is moved away.
    pub rotate_size: Option<u64>,
    /// The age at which it is moved away.
    pub rotate_age: Option<Duration>,
    /// How many old files are kept.
    pub keep: u32,
    /// When lines are forced onto the disk: never.
    pub sync: Sync,
}

/// When what was written is forced onto the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// Whenever the system likes.
    #[default]
    Never,
    /// At most this long after.
    Interval(Duration),
    /// At once.
    Always,
}

/// A syslog receiver (`syslog_…`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// Where it listens: `/dev/log`.
    pub address: SyslogAddress,
    /// Whether RFC 5424 counts rather than RFC 3164: over the network yes,
    /// on this machine no.
    pub rfc5424: bool,
    /// The facility's name: `mail`.
    pub facility: &'static str,
    /// The severity's name: `info`.
    pub severity: &'static str,
    /// The program's name: `fantail`.
    pub program: Vec<u8>,
    /// How long connecting by TCP may take: 250 ms.
    pub timeout: Option<Duration>,
}

/// Where a syslog receiver listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// `unix:/dev/log`
    Unix(Vec<u8>),
    /// `udp:host:port`
    Udp(String, u16),
    /// `tcp:host:port`
    Tcp(String, u16),
}

/// What becomes of TABs and of long lines in logs (`message_…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Messages {
    /// What becomes of TABs.
    pub tabs: Tabs,
    /// The longest message; by default 8 KiB for syslog, else any.
    pub max_size: Option<u64>,
}

/// What becomes of TABs in messages (`message_tabs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tabs {
    /// They stay.
    #[default]
    Keep,
    /// They become `\t`.
    Escape,
    /// They become spaces.
    Replace,
}

/// What is promised of events, and how they wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What is promised (`delivery`).
    pub level: Level,
    /// Events that wait in memory at most (`queue_size`): 65536.
    pub queue_size: NonZeroUsize,
    /// Their bytes (`queue_bytes`): 64 MiB.
    pub queue_bytes: u64,
    /// What is dropped when the memory is full (`queue_overflow`).
    pub queue_overflow: Overflow,
    /// How long an event may wait (`max_age`); `None` for ever.
    pub max_age: Option<Duration>,
    /// The first wait after a failure (`retry_first`): 200 ms.
    pub retry_first: Duration,
    /// The longest (`retry_longest`): one minute.
    pub retry_longest: Duration,
    /// After how many failures in a row an event is given up
    /// (`retry_attempts`); `None` for never.
    pub retry_attempts: Option<NonZeroU32>,
    /// A file for events that the target refuses for good
    /// (`dead_letter_path`).
    pub dead_letters: Option<Vec<u8>>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            level: Level::default(),
            queue_size: NonZeroUsize::MIN.saturating_add(65_535),
            queue_bytes: 64 << 20,
            queue_overflow: Overflow::default(),
            max_age: None,
            retry_first: Duration::from_millis(200),
            retry_longest: Duration::from_secs(60),
            retry_attempts: None,
            dead_letters: None,
        }
    }
}

/// What is promised of events that were taken (`delivery`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Level {
    /// They wait in memory.
    #[default]
    BestEffort,
    /// They wait on disk until they were handed to the target.
    Spool(Spool),
    /// They wait on disk until the target confirmed them.
    Acknowledged(Spool),
}

/// Where events wait on disk (`spool_…`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// A folder of its own.
    pub path: Vec<u8>,
    /// Bytes in it at most: 1 GiB.
    pub size: u64,
    /// When they are forced onto the disk: after a second.
    pub sync: Sync,
    /// What is dropped when it is full.
    pub overflow: Overflow,
}

/// What is dropped when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// What comes.
    #[default]
    DropNewest,
    /// What has waited longest.
    DropOldest,
}

/// What lets fewer events through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    /// Events a second in the long run (`rate_limit`); `None` for all.
    pub rate: Option<NonZeroU32>,
    /// Events at once, after a quiet time (`rate_burst`); by default those of
    /// a second.
    pub burst: Option<NonZeroU32>,
    /// One event in so many (`sample`); `None` for all.
    pub sample: Option<NonZeroU32>,
}
