//! A datagram socket that connects on demand and reconnects after an error.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs, UdpSocket},
    os::unix::net::UnixDatagram,
    path::PathBuf,
    time::Duration,
};

use rustix::io::Errno;

use crate::{Retry, TransportError, TransportErrorKind};

/// Time limit for a write to a full receiver.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Address of datagrams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DatagramAddress {
    Unix(PathBuf),
    #[cfg_attr(not(feature = "syslog"), allow(dead_code, reason = "of syslog"))]
    Udp {
        host: String,
        port: u16,
    },
}

/// A datagram socket that reconnects.
#[derive(Debug)]
pub(crate) struct Datagrams {
    address: DatagramAddress,
    socket: Option<Socket>,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixDatagram),
    Udp(UdpSocket),
}

impl Datagrams {
    /// Returns a socket that is not connected.
    pub(crate) fn new(address: DatagramAddress) -> Self {
        Self {
            address,
            socket: None,
        }
    }

    /// Sends one datagram. A datagram that is too long for the socket gets
    /// [`Retry::Never`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        let kept = self.socket.is_some();
        let socket = match self.socket.as_mut() {
            Some(socket) => socket,
            None => self.socket.insert(self.connect()?),
        };
        let sent = match socket {
            Socket::Unix(socket) => socket.send(bytes),
            Socket::Udp(socket) => socket.send(bytes),
        };
        sent.map(drop).map_err(|error| {
            let too_long = error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error());
            if too_long {
                return TransportError::writing(error).with_retry(Retry::Never);
            }
            self.socket = None;
            let retry = if kept { Retry::Now } else { Retry::Backoff };
            TransportError::writing(error).with_retry(retry)
        })
    }

    /// Returns the connected Unix socket.
    #[cfg(feature = "journal")]
    pub(crate) fn unix(&mut self) -> Result<Option<&UnixDatagram>, TransportError> {
        if self.socket.is_none() {
            self.socket = Some(self.connect()?);
        }
        Ok(match &self.socket {
            Some(Socket::Unix(socket)) => Some(socket),
            _ => None,
        })
    }

    /// Closes the socket; the next datagram connects again.
    pub(crate) fn close(&mut self) {
        self.socket = None;
    }

    fn connect(&self) -> Result<Socket, TransportError> {
        let opened = match &self.address {
            DatagramAddress::Unix(path) => UnixDatagram::unbound().and_then(|socket| {
                socket.connect(path)?;
                socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
                Ok(Socket::Unix(socket))
            }),
            DatagramAddress::Udp { host, port } => {
                let addresses = (host.as_str(), *port).to_socket_addrs();
                addresses.and_then(|addresses| connect_udp(addresses).map(Socket::Udp))
            }
        };
        opened.map_err(|error| TransportError::new(TransportErrorKind::Connect, error))
    }
}

fn connect_udp(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<UdpSocket> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        let local: SocketAddr = match address {
            SocketAddr::V4(_) => ([0; 4], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        let connected = UdpSocket::bind(local).and_then(|socket| {
            socket.connect(address)?;
            Ok(socket)
        });
        match connected {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
