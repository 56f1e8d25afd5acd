//! The transport `log`: lines as Dovecot's stats process logs them.

use std::path::{Path, PathBuf};

use super::{LogSettings, LogTarget, LogTransport, stream::LogStream};
use crate::{
    Batch, BatchLimits, Delivery, FileSettings, FileTransport, MessageSettings, Payloads,
    Shortened, SyslogAddress, SyslogProtocol, SyslogSettings, SyslogSeverity, SyslogTransport,
    Transport, TransportError, local_time::LocalClock, transport::message::Messages,
};

/// The socket of the local syslog receiver.
const SYSLOG_SOCKET: &str = "/dev/log";

/// Writes payloads where Dovecot logs, in the format of its stats process.
///
/// In files and on standard error, a line is `Nov 30 14:18:14 stats: Info: ` and
/// the payload; the time is local, in the format of `log_timestamp`. A syslog
/// message is `stats: ` and the payload.
#[derive(Debug)]
pub struct DovecotLog {
    target: Box<dyn LogTargetTransport>,
    prefix: Prefix,
    messages: Messages,
    /// Payloads with their prefix.
    lines: Batch,
    line: Vec<u8>,
}

/// A transport that can be shown.
trait LogTargetTransport: Transport + std::fmt::Debug {}

impl<T: Transport + std::fmt::Debug> LogTargetTransport for T {}

#[derive(Debug)]
enum Prefix {
    Syslog,
    Line(LocalClock),
}

impl DovecotLog {
    /// Returns a transport that opens its target with
    /// [`open_target`](Transport::open_target) or the first payload.
    #[must_use]
    pub fn new(settings: LogSettings, messages: MessageSettings) -> Self {
        Self::with_socket(settings, messages, SYSLOG_SOCKET.into())
    }

    fn with_socket(settings: LogSettings, messages: MessageSettings, socket: PathBuf) -> Self {
        let clock = LocalClock::new(settings.timestamp);
        let (target, prefix): (Box<dyn LogTargetTransport>, _) = match settings.target {
            LogTarget::Syslog => {
                let address = SyslogAddress::Unix(socket);
                let syslog = SyslogSettings {
                    protocol: SyslogProtocol::Rfc3164,
                    facility: settings.facility,
                    severity: SyslogSeverity::Info,
                    program: settings.program.into_bytes(),
                    process_id: false,
                    ..SyslogSettings::new(address)
                };
                (Box::new(SyslogTransport::new(syslog, b"")), Prefix::Syslog)
            }
            LogTarget::StandardError => {
                let log = LogTransport::on(LogStream::standard_error());
                (Box::new(log), Prefix::Line(clock))
            }
            LogTarget::File(path) if is_stream(&path) => {
                let log = LogTransport::on(LogStream::file(path));
                (Box::new(log), Prefix::Line(clock))
            }
            LogTarget::File(path) => {
                let file = FileTransport::following_links(FileSettings::new(path));
                (Box::new(file), Prefix::Line(clock))
            }
        };
        Self {
            target,
            prefix,
            messages: Messages::new(messages),
            lines: Batch::new(),
            line: Vec::new(),
        }
    }

    /// Writes a payload with its prefix into the line.
    fn write(&mut self, payload: &[u8]) {
        self.line.clear();
        match &mut self.prefix {
            Prefix::Syslog => self.line.extend_from_slice(b"stats: "),
            Prefix::Line(clock) => {
                self.line.extend_from_slice(clock.now());
                self.line.extend_from_slice(b"stats: Info: ");
            }
        }
        self.messages.write(payload, 0, &mut self.line);
    }
}

/// Returns whether a path is that of a device or an open file of a process, such
/// as `/dev/stdout` or `/proc/1/fd/2` of a container.
fn is_stream(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

impl Transport for DovecotLog {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.write(payload);
        self.target.send(&self.line)
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        self.target.flush()
    }

    fn shortened(&self) -> Shortened {
        self.messages.shortened().clone()
    }

    fn batch_limits(&self) -> BatchLimits {
        self.target.batch_limits()
    }

    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        self.lines.clear();
        for payload in payloads.iter() {
            self.write(payload);
            self.lines.push(&self.line);
        }
        self.target.deliver(self.lines.payloads())
    }

    fn open_target(&mut self) -> Result<(), TransportError> {
        self.target.open_target()
    }

    fn reopen(&mut self) -> Result<(), TransportError> {
        self.target.reopen()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read as _, os::unix::net::UnixDatagram};

    use super::*;
    use crate::{Facility, Tabs};

    fn log(target: LogTarget, socket: &Path) -> DovecotLog {
        let settings = LogSettings {
            target,
            timestamp: "then ".to_owned(),
            facility: Facility::Local3,
            program: "foo".to_owned(),
        };
        let messages = MessageSettings {
            tabs: Tabs::Replace,
            longest: Some(5),
        };
        DovecotLog::with_socket(settings, messages, socket.to_owned())
    }

    fn deliver(mut log: DovecotLog) {
        let mut batch = Batch::new();
        batch.push(b"a\tb");
        batch.push(b"longer");
        log.open_target().unwrap();
        assert_eq!(log.deliver(batch.payloads()).settled(), 2);
        log.send(b"c").unwrap();
        log.flush().unwrap();
        assert_eq!(log.shortened().get(), 1);
    }

    const LINES: &str = "then stats: Info: a b\nthen stats: Info: lo...\nthen stats: Info: c\n";

    #[test]
    fn files_get_lines_of_the_stats_process_also_behind_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("log"), folder.path().join("link"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        deliver(log(LogTarget::File(link), folder.path()));
        let mut text = String::new();
        let mut file = fs::File::open(path).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, LINES);
    }

    /// The headers are those of Dovecot 2.3.19 with these settings, but for the
    /// time.
    #[test]
    fn syslog_gets_messages_of_the_stats_process() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let receiver = UnixDatagram::bind(&socket).unwrap();
        deliver(log(LogTarget::Syslog, &socket));
        for payload in ["a b", "lo...", "c"] {
            let mut message = [0; 200];
            let length = receiver.recv(&mut message).unwrap();
            let message = String::from_utf8_lossy(&message[..length]).into_owned();
            assert_eq!(&message[..5], "<158>");
            assert_eq!(message[20..], format!(" foo: stats: {payload}"));
        }
    }

    #[test]
    fn devices_are_written_to_as_streams() {
        let nowhere = Path::new("/nonexistent");
        let mut full = log(LogTarget::File("/dev/full".into()), nowhere);
        let error = full.send(b"a").unwrap_err();
        assert!(error.to_string().starts_with("cannot write to"), "{error}");
        deliver(log(LogTarget::File("/dev/null".into()), nowhere));
    }
}
