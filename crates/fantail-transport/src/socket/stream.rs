//! A stream socket that connects on demand and reconnects after an error.

use std::{
    io::{self, Write},
    net::{TcpStream, ToSocketAddrs},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, socket_with,
};

use crate::{Retry, TransportError, TransportErrorKind};

/// Time limit for a write: longer than a working receiver pauses, short enough
/// to notice one that hangs.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Delay before connecting again to a socket with a full backlog.
const BACKLOG_RETRY_DELAY: Duration = Duration::from_millis(5);

/// Address of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamAddress {
    Unix(PathBuf),
    #[cfg_attr(not(feature = "syslog"), allow(dead_code, reason = "of syslog"))]
    Tcp {
        host: String,
        port: u16,
    },
}

/// A stream that reconnects.
#[derive(Debug)]
pub(crate) struct Stream {
    address: StreamAddress,
    connect_timeout: Option<Duration>,
    connection: Option<Connection>,
}

#[derive(Debug)]
enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// Returns a stream that is not connected.
    pub(crate) fn new(address: StreamAddress, connect_timeout: Option<Duration>) -> Self {
        Self {
            address,
            connect_timeout,
            connection: None,
        }
    }

    /// Writes all bytes, after connecting if necessary. An error closes the
    /// connection; a part of the bytes may have arrived.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.connection
            .take_if(|connection| is_closed(connection.as_fd()));
        let kept = self.connection.is_some();
        let connection = match self.connection.as_mut() {
            Some(connection) => connection,
            None => self.connection.insert(self.connect()?),
        };
        connection.write_all(bytes).map_err(|error| {
            self.connection = None;
            let retry = if kept { Retry::Now } else { Retry::Backoff };
            TransportError::writing(error).with_retry(retry)
        })
    }

    /// Closes the stream; the next write connects again.
    pub(crate) fn close(&mut self) {
        self.connection = None;
    }

    fn connect(&self) -> Result<Connection, TransportError> {
        let opened = match &self.address {
            StreamAddress::Unix(path) => {
                connect_unix(path, self.connect_timeout).map(Connection::Unix)
            }
            StreamAddress::Tcp { host, port } => {
                connect_tcp(host, *port, self.connect_timeout).map(Connection::Tcp)
            }
        };
        opened.map_err(|error| TransportError::new(TransportErrorKind::Connect, error))
    }
}

impl Connection {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }
}

/// Returns whether the peer has closed the connection. The first write to such a
/// TCP connection would succeed and be lost.
fn is_closed(connection: BorrowedFd<'_>) -> bool {
    let mut byte = [0; 1];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match recv(connection, byte.as_mut_slice(), flags) {
        Ok((_, count)) => count == 0,
        Err(error) => error != rustix::io::Errno::AGAIN && error != rustix::io::Errno::INTR,
    }
}

/// Connects to a Unix socket, which takes time only while its backlog is full.
fn connect_unix(path: &Path, timeout: Option<Duration>) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    while let Err(error) = connect(&socket, &address) {
        if error != rustix::io::Errno::AGAIN && error != rustix::io::Errno::INTR {
            return Err(error.into());
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(BACKLOG_RETRY_DELAY);
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    Ok(stream)
}

fn connect_tcp(host: &str, port: u16, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        let connected = match timeout {
            Some(timeout) => TcpStream::connect_timeout(&address, timeout),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => {
                stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
