//! The table of extension settings: settings of exporters that Dovecot does
//! not have.
//!
//! Both dialects use these names in blocks; 2.4 has the prefix
//! `event_exporter_`, which may be left out as for any setting. `doveconf`
//! refuses them, so they belong in a file that only fantail reads.

use crate::schema::{Key, Row, Shape};

macro_rules! extensions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $shape:ident;)+) => {
        /// An extension setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Extension {
            $($(#[doc = $doc])+ $name,)+
        }

        /// The rows of 2.3.
        pub(crate) const ROWS_2_3: &[Row] = &[$(Row {
            name: $text,
            key: Key::Extension(Extension::$name),
            shape: Shape::$shape,
        },)+];

        /// The rows of 2.4.
        pub(crate) const ROWS_2_4: &[Row] = &[$(Row {
            name: concat!("event_exporter_", $text),
            key: Key::Extension(Extension::$name),
            shape: Shape::$shape,
        },)+];

        /// The names of all of them, as they stand in a block.
        pub const EXTENSIONS: &[&str] = &[$($text,)+];

        impl Extension {
            /// Its name in a block.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

extensions! {
    /// Which fields are written.
    FieldsAllow = "fields_allow", List;
    /// Which are not.
    FieldsDeny = "fields_deny", List;
    /// Which are hashed.
    FieldsHash = "fields_hash", List;
    /// With which secret.
    FieldsHashKey = "fields_hash_key", Value;
    /// Which are shortened, `field:bytes`.
    FieldsTruncate = "fields_truncate", List;
    /// Which become networks, `field:24:56`.
    FieldsNetwork = "fields_network", List;
    /// Whether ids are written.
    EventId = "event_id", Value;

    /// What is promised.
    Delivery = "delivery", Value;
    /// Events that wait in memory.
    QueueSize = "queue_size", Value;
    /// Their bytes.
    QueueBytes = "queue_bytes", Value;
    /// What is dropped when the memory is full.
    QueueOverflow = "queue_overflow", Value;
    /// How long an event may wait.
    MaxAge = "max_age", Value;
    /// The first wait after a failure.
    RetryFirst = "retry_first", Value;
    /// The longest.
    RetryLongest = "retry_longest", Value;
    /// How many failures in a row are enough.
    RetryAttempts = "retry_attempts", Value;
    /// Where events go that the target refuses for good.
    DeadLetterPath = "dead_letter_path", Value;
    /// The folder of the spool.
    SpoolPath = "spool_path", Value;
    /// Bytes of the spool.
    SpoolSize = "spool_size", Value;
    /// When the spool is forced onto the disk.
    SpoolSync = "spool_sync", Value;
    /// What is dropped when the spool is full.
    SpoolOverflow = "spool_overflow", Value;
    /// Events a second.
    RateLimit = "rate_limit", Value;
    /// Events at once.
    RateBurst = "rate_burst", Value;
    /// Exports one event in N.
    Sample = "sample", Value;

    /// What becomes of TABs.
    MessageTabs = "message_tabs", Value;
    /// The longest message.
    MessageMaxSize = "message_max_size", Value;
    /// Where syslog listens.
    SyslogAddress = "syslog_address", Value;
    /// How it is spoken to.
    SyslogProtocol = "syslog_protocol", Value;
    /// Which part of the system messages come from.
    SyslogFacility = "syslog_facility", Value;
    /// How urgent they are.
    SyslogSeverity = "syslog_severity", Value;
    /// The program's name in them.
    SyslogProgram = "syslog_program", Value;
    /// How long connecting by TCP may take.
    SyslogConnectTimeout = "syslog_connect_timeout", Value;
    /// The journal's socket.
    JournalPath = "journal_path", Value;
    /// Stream or datagrams.
    UnixSocket = "unix_socket", Value;
    /// Whether missing folders are made.
    FileCreateFolders = "file_create_folders", Value;
    /// The size at which a file is moved away.
    FileRotateSize = "file_rotate_size", Value;
    /// The age at which a file is moved away.
    FileRotateAge = "file_rotate_age", Value;
    /// How many old files are kept.
    FileKeep = "file_keep", Value;
    /// When a file is forced onto the disk.
    FileSync = "file_sync", Value;
    /// How events share requests.
    HttpBatch = "http_batch", Value;
    /// Events in a request.
    HttpBatchSize = "http_batch_size", Value;
    /// Their bytes.
    HttpBatchBytes = "http_batch_bytes", Value;
    /// The shortest time between requests that are not full.
    HttpBatchLinger = "http_batch_linger", Value;
    /// Whether bodies are compressed.
    HttpGzip = "http_gzip", Value;
    /// The file of a token.
    HttpTokenFile = "http_token_file", Value;
    /// The file of more headers.
    HttpHeadersFile = "http_headers_file", Value;
    /// The file of certificates to trust.
    HttpCaFile = "http_ca_file", Value;
}

impl From<Extension> for Key {
    fn from(extension: Extension) -> Self {
        Self::Extension(extension)
    }
}
