//! Checks that a path is free for a socket.

use std::{
    fs, io,
    os::{fd::AsRawFd as _, unix::fs::FileTypeExt},
    path::Path,
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket},
};

use crate::socket::error::{SocketError, SocketErrorKind};

/// Checks that a path does not exist, or is a socket without a listener.
pub(crate) fn check_path(path: &Path) -> Result<(), SocketError> {
    let refused = |kind| Err(SocketError::new(path, kind));
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|error| SocketError::system(path, error))?,
    };
    if !metadata.file_type().is_socket() {
        return refused(SocketErrorKind::NoSocket);
    }
    match try_connect(path) {
        Err(Errno::ECONNREFUSED) => Ok(()),
        // The queue of a process that does not accept is full.
        Ok(()) | Err(Errno::EAGAIN) => refused(SocketErrorKind::Answered),
        Err(error) => Err(SocketError::system(path, error.into())),
    }
}

/// Connects without waiting: the owner of a socket may not accept.
fn try_connect(path: &Path) -> nix::Result<()> {
    let (family, kind) = (AddressFamily::Unix, SockType::Stream);
    let client = socket(
        family,
        kind,
        SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    connect(client.as_raw_fd(), &UnixAddr::new(path)?)
}
