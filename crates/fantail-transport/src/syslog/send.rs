//! Messages sent to a syslog receiver.

use super::{
    header::Header,
    settings::{SyslogAddress, SyslogPayloads, SyslogSettings},
};
use crate::{
    MessageSettings, SYSLOG_MESSAGE_BYTES, Shortened, Transport, TransportError,
    socket::datagram::{DatagramAddress, Datagrams},
    socket::stream::{Stream, StreamAddress},
    transport::message::Messages,
};

/// Sends each payload as a message to a syslog receiver.
///
/// The time of a message is the time of sending; the payload has the time of the
/// event. No message is confirmed: messages that a receiver had not read when it
/// ended are lost, and with UDP those that the network drops.
///
/// ```
/// use fantail_transport::{SyslogAddress, SyslogSettings, SyslogTransport, Transport as _};
///
/// let settings = SyslogSettings::new(SyslogAddress::Unix("/nonexistent/log".into()));
/// let mut transport = SyslogTransport::new(settings, b"host.example.org");
/// // Nothing is opened until the first message.
/// assert!(transport.send(b"login").is_err());
/// ```
#[derive(Debug)]
pub struct SyslogTransport {
    header: Header,
    payloads: SyslogPayloads,
    messages: Messages,
    target: Target,
    line: Vec<u8>,
}

#[derive(Debug)]
enum Target {
    Datagrams(Datagrams),
    /// Messages are preceded by their length (RFC 6587), so they may contain LF.
    Stream {
        stream: Stream,
        held: Vec<u8>,
    },
}

impl SyslogTransport {
    /// Returns a transport that connects with its first payload. Characters of
    /// the host name other than printable ASCII become `_`.
    #[must_use]
    pub fn new(settings: SyslogSettings, hostname: &[u8]) -> Self {
        Self::with_messages(settings, hostname, MessageSettings::default())
    }

    /// Returns a transport with rules for TABs and long messages. The length
    /// of a message includes its header, and is at most
    /// [`SYSLOG_MESSAGE_BYTES`] by default.
    #[must_use]
    pub fn with_messages(
        settings: SyslogSettings,
        hostname: &[u8],
        mut messages: MessageSettings,
    ) -> Self {
        messages.longest.get_or_insert(SYSLOG_MESSAGE_BYTES);
        let header = Header::new(&settings, hostname);
        let target = match settings.address {
            SyslogAddress::Unix(path) => {
                Target::Datagrams(Datagrams::new(DatagramAddress::Unix(path)))
            }
            SyslogAddress::Udp { host, port } => {
                Target::Datagrams(Datagrams::new(DatagramAddress::Udp { host, port }))
            }
            SyslogAddress::Tcp { host, port } => Target::Stream {
                stream: Stream::new(StreamAddress::Tcp { host, port }, settings.connect_timeout),
                held: Vec::new(),
            },
        };
        Self {
            header,
            payloads: settings.payloads,
            messages: Messages::new(messages),
            target,
            line: Vec::new(),
        }
    }

    /// Writes a message into the line.
    fn write(&mut self, payload: &[u8]) {
        self.line.clear();
        self.header.write(jiff::Timestamp::now(), &mut self.line);
        let (data, message) = match self.payloads {
            SyslogPayloads::Messages => (&b""[..], payload),
            SyslogPayloads::Structured => split_structured(payload),
        };
        if self.header.has_structured_data() {
            if data.is_empty() {
                self.line.push(b'-');
            } else if self.line.len() + data.len() > self.messages.longest() {
                // A part would be malformed.
                self.line.push(b'-');
                self.messages.count();
            } else {
                self.line.extend_from_slice(data);
            }
            self.line.push(b' ');
        }
        let used = self.line.len();
        self.messages.write(message, used, &mut self.line);
    }
}

impl Transport for SyslogTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.write(payload);
        match &mut self.target {
            Target::Datagrams(datagrams) => datagrams.send(&self.line),
            Target::Stream { held, .. } => {
                held.extend_from_slice(self.line.len().to_string().as_bytes());
                held.push(b' ');
                held.extend_from_slice(&self.line);
                Ok(())
            }
        }
    }

    fn shortened(&self) -> Shortened {
        self.messages.shortened().clone()
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        match &mut self.target {
            Target::Datagrams(_) => Ok(()),
            Target::Stream { stream, held } => {
                let written = stream.write(held);
                held.clear();
                written
            }
        }
    }

    fn reopen(&mut self) -> Result<(), TransportError> {
        match &mut self.target {
            Target::Datagrams(datagrams) => datagrams.close(),
            Target::Stream { stream, .. } => stream.close(),
        }
        Ok(())
    }
}

/// Splits a payload into its structured data and its message.
fn split_structured(payload: &[u8]) -> (&[u8], &[u8]) {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in payload.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b' ' if !quoted && at > 0 && payload.get(at - 1) == Some(&b']') => {
                let (data, message) = payload.split_at(at);
                return (data, message.split_at(1).1);
            }
            _ => {}
        }
    }
    (b"", payload)
}
