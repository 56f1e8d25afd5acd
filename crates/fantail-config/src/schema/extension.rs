//! The table of extension settings: settings of exporters that Dovecot does not
//! have.
//!
//! Both dialects use these names in blocks; in 2.4 they have the optional
//! prefix `event_exporter_`, like any setting. `doveconf` refuses them, so they
//! must be in a file that only fantail reads.

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

        /// The names of all extension settings of a block.
        pub const EXTENSIONS: &[&str] = &[$($text,)+];

        impl Extension {
            /// Returns the name in a block.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Returns what it is, for the page of settings.
            #[cfg(test)]
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }
        }
    };
}

extensions! {
    /// The fields that are written.
    FieldsAllow = "fields_allow", List;
    /// The fields that are not written.
    FieldsDeny = "fields_deny", List;
    /// The fields that are hashed.
    FieldsHash = "fields_hash", List;
    /// The secret of hashes.
    FieldsHashKey = "fields_hash_key", Value;
    /// The fields that are shortened, `field:bytes`.
    FieldsTruncate = "fields_truncate", List;
    /// The fields that are reduced to networks, `field:24:56`.
    FieldsNetwork = "fields_network", List;
    /// Whether ids are written.
    EventId = "event_id", Value;

    /// The delivery level.
    Delivery = "delivery", Value;
    /// The maximum number of events that wait in memory.
    QueueSize = "queue_size", Value;
    /// The maximum number of bytes that wait in memory.
    QueueBytes = "queue_bytes", Value;
    /// The events that are dropped when the memory is full.
    QueueOverflow = "queue_overflow", Value;
    /// The maximum time that an event waits.
    MaxAge = "max_age", Value;
    /// The first delay after a failure.
    RetryFirst = "retry_first", Value;
    /// The longest delay after failures.
    RetryLongest = "retry_longest", Value;
    /// The maximum number of failures in a row.
    RetryAttempts = "retry_attempts", Value;
    /// The file for events that the target refuses permanently.
    DeadLetterPath = "dead_letter_path", Value;
    /// The folder of the spool.
    SpoolPath = "spool_path", Value;
    /// The maximum number of bytes of the spool.
    SpoolSize = "spool_size", Value;
    /// The time when the spool is synchronised to the disk.
    SpoolSync = "spool_sync", Value;
    /// The events that are dropped when the spool is full.
    SpoolOverflow = "spool_overflow", Value;
    /// The maximum number of events a second.
    RateLimit = "rate_limit", Value;
    /// The maximum number of events at once.
    RateBurst = "rate_burst", Value;
    /// The sampling: one event in N.
    Sample = "sample", Value;

    /// The handling of TABs.
    MessageTabs = "message_tabs", Value;
    /// The maximum length of a message.
    MessageMaxSize = "message_max_size", Value;
    /// The address of syslog.
    SyslogAddress = "syslog_address", Value;
    /// The protocol of syslog.
    SyslogProtocol = "syslog_protocol", Value;
    /// The facility of messages.
    SyslogFacility = "syslog_facility", Value;
    /// The severity of messages.
    SyslogSeverity = "syslog_severity", Value;
    /// The program name in messages.
    SyslogProgram = "syslog_program", Value;
    /// The timeout of TCP connections.
    SyslogConnectTimeout = "syslog_connect_timeout", Value;
    /// The socket of the journal.
    JournalPath = "journal_path", Value;
    /// The type of the socket: stream or datagrams.
    UnixSocket = "unix_socket", Value;
    /// Whether missing folders are created.
    FileCreateFolders = "file_create_folders", Value;
    /// The owner of new files.
    FileUser = "file_user", Value;
    /// The group of new files.
    FileGroup = "file_group", Value;
    /// The permissions of new files.
    FileMode = "file_mode", Value;
    /// The size at which a file is rotated.
    FileRotateSize = "file_rotate_size", Value;
    /// The age at which a file is rotated.
    FileRotateAge = "file_rotate_age", Value;
    /// The number of rotated files that are kept.
    FileKeep = "file_keep", Value;
    /// The time when a file is synchronised to the disk.
    FileSync = "file_sync", Value;
    /// The form of several events in a request.
    HttpBatch = "http_batch", Value;
    /// The maximum number of events in a request.
    HttpBatchSize = "http_batch_size", Value;
    /// The maximum number of bytes in a request.
    HttpBatchBytes = "http_batch_bytes", Value;
    /// The minimum time between requests that are not full.
    HttpBatchLinger = "http_batch_linger", Value;
    /// Whether bodies are compressed.
    HttpGzip = "http_gzip", Value;
    /// The file with a token.
    HttpTokenFile = "http_token_file", Value;
    /// The file with further headers.
    HttpHeadersFile = "http_headers_file", Value;
    /// The file with trusted certificates.
    HttpCaFile = "http_ca_file", Value;
    /// The broker; required by `nats`.
    NatsUrl = "nats_url", Value;
    /// The cluster, whose hosts share a stream.
    NatsCluster = "nats_cluster", Value;
    /// The file with the credentials for the broker.
    NatsCredentialsFile = "nats_credentials_file", Value;
    /// The file with trusted certificates, besides those of the system.
    NatsCaFile = "nats_ca_file", Value;
}

impl From<Extension> for Key {
    fn from(extension: Extension) -> Self {
        Self::Extension(extension)
    }
}
