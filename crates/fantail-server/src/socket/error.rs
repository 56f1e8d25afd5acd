//! Why a server cannot listen.

use std::{
    error::Error,
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// A socket cannot be bound.
#[derive(Debug)]
pub(crate) struct SocketError {
    address: Address,
    kind: SocketErrorKind,
    source: Option<io::Error>,
}

/// The kind of a [`SocketError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum SocketErrorKind {
    /// Another process answers on it.
    Answered,
    /// Under the path is something other than a socket.
    NoSocket,
    /// The system refuses.
    System,
}

#[derive(Debug)]
enum Address {
    Path(PathBuf),
    Tcp(SocketAddr),
}

impl SocketError {
    pub(crate) fn new(path: &Path, kind: SocketErrorKind) -> Self {
        Self {
            address: Address::Path(path.to_owned()),
            kind,
            source: None,
        }
    }

    /// The system refuses a Unix socket.
    pub(crate) fn system(path: &Path, source: io::Error) -> Self {
        Self {
            address: Address::Path(path.to_owned()),
            kind: SocketErrorKind::System,
            source: Some(source),
        }
    }

    /// The system refuses an address.
    pub(crate) fn tcp(address: SocketAddr, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::AddrInUse => SocketErrorKind::Answered,
            _ => SocketErrorKind::System,
        };
        Self {
            address: Address::Tcp(address),
            kind,
            source: Some(source),
        }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> SocketErrorKind {
        self.kind
    }

    /// Returns whether the folder, or the file, does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Path(path) => write!(f, "cannot listen on {}: ", path.display())?,
            Address::Tcp(address) => write!(f, "cannot listen on {address}: ")?,
        }
        match (&self.address, self.kind, &self.source) {
            (Address::Path(_), SocketErrorKind::Answered, _) => f.write_str(
                "another process answers there; if it is Dovecot's stats process, set `mode = 0` \
                 for this listener in `service stats` of Dovecot's configuration, and restart \
                 Dovecot",
            ),
            (Address::Tcp(_), SocketErrorKind::Answered, _) => f.write_str(
                "another process listens there; if it is Dovecot's stats process, remove \
                 `inet_listener http` from `service stats` of Dovecot's configuration and restart \
                 Dovecot, or choose another port with `--http`",
            ),
            (_, SocketErrorKind::NoSocket, _) => {
                f.write_str("a file that is no socket is there already; remove it")
            }
            (_, _, Some(error)) => write!(f, "{error}"),
            (_, _, None) => f.write_str("the system refuses it"),
        }
    }
}

impl Error for SocketError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref();
        source.map(|error| error as &(dyn Error + 'static))
    }
}
