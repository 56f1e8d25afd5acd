//! From the settings of a target to a transport.

use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use fantail_config::{
    Exporter, FileOptions, HttpBatch as Batch, HttpOptions, Messages, Sync, Syslog,
    SyslogAddress as Address, Tabs as TabRule, Transport as Target,
};
use fantail_format::Format;
use fantail_transport::{
    DropTransport, Facility, FileSettings, FileTransport, HttpBatch, HttpSettings, HttpTransport,
    JOURNAL_SOCKET, JournalPayloads, JournalSettings, JournalTransport, LogTransport,
    MessageSettings, Rotation, Severity, SyslogAddress, SyslogPayloads, SyslogProtocol,
    SyslogSettings, SyslogTransport, Tabs, Transport, UnixSettings, UnixSocket, UnixTransport,
    spool::Fsync,
};

/// Opens the target of an exporter. Targets that connect do so with the first
/// event; `log` writes to standard error.
///
/// # Errors
/// A file or certificate cannot be opened.
pub fn transport(exporter: &Exporter, hostname: &[u8]) -> io::Result<Box<dyn Transport>> {
    let messages = messages(exporter.messages);
    Ok(match &exporter.transport {
        Target::Log => Box::new(LogTransport::on_standard_error(messages)),
        Target::Drop => Box::new(DropTransport),
        Target::File { path, options } => {
            let opened = FileTransport::with_settings(file(path, options));
            Box::new(opened.map_err(io::Error::other)?)
        }
        Target::Unix {
            path: socket,
            timeout,
            datagram,
        } => Box::new(UnixTransport::new(UnixSettings {
            path: path(socket).to_owned(),
            socket: if *datagram {
                UnixSocket::Datagram
            } else {
                UnixSocket::Stream
            },
            connect_timeout: *timeout,
        })),
        Target::HttpPost {
            url,
            timeout,
            options,
        } => {
            let settings = HttpSettings {
                timeout: *timeout,
                ..http(url, exporter.format, options)
            };
            Box::new(HttpTransport::new(settings).map_err(io::Error::other)?)
        }
        Target::Syslog(target) => {
            let mut settings = syslog(target, hostname);
            settings.messages.tabs = messages.tabs;
            settings.messages.longest = messages.longest.or(settings.messages.longest);
            if exporter.format == Format::StructuredData {
                settings.payloads = SyslogPayloads::Structured;
            }
            Box::new(SyslogTransport::new(settings))
        }
        Target::Journal { path: socket } => Box::new(JournalTransport::new(JournalSettings {
            path: socket
                .as_deref()
                .map_or_else(|| PathBuf::from(JOURNAL_SOCKET), |one| path(one).to_owned()),
            payloads: match exporter.format {
                Format::Journal => JournalPayloads::Entries,
                _ => JournalPayloads::Messages,
            },
        })),
        _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    })
}

/// Bytes of a configuration as a path.
pub(super) fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// When data is forced onto the disk.
pub(super) const fn fsync(sync: Sync) -> Fsync {
    match sync {
        Sync::Never => Fsync::Never,
        Sync::Interval(interval) => Fsync::Interval(interval),
        Sync::Always => Fsync::Always,
    }
}

fn messages(messages: Messages) -> MessageSettings {
    MessageSettings {
        tabs: match messages.tabs {
            TabRule::Keep => Tabs::Keep,
            TabRule::Escape => Tabs::Escape,
            TabRule::Replace => Tabs::Replace,
        },
        longest: messages
            .max_size
            .map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
    }
}

fn file(file: &[u8], options: &FileOptions) -> FileSettings {
    FileSettings {
        create_folders: options.create_folders,
        rotation: Rotation {
            bytes: options.rotate_size,
            age: options.rotate_age,
            keep: options.keep,
        },
        fsync: fsync(options.sync),
        ..FileSettings::new(path(file))
    }
}

fn http(url: &[u8], format: Format, options: &HttpOptions) -> HttpSettings {
    let file = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(|bytes| path(bytes).to_owned());
    // The configuration takes only ASCII for a URL.
    let url = String::from_utf8_lossy(url);
    HttpSettings {
        batch: match options.batch {
            Batch::None => HttpBatch::Single,
            Batch::Lines => HttpBatch::Lines,
            Batch::Array => HttpBatch::Array,
        },
        batch_payloads: options.batch_size,
        batch_bytes: usize::try_from(options.batch_bytes).unwrap_or(usize::MAX),
        batch_linger: options.batch_linger,
        gzip: options.gzip,
        token_file: file(&options.token_file),
        headers_file: file(&options.headers_file),
        ca_file: file(&options.ca_file),
        ..HttpSettings::new(url, format.content_type())
    }
}

fn syslog(target: &Syslog, hostname: &[u8]) -> SyslogSettings {
    let address = match &target.address {
        Address::Unix(socket) => SyslogAddress::Unix(path(socket).to_owned()),
        Address::Udp(host, port) => SyslogAddress::Udp {
            host: host.clone(),
            port: *port,
        },
        Address::Tcp(host, port) => SyslogAddress::Tcp {
            host: host.clone(),
            port: *port,
        },
    };
    SyslogSettings {
        protocol: if target.rfc5424 {
            SyslogProtocol::Rfc5424
        } else {
            SyslogProtocol::Rfc3164
        },
        facility: Facility::from_name(target.facility).unwrap_or(Facility::Mail),
        severity: Severity::from_name(target.severity).unwrap_or(Severity::Info),
        program: target.program.clone(),
        connect_timeout: target.timeout,
        ..SyslogSettings::new(address, hostname)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All names that the configuration takes mean something here.
    #[test]
    fn names_of_syslog() {
        let text = "event_exporter e {\n  format = none\n  transport = syslog\n  syslog_facility = FACILITY\n  syslog_severity = SEVERITY\n}\n";
        let load = |facility: &str, severity: &str| {
            let text = text.replace("FACILITY", facility);
            let text = text.replace("SEVERITY", severity);
            let loaded = fantail_config::load_text("x", text, &fantail_config::Options::default());
            match loaded.settings.exporters.first().map(|one| &one.transport) {
                Some(Target::Syslog(target)) => Some(syslog(target, b"mx1")),
                _ => None,
            }
        };
        for (name, facility) in Facility::NAMES {
            assert_eq!(load(name, "err").unwrap().facility, *facility);
        }
        for (name, severity) in Severity::NAMES {
            assert_eq!(load("local0", name).unwrap().severity, *severity);
        }
    }
}
