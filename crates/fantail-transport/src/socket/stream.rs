//! A connection that is opened when it is needed, and anew when it broke:
//! for transports that write into a stream socket.

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

/// How long a write may take before the connection is given up: longer than
/// a receiver that works sleeps, short enough to notice one that hangs.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A full backlog is looked at again after this time.
const BACKLOG_PAUSE: Duration = Duration::from_millis(5);

/// Where a stream leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamAddress {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
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
    /// A stream that is not connected yet.
    pub(crate) fn new(address: StreamAddress, connect_timeout: Option<Duration>) -> Self {
        Self {
            address,
            connect_timeout,
            connection: None,
        }
    }

    /// Writes all of it, connecting first if need be. If that fails, the
    /// connection is closed: part of it may have arrived.
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

    /// The next write connects anew.
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

/// Whether the other end has closed the connection: the first write into
/// such a TCP connection would succeed, and be lost.
fn is_closed(connection: BorrowedFd<'_>) -> bool {
    let mut byte = [0; 1];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match recv(connection, byte.as_mut_slice(), flags) {
        Ok((_, count)) => count == 0,
        Err(error) => error != rustix::io::Errno::AGAIN && error != rustix::io::Errno::INTR,
    }
}

/// Connecting to a Unix socket takes time only while its backlog is full.
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
        thread::sleep(BACKLOG_PAUSE);
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
