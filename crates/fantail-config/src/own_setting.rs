//! An exporter's settings that Dovecot does not have, as they take effect.
//!
//! One list for all that shows them: what counts, and whether it would without
//! being said. Dovecot's own settings are not in it.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use fantail_format::{KeyPattern, Mask};

use crate::{
    exporter_settings::{
        Delivery, Exporter, FileOptions, HttpBatch, HttpOptions, Level, Overflow, Spool, Sync,
        Syslog, SyslogAddress, Tabs, Transport,
    },
    extension::Extension,
};

/// Where the systemd journal listens.
const JOURNAL: &[u8] = b"/run/systemd/journal/socket";

/// The longest message of syslog, in bytes.
const SYSLOG_MESSAGE: u64 = 8 << 10;

/// Dovecot's default for all timeouts of exporters.
const TIMEOUT: Duration = Duration::from_millis(250);

/// One setting of an exporter that Dovecot does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSetting {
    /// Its name in a block; one of [`EXTENSIONS`](crate::EXTENSIONS).
    pub name: &'static str,
    /// What counts.
    pub value: OwnValue,
    /// Whether the same counts where the setting is not written.
    pub is_default: bool,
}

/// The value of an [`OwnSetting`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnValue {
    /// There is none: no limit, no file, for ever.
    None,
    /// `yes` or `no`.
    Switch(bool),
    /// How many.
    Number(u64),
    /// Bytes.
    Size(u64),
    /// How long.
    Interval(Duration),
    /// One of several words.
    Word(&'static str),
    /// A path, an address, a name.
    Text(Vec<u8>),
    /// Words.
    List(Vec<Vec<u8>>),
    /// What stands in a file, which is not told.
    ContentsOf(Vec<u8>),
}

impl Exporter {
    /// Its settings that Dovecot does not have. Those of other transports are
    /// left out, and those of a spool where there is none.
    #[must_use]
    pub fn own_settings(&self) -> Vec<OwnSetting> {
        let mut all = Gathered::default();
        match &self.transport {
            Transport::Log | Transport::Drop => {}
            Transport::HttpPost { options, .. } => all.http(options),
            Transport::File { options, .. } => all.file(options),
            Transport::Unix { datagram, .. } => {
                let word = if *datagram { "datagram" } else { "stream" };
                all.add(Extension::UnixSocket, word, "stream");
            }
            Transport::Syslog(syslog) => all.syslog(syslog),
            Transport::Journal { path } => {
                let socket = path.as_deref().unwrap_or(JOURNAL);
                all.push(Extension::JournalPath, socket, path.is_none());
            }
        }
        all.fields(self);
        all.add(Extension::EventId, self.event_id, false);
        all.messages(self);
        all.delivery(&self.delivery);
        let throttle = &self.throttle;
        all.add(Extension::RateLimit, throttle.rate, OwnValue::None);
        let burst = throttle.burst.or(throttle.rate);
        all.push(Extension::RateBurst, burst, throttle.burst.is_none());
        all.add(Extension::Sample, throttle.sample, OwnValue::None);
        all.0
    }
}

#[derive(Default)]
struct Gathered(Vec<OwnSetting>);

impl Gathered {
    fn add(&mut self, key: Extension, value: impl Into<OwnValue>, default: impl Into<OwnValue>) {
        let value = value.into();
        let is_default = value == default.into();
        self.push(key, value, is_default);
    }

    fn push(&mut self, key: Extension, value: impl Into<OwnValue>, is_default: bool) {
        self.0.push(OwnSetting {
            name: key.name(),
            value: value.into(),
            is_default,
        });
    }

    fn size(&mut self, key: Extension, bytes: u64, default: u64) {
        self.add(key, OwnValue::Size(bytes), OwnValue::Size(default));
    }

    fn http(&mut self, options: &HttpOptions) {
        let default = HttpOptions::default();
        let word = match options.batch {
            HttpBatch::None => "none",
            HttpBatch::Lines => "lines",
            HttpBatch::Array => "array",
        };
        self.add(Extension::HttpBatch, word, "none");
        self.add(
            Extension::HttpBatchSize,
            options.batch_size,
            default.batch_size,
        );
        let bytes = options.batch_bytes;
        self.size(Extension::HttpBatchBytes, bytes, default.batch_bytes);
        let linger = options.batch_linger;
        self.add(Extension::HttpBatchLinger, linger, default.batch_linger);
        self.add(Extension::HttpGzip, options.gzip, default.gzip);
        for (key, file) in [
            (Extension::HttpTokenFile, &options.token_file),
            (Extension::HttpHeadersFile, &options.headers_file),
            (Extension::HttpCaFile, &options.ca_file),
        ] {
            self.add(key, file.as_deref(), OwnValue::None);
        }
    }

    fn file(&mut self, options: &FileOptions) {
        let folders = options.create_folders;
        self.add(Extension::FileCreateFolders, folders, false);
        let size = options.rotate_size.map(OwnValue::Size);
        self.add(Extension::FileRotateSize, size, OwnValue::None);
        self.add(Extension::FileRotateAge, options.rotate_age, OwnValue::None);
        self.add(Extension::FileKeep, options.keep, 0);
        self.add(Extension::FileSync, options.sync, Sync::default());
    }

    fn syslog(&mut self, syslog: &Syslog) {
        let (address, usual) = match &syslog.address {
            SyslogAddress::Unix(path) => ([b"unix:", path.as_slice()].concat(), "rfc3164"),
            SyslogAddress::Udp(host, port) => (network("udp", host, *port), "rfc5424"),
            SyslogAddress::Tcp(host, port) => (network("tcp", host, *port), "rfc5424"),
        };
        let default = b"unix:/dev/log".as_slice();
        self.add(Extension::SyslogAddress, address.as_slice(), default);
        let protocol = if syslog.rfc5424 { "rfc5424" } else { "rfc3164" };
        self.add(Extension::SyslogProtocol, protocol, usual);
        self.add(Extension::SyslogFacility, syslog.facility, "mail");
        self.add(Extension::SyslogSeverity, syslog.severity, "info");
        let program = syslog.program.as_slice();
        self.add(Extension::SyslogProgram, program, b"fantail".as_slice());
        self.add(Extension::SyslogConnectTimeout, syslog.timeout, TIMEOUT);
    }

    fn fields(&mut self, exporter: &Exporter) {
        let rules = &exporter.rules;
        let names = |patterns: &[KeyPattern]| -> Vec<Vec<u8>> {
            let names = patterns.iter().map(KeyPattern::as_bytes);
            names.map(<[u8]>::to_vec).collect()
        };
        let (mut hashed, mut networks, mut truncated) = (Vec::new(), Vec::new(), Vec::new());
        for (pattern, mask) in &rules.masks {
            let name = pattern.as_bytes();
            match mask {
                Mask::Hash(_) => hashed.push(name.to_vec()),
                Mask::Network { v4, v6 } => {
                    networks.push([name, format!(":{v4}:{v6}").as_bytes()].concat());
                }
                Mask::Truncate(bytes) => {
                    truncated.push([name, format!(":{bytes}").as_bytes()].concat());
                }
            }
        }
        let secret = exporter.hash_key_file.clone().map(OwnValue::ContentsOf);
        for (key, value) in [
            (Extension::FieldsAllow, list(names(&rules.allow))),
            (Extension::FieldsDeny, list(names(&rules.deny))),
            (Extension::FieldsHash, list(hashed)),
            (Extension::FieldsHashKey, secret.into()),
            (Extension::FieldsNetwork, list(networks)),
            (Extension::FieldsTruncate, list(truncated)),
        ] {
            self.add(key, value, OwnValue::None);
        }
    }

    fn messages(&mut self, exporter: &Exporter) {
        let messages = &exporter.messages;
        let tabs = match messages.tabs {
            Tabs::Keep => "keep",
            Tabs::Escape => "escape",
            Tabs::Replace => "replace",
        };
        self.add(Extension::MessageTabs, tabs, "keep");
        let is_syslog = matches!(exporter.transport, Transport::Syslog(_));
        let usual = is_syslog.then_some(SYSLOG_MESSAGE);
        let longest = messages.max_size.or(usual).map(OwnValue::Size);
        let is_default = messages.max_size.is_none();
        self.push(Extension::MessageMaxSize, longest, is_default);
    }

    fn delivery(&mut self, delivery: &Delivery) {
        let default = Delivery::default();
        let (word, spool) = match &delivery.level {
            Level::BestEffort => ("best-effort", None),
            Level::Spool(spool) => ("spool", Some(spool)),
            Level::Acknowledged(spool) => ("acknowledged", Some(spool)),
        };
        self.add(Extension::Delivery, word, "best-effort");
        if let Some(spool) = spool {
            self.spool(spool);
        }
        self.add(
            Extension::QueueSize,
            delivery.queue_size,
            default.queue_size,
        );
        let bytes = delivery.queue_bytes;
        self.size(Extension::QueueBytes, bytes, default.queue_bytes);
        let overflow = delivery.queue_overflow;
        self.add(Extension::QueueOverflow, overflow, default.queue_overflow);
        self.add(Extension::MaxAge, delivery.max_age, OwnValue::None);
        let (first, longest) = (delivery.retry_first, delivery.retry_longest);
        self.add(Extension::RetryFirst, first, default.retry_first);
        self.add(Extension::RetryLongest, longest, default.retry_longest);
        let attempts = delivery.retry_attempts;
        self.add(Extension::RetryAttempts, attempts, OwnValue::None);
        let letters = delivery.dead_letters.as_deref();
        self.add(Extension::DeadLetterPath, letters, OwnValue::None);
    }

    fn spool(&mut self, spool: &Spool) {
        let path = spool.path.as_slice();
        self.add(Extension::SpoolPath, path, OwnValue::None);
        self.size(Extension::SpoolSize, spool.size, 1 << 30);
        let usual = Sync::Interval(Duration::from_secs(1));
        self.add(Extension::SpoolSync, spool.sync, usual);
        let overflow = Overflow::default();
        self.add(Extension::SpoolOverflow, spool.overflow, overflow);
    }
}

fn list(words: Vec<Vec<u8>>) -> OwnValue {
    if words.is_empty() {
        OwnValue::None
    } else {
        OwnValue::List(words)
    }
}

fn network(way: &str, host: &str, port: u16) -> Vec<u8> {
    let text = if host.contains(':') {
        format!("{way}:[{host}]:{port}")
    } else {
        format!("{way}:{host}:{port}")
    };
    text.into_bytes()
}

impl<T: Into<Self>> From<Option<T>> for OwnValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl From<bool> for OwnValue {
    fn from(on: bool) -> Self {
        Self::Switch(on)
    }
}

impl From<u32> for OwnValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<NonZeroU32> for OwnValue {
    fn from(number: NonZeroU32) -> Self {
        number.get().into()
    }
}

impl From<NonZeroUsize> for OwnValue {
    fn from(number: NonZeroUsize) -> Self {
        Self::Number(u64::try_from(number.get()).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for OwnValue {
    fn from(interval: Duration) -> Self {
        Self::Interval(interval)
    }
}

impl From<&'static str> for OwnValue {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<&[u8]> for OwnValue {
    fn from(text: &[u8]) -> Self {
        Self::Text(text.to_vec())
    }
}

impl From<Sync> for OwnValue {
    fn from(sync: Sync) -> Self {
        match sync {
            Sync::Never => Self::Word("never"),
            Sync::Always => Self::Word("always"),
            Sync::Interval(interval) => Self::Interval(interval),
        }
    }
}

impl From<Overflow> for OwnValue {
    fn from(overflow: Overflow) -> Self {
        Self::Word(match overflow {
            Overflow::DropNewest => "drop-newest",
            Overflow::DropOldest => "drop-oldest",
        })
    }
}
