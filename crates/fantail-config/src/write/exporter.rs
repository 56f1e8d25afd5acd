//! One exporter, back to text.

use std::time::Duration;

use fantail_event::Dialect;
use fantail_format::{KeyPattern, Mask, TimeStyle};

use super::Block;
use crate::{
    exporter_settings::{
        Delivery, Exporter, FileOptions, HttpBatch, HttpOptions, Level, Overflow, Spool, Sync,
        Syslog, SyslogAddress, Tabs, Transport,
    },
    extension::Extension,
    size,
};

/// `None` in these stands for a default, which is not written.
impl Block<'_> {
    /// Writes one `event_exporter` self.
    pub(super) fn exporter(&mut self, exporter: &Exporter, dialect: Dialect) {
        self.open(b"event_exporter", &exporter.name);
        self.set("format", exporter.format.name().as_bytes());
        match (dialect, exporter.time_style) {
            (Dialect::V2_3, TimeStyle::Rfc3339) => self.set("format_args", b"time-rfc3339"),
            (Dialect::V2_3, TimeStyle::Unix) => self.set("format_args", b"time-unix"),
            (Dialect::V2_4, TimeStyle::Rfc3339) => {}
            (Dialect::V2_4, TimeStyle::Unix) => self.set("time_format", b"unix"),
        }
        self.transport(&exporter.transport, dialect);
        self.rules(exporter);
        self.choice(Extension::EventId, exporter.event_id.then_some("yes"));
        self.choice(
            Extension::MessageTabs,
            match exporter.messages.tabs {
                Tabs::Keep => None,
                Tabs::Escape => Some("escape"),
                Tabs::Replace => Some("replace"),
            },
        );
        self.size(Extension::MessageMaxSize, exporter.messages.max_size);
        self.delivery(&exporter.delivery);
        let throttle = &exporter.throttle;
        for (key, number) in [
            (Extension::RateLimit, throttle.rate),
            (Extension::RateBurst, throttle.burst),
            (Extension::Sample, throttle.sample),
        ] {
            self.number(key, number);
        }
        self.close();
    }

    fn extension(&mut self, key: Extension, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.set(key.name(), value);
        }
    }

    fn choice(&mut self, key: Extension, value: Option<&str>) {
        self.extension(key, value.map(str::as_bytes));
    }

    fn number(&mut self, key: Extension, number: Option<impl ToString>) {
        let text = number.map(|number| number.to_string());
        self.choice(key, text.as_deref());
    }

    fn size(&mut self, key: Extension, bytes: Option<u64>) {
        self.number(key, bytes.map(size::write));
    }

    fn interval(&mut self, key: Extension, interval: Option<Duration>) {
        self.number(key, interval.map(milliseconds));
    }

    fn sync(&mut self, key: Extension, sync: Sync) {
        match sync {
            Sync::Never => self.choice(key, Some("never")),
            Sync::Always => self.choice(key, Some("always")),
            Sync::Interval(interval) => self.interval(key, Some(interval)),
        }
    }

    fn overflow(&mut self, key: Extension, overflow: Overflow) {
        let oldest = overflow == Overflow::DropOldest;
        self.choice(key, oldest.then_some("drop-oldest"));
    }

    fn transport(&mut self, transport: &Transport, dialect: Dialect) {
        let key = match dialect {
            Dialect::V2_3 => "transport",
            Dialect::V2_4 => "driver",
        };
        match transport {
            Transport::Log => self.set(key, b"log"),
            Transport::Drop => self.set(key, b"drop"),
            Transport::HttpPost {
                url,
                timeout,
                options,
            } => {
                self.set(key, b"http-post");
                let (url_key, timeout_key) = match dialect {
                    Dialect::V2_3 => ("transport_args", "transport_timeout"),
                    Dialect::V2_4 => ("http_post_url", "http_client_request_absolute_timeout"),
                };
                self.set(url_key, url);
                self.timeout(timeout_key, *timeout);
                self.http(options);
            }
            Transport::File { path, options } => {
                self.set(key, b"file");
                self.set("file_path", path);
                self.file(options);
            }
            Transport::Unix {
                path,
                timeout,
                datagram,
            } => {
                self.set(key, b"unix");
                self.set("unix_path", path);
                self.timeout("unix_connect_timeout", *timeout);
                self.choice(Extension::UnixSocket, datagram.then_some("datagram"));
            }
            Transport::Syslog(syslog) => {
                self.set(key, b"syslog");
                self.syslog(syslog);
            }
            Transport::Journal { path } => {
                self.set(key, b"journal");
                self.extension(Extension::JournalPath, path.as_deref());
            }
        }
    }

    fn http(&mut self, options: &HttpOptions) {
        let default = HttpOptions::default();
        self.choice(
            Extension::HttpBatch,
            match options.batch {
                HttpBatch::None => None,
                HttpBatch::Lines => Some("lines"),
                HttpBatch::Array => Some("array"),
            },
        );
        let size = other(options.batch_size, &default.batch_size);
        self.number(Extension::HttpBatchSize, size);
        let bytes = other(options.batch_bytes, &default.batch_bytes);
        self.size(Extension::HttpBatchBytes, bytes);
        let linger = other(options.batch_linger, &default.batch_linger);
        self.interval(Extension::HttpBatchLinger, linger);
        self.choice(Extension::HttpGzip, options.gzip.then_some("yes"));
        for (key, file) in [
            (Extension::HttpTokenFile, &options.token_file),
            (Extension::HttpHeadersFile, &options.headers_file),
            (Extension::HttpCaFile, &options.ca_file),
        ] {
            self.extension(key, file.as_deref());
        }
    }

    fn file(&mut self, options: &FileOptions) {
        let folders = options.create_folders.then_some("yes");
        self.choice(Extension::FileCreateFolders, folders);
        self.size(Extension::FileRotateSize, options.rotate_size);
        self.interval(Extension::FileRotateAge, options.rotate_age);
        self.number(Extension::FileKeep, other(options.keep, &0));
        if options.sync != Sync::default() {
            self.sync(Extension::FileSync, options.sync);
        }
    }

    fn syslog(&mut self, syslog: &Syslog) {
        let address = match &syslog.address {
            SyslogAddress::Unix(path) => [b"unix:", path.as_slice()].concat(),
            SyslogAddress::Udp(host, port) => network("udp", host, *port),
            SyslogAddress::Tcp(host, port) => network("tcp", host, *port),
        };
        self.extension(Extension::SyslogAddress, Some(&address));
        let protocol = if syslog.rfc5424 { "rfc5424" } else { "rfc3164" };
        self.choice(Extension::SyslogProtocol, Some(protocol));
        self.choice(Extension::SyslogFacility, other(syslog.facility, &"mail"));
        self.choice(Extension::SyslogSeverity, other(syslog.severity, &"info"));
        let program = other(syslog.program.as_slice(), &b"fantail".as_slice());
        self.extension(Extension::SyslogProgram, program);
        self.timeout(Extension::SyslogConnectTimeout.name(), syslog.timeout);
    }

    fn rules(&mut self, exporter: &Exporter) {
        let rules = &exporter.rules;
        let names = |patterns: &[KeyPattern]| -> Vec<Vec<u8>> {
            let names = patterns.iter().map(KeyPattern::as_bytes);
            names.map(<[u8]>::to_vec).collect()
        };
        self.list(Extension::FieldsAllow, &names(&rules.allow));
        self.list(Extension::FieldsDeny, &names(&rules.deny));
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
        self.list(Extension::FieldsHash, &hashed);
        if let Some(file) = &exporter.hash_key_file {
            self.file_value(Extension::FieldsHashKey.name(), file);
        }
        self.list(Extension::FieldsNetwork, &networks);
        self.list(Extension::FieldsTruncate, &truncated);
    }

    fn list(&mut self, key: Extension, words: &[Vec<u8>]) {
        let joined = words.join(&b' ');
        self.extension(key, (!words.is_empty()).then_some(&joined));
    }

    fn delivery(&mut self, delivery: &Delivery) {
        let default = Delivery::default();
        match &delivery.level {
            Level::BestEffort => {}
            Level::Spool(spool) => self.spool("spool", spool),
            Level::Acknowledged(spool) => self.spool("acknowledged", spool),
        }
        let size = other(delivery.queue_size, &default.queue_size);
        self.number(Extension::QueueSize, size);
        let bytes = other(delivery.queue_bytes, &default.queue_bytes);
        self.size(Extension::QueueBytes, bytes);
        self.overflow(Extension::QueueOverflow, delivery.queue_overflow);
        self.interval(Extension::MaxAge, delivery.max_age);
        let first = other(delivery.retry_first, &default.retry_first);
        self.interval(Extension::RetryFirst, first);
        let longest = other(delivery.retry_longest, &default.retry_longest);
        self.interval(Extension::RetryLongest, longest);
        self.number(Extension::RetryAttempts, delivery.retry_attempts);
        let letters = delivery.dead_letters.as_deref();
        self.extension(Extension::DeadLetterPath, letters);
    }

    fn spool(&mut self, level: &str, spool: &Spool) {
        self.choice(Extension::Delivery, Some(level));
        self.extension(Extension::SpoolPath, Some(&spool.path));
        self.size(Extension::SpoolSize, other(spool.size, &(1 << 30)));
        if spool.sync != Sync::Interval(Duration::from_secs(1)) {
            self.sync(Extension::SpoolSync, spool.sync);
        }
        self.overflow(Extension::SpoolOverflow, spool.overflow);
    }
}

/// A value that is not the default.
fn other<T: PartialEq>(value: T, default: &T) -> Option<T> {
    (value != *default).then_some(value)
}

fn milliseconds(interval: Duration) -> String {
    format!("{} ms", interval.as_millis())
}

fn network(way: &str, host: &str, port: u16) -> Vec<u8> {
    let text = if host.contains(':') {
        format!("{way}:[{host}]:{port}")
    } else {
        format!("{way}:{host}:{port}")
    };
    text.into_bytes()
}
