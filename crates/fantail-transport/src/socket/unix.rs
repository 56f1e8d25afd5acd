//! The transport `unix`: a Unix socket.

use std::{path::PathBuf, time::Duration};

use crate::{
    Transport, TransportError,
    socket::datagram::{DatagramAddress, Datagrams},
    socket::stream::{Stream, StreamAddress},
};

/// Settings of the transport `unix`.
///
/// ```
/// use std::{io::Read as _, os::unix::net::UnixListener};
///
/// use fantail_transport::{Transport as _, UnixSettings, UnixSocket, UnixTransport};
///
/// let path = std::env::temp_dir().join(format!("fantail-unix-{}", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// let mut transport = UnixTransport::new(UnixSettings {
///     path: path.clone(),
///     socket: UnixSocket::Stream,
///     connect_timeout: None,
/// });
/// transport.send(b"login")?;
/// transport.flush()?;
/// drop(transport);
///
/// let mut text = String::new();
/// listener.accept()?.0.read_to_string(&mut text)?;
/// assert_eq!(text, "login\n");
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixSettings {
    /// Path of the socket.
    pub path: PathBuf,
    /// Kind of the socket.
    pub socket: UnixSocket,
    /// Time limit for connecting to a stream; `None` for no limit. Dovecot's
    /// default is 250 ms.
    pub connect_timeout: Option<Duration>,
}

/// Kind of a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnixSocket {
    /// One connection; each payload is followed by a LF, as in Dovecot 2.4.
    #[default]
    Stream,
    /// One datagram per payload.
    Datagram,
}

/// Sends payloads to a Unix socket, and reconnects after an error.
///
/// A socket confirms nothing: payloads that the receiver had not read when it
/// ended are lost. A payload that the end of a connection cut off is sent again
/// whole in the next connection.
#[derive(Debug)]
pub struct UnixTransport(Target);

#[derive(Debug)]
enum Target {
    Stream { stream: Stream, held: Vec<u8> },
    Datagram(Datagrams),
}

impl UnixTransport {
    /// Returns a transport that connects with its first payload.
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
