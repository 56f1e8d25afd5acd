//! `unix`: into a Unix socket.

use std::{path::PathBuf, time::Duration};

use crate::{
    Transport, TransportError,
    socket::datagram::{DatagramAddress, Datagrams},
    socket::stream::{Stream, StreamAddress},
};

/// A Unix socket to send payloads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixSettings {
    /// The socket.
    pub path: PathBuf,
    /// Whether it is a stream or takes datagrams.
    pub socket: UnixSocket,
    /// How long connecting to a stream may take; `None` for any time.
    /// Dovecot's default is 250 ms.
    pub connect_timeout: Option<Duration>,
}

/// A kind of socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnixSocket {
    /// One connection; each payload is followed by a LF, as in Dovecot 2.4.
    #[default]
    Stream,
    /// A datagram for each payload.
    Datagram,
}

/// Sends payloads into a Unix socket, and connects anew when it has to.
///
/// Nothing confirms what a socket took: what the receiver had not read when
/// it died is lost. A payload that was cut by the end of a connection is sent
/// again, whole, in the next.
#[derive(Debug)]
pub struct UnixTransport(Target);

#[derive(Debug)]
enum Target {
    Stream { stream: Stream, held: Vec<u8> },
    Datagram(Datagrams),
}

impl UnixTransport {
    /// A transport that connects with its first payload.
    #[must_use]
    pub fn new(settings: UnixSettings) -> Self {
        let path = settings.path;
        Self(match settings.socket {
            UnixSocket::Stream => Target::Stream {
                stream: Stream::new(StreamAddress::Unix(path), settings.connect_timeout),
                held: Vec::new(),
            },
            UnixSocket::Datagram => Target::Datagram(Datagrams::new(DatagramAddress::Unix(path))),
        })
    }
}

impl Transport for UnixTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        match &mut self.0 {
            Target::Stream { held, .. } => {
                held.extend_from_slice(payload);
                held.push(b'\n');
                Ok(())
            }
            Target::Datagram(datagrams) => datagrams.send(payload),
        }
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        match &mut self.0 {
            Target::Stream { stream, held } => {
                let written = stream.write(held);
                held.clear();
                written
            }
            Target::Datagram(_) => Ok(()),
        }
    }

    fn reopen(&mut self) -> Result<(), TransportError> {
        match &mut self.0 {
            Target::Stream { stream, .. } => stream.close(),
            Target::Datagram(datagrams) => datagrams.close(),
        }
        Ok(())
    }
}
