//! The extension settings of an exporter with their effective values.
//!
//! The JSON of a configuration and the writer use this list. It does not
//! contain Dovecot's own settings.

use std::{os::unix::ffi::OsStrExt as _, path::Path};

use fantail_format::{KeyPattern, Mask};
use fantail_transport::{
    DeliveryLevel, FileSettings, HttpBatch, HttpSettings, JOURNAL_SOCKET, NatsSettings,
    QueueSettings, SYSLOG_MESSAGE_BYTES, SpoolSettings, SyslogAddress, SyslogProtocol,
    SyslogSettings, Tabs, UnixSocket,
};

use crate::{
    schema::extension::Extension,
    settings::exporter::{Exporter, TransportSettings},
    settings::extension_value::{ExtensionValue, to_u64},
};

/// An extension setting of an exporter: a setting that Dovecot does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionSetting {
    /// The name in a block; one of [`EXTENSIONS`](crate::internal::EXTENSIONS).
    pub name: &'static str,
    /// The effective value.
    pub value: ExtensionValue,
    /// Whether it is the default.
    pub is_default: bool,
}

impl Exporter {
    /// Returns the extension settings of the exporter, without those of other
    /// transports, and without those of a spool if it has none.
    #[must_use]
    pub fn extension_settings(&self) -> Vec<ExtensionSetting> {
        let mut all = Gathered::default();
        match &self.transport {
            TransportSettings::Log(_) | TransportSettings::Drop => {}
            TransportSettings::HttpPost(settings) | TransportSettings::Otlp(settings) => {
                all.http(settings);
            }
            TransportSettings::File(settings) => all.file(settings),
            TransportSettings::Nats(settings) => all.nats(settings),
            TransportSettings::Unix(settings) => {
                let word = match settings.socket {
                    UnixSocket::Stream => "stream",
                    UnixSocket::Datagram => "datagram",
                };
                all.add(Extension::UnixSocket, word, "stream");
            }
            TransportSettings::Syslog(settings) => all.syslog(settings),
            TransportSettings::Journal(settings) => {
                let path = settings.path.as_deref();
                let socket = path.unwrap_or(Path::new(JOURNAL_SOCKET));
                all.push(Extension::JournalPath, socket, path.is_none());
            }
        }
        all.fields(self);
        all.add(Extension::EventId, self.event_id, false);
        all.messages(self);
        all.queue(&self.queue);
        let letters = self.dead_letters.as_deref();
        all.add(Extension::DeadLetterPath, letters, ExtensionValue::None);
        let throttle = &self.throttle;
        all.add(Extension::RateLimit, throttle.rate, ExtensionValue::None);
        let burst = throttle.burst.or(throttle.rate);
        all.push(Extension::RateBurst, burst, throttle.burst.is_none());
        all.add(Extension::Sample, throttle.sample, ExtensionValue::None);
        all.0
    }
}

#[derive(Default)]
struct Gathered(Vec<ExtensionSetting>);

impl Gathered {
    fn add(
        &mut self,
        key: Extension,
        value: impl Into<ExtensionValue>,
        default: impl Into<ExtensionValue>,
    ) {
        let value = value.into();
        let is_default = value == default.into();
        self.push(key, value, is_default);
    }

    fn push(&mut self, key: Extension, value: impl Into<ExtensionValue>, is_default: bool) {
        self.0.push(ExtensionSetting {
            name: key.name(),
            value: value.into(),
            is_default,
        });
    }

    fn size(&mut self, key: Extension, bytes: u64, default: u64) {
        self.add(
            key,
            ExtensionValue::Size(bytes),
            ExtensionValue::Size(default),
        );
    }

    fn memory(&mut self, key: Extension, bytes: usize, default: usize) {
        self.size(key, to_u64(bytes), to_u64(default));
    }

    fn http(&mut self, options: &HttpSettings) {
        let default = HttpSettings::new(String::new(), "");
        let word = match options.batch {
            HttpBatch::Single => Some("none"),
            HttpBatch::Lines => Some("lines"),
            HttpBatch::Array => Some("array"),
            // The only form of its requests.
            HttpBatch::Otlp => None,
        };
        if let Some(word) = word {
            self.add(Extension::HttpBatch, word, "none");
        }
        let payloads = options.batch_payloads.get();
        let default_payloads = default.batch_payloads.get();
        self.add(Extension::HttpBatchSize, payloads, default_payloads);
        let bytes = options.batch_bytes;
        self.memory(Extension::HttpBatchBytes, bytes, default.batch_bytes);
        let linger = options.batch_linger;
        self.add(Extension::HttpBatchLinger, linger, default.batch_linger);
        self.add(Extension::HttpGzip, options.gzip, default.gzip);
        for (key, file) in [
            (Extension::HttpTokenFile, &options.token_file),
            (Extension::HttpHeadersFile, &options.headers_file),
            (Extension::HttpCaFile, &options.ca_file),
        ] {
            self.add(key, file.as_deref(), ExtensionValue::None);
        }
    }

    fn file(&mut self, file: &FileSettings) {
        let default = FileSettings::new("");
        let folders = file.create_folders;
        self.add(
            Extension::FileCreateFolders,
            folders,
            default.create_folders,
        );
        for (key, name) in [
            (Extension::FileUser, &file.access.user),
            (Extension::FileGroup, &file.access.group),
        ] {
            let name = name.as_deref().map(str::as_bytes);
            self.add(key, name, ExtensionValue::None);
        }
        let (mode, usual) = (file.access.mode, default.access.mode);
        self.add(Extension::FileMode, octal(mode), octal(usual));
        let size = file.rotation.bytes.map(ExtensionValue::Size);
        self.add(Extension::FileRotateSize, size, ExtensionValue::None);
        self.add(
            Extension::FileRotateAge,
            file.rotation.age,
            ExtensionValue::None,
        );
        self.add(
            Extension::FileKeep,
            file.rotation.keep,
            default.rotation.keep,
        );
        self.add(Extension::FileSync, file.fsync, default.fsync);
    }

    fn nats(&mut self, nats: &NatsSettings) {
        let default = NatsSettings::new("");
        self.push(Extension::NatsUrl, nats.url.as_bytes(), false);
        let (cluster, usual) = (nats.cluster.as_slice(), default.cluster.as_slice());
        self.add(Extension::NatsCluster, cluster, usual);
        for (key, file) in [
            (Extension::NatsCredentialsFile, &nats.credentials_file),
            (Extension::NatsCaFile, &nats.ca_file),
        ] {
            self.add(key, file.as_deref(), ExtensionValue::None);
        }
    }

    fn syslog(&mut self, syslog: &SyslogSettings) {
        let default = SyslogSettings::new(syslog.address.clone());
        let address = match &syslog.address {
            SyslogAddress::Unix(path) => [b"unix:", path.as_os_str().as_bytes()].concat(),
            SyslogAddress::Udp { host, port } => network("udp", host, *port),
            SyslogAddress::Tcp { host, port } => network("tcp", host, *port),
        };
        let dev_log = b"unix:/dev/log".as_slice();
        self.add(Extension::SyslogAddress, address.as_slice(), dev_log);
        self.add(
            Extension::SyslogProtocol,
            protocol(syslog.protocol),
            protocol(default.protocol),
        );
        let (facility, severity) = (syslog.facility.name(), syslog.severity.name());
        self.add(Extension::SyslogFacility, facility, default.facility.name());
        self.add(Extension::SyslogSeverity, severity, default.severity.name());
        let program = syslog.program.as_slice();
        self.add(
            Extension::SyslogProgram,
            program,
            default.program.as_slice(),
        );
        let timeout = syslog.connect_timeout;
        self.add(
            Extension::SyslogConnectTimeout,
            timeout,
            default.connect_timeout,
        );
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
        let secret = exporter
            .hash_key_file
            .clone()
            .map(ExtensionValue::ContentsOf);
        for (key, value) in [
            (Extension::FieldsAllow, list(names(&rules.allow))),
            (Extension::FieldsDeny, list(names(&rules.deny))),
            (Extension::FieldsHash, list(hashed)),
            (Extension::FieldsHashKey, secret.into()),
            (Extension::FieldsNetwork, list(networks)),
            (Extension::FieldsTruncate, list(truncated)),
        ] {
            self.add(key, value, ExtensionValue::None);
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
        let is_syslog = matches!(exporter.transport, TransportSettings::Syslog(_));
        let default = is_syslog.then_some(SYSLOG_MESSAGE_BYTES);
        let longest = messages.longest.or(default);
        let longest = longest.map(|bytes| ExtensionValue::Size(to_u64(bytes)));
        let is_default = messages.longest.is_none();
        self.push(Extension::MessageMaxSize, longest, is_default);
    }

    fn queue(&mut self, queue: &QueueSettings) {
        let default = QueueSettings::default();
        let word = match &queue.level {
            DeliveryLevel::BestEffort => "best-effort",
            DeliveryLevel::Spool(_) => "spool",
            DeliveryLevel::Acknowledged(_) => "acknowledged",
        };
        self.add(Extension::Delivery, word, "best-effort");
        if let Some(spool) = queue.level.spool() {
            self.spool(spool);
        }
        self.add(Extension::QueueSize, queue.payloads, default.payloads);
        self.memory(Extension::QueueBytes, queue.bytes, default.bytes);
        self.add(Extension::QueueOverflow, queue.overflow, default.overflow);
        self.add(Extension::MaxAge, queue.max_age, default.max_age);
        let (retry, default) = (&queue.retry, &default.retry);
        self.add(Extension::RetryFirst, retry.first, default.first);
        self.add(Extension::RetryLongest, retry.longest, default.longest);
        self.add(Extension::RetryAttempts, retry.attempts, default.attempts);
    }

    fn spool(&mut self, spool: &SpoolSettings) {
        let default = SpoolSettings::new("");
        let folder = spool.folder.as_path();
        self.add(Extension::SpoolPath, folder, ExtensionValue::None);
        self.size(Extension::SpoolSize, spool.bytes, default.bytes);
        self.add(Extension::SpoolSync, spool.fsync, default.fsync);
        self.add(Extension::SpoolOverflow, spool.overflow, default.overflow);
    }
}

fn list(words: Vec<Vec<u8>>) -> ExtensionValue {
    if words.is_empty() {
        ExtensionValue::None
    } else {
        ExtensionValue::List(words)
    }
}

/// Returns permissions as a configuration has them.
fn octal(mode: u32) -> ExtensionValue {
    ExtensionValue::Text(format!("{mode:04o}").into_bytes())
}

const fn protocol(protocol: SyslogProtocol) -> &'static str {
    match protocol {
        SyslogProtocol::Rfc3164 => "rfc3164",
        SyslogProtocol::Rfc5424 => "rfc5424",
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
