//! Non-blocking connections to Unix sockets.

use std::{io, os::unix::net::UnixStream, path::Path};

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
    sockopt::socket_peercred,
};

use super::PATIENCE;

/// A connection, and the process ID of the listener.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: UnixStream,
    pub(super) pid: u32,
}

/// Connects to a socket, without waiting for a process that does not accept.
///
/// # Errors
/// `ConnectionRefused` if no process listens; `WouldBlock` if the listener's queue is
/// full.
pub(super) fn to(path: &Path) -> io::Result<Connected> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let peer = socket_peercred(&socket)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let pid = u32::try_from(peer.pid.as_raw_pid()).unwrap_or_default();
    Ok(Connected { stream, pid })
}
