//! Connections to Unix sockets that never wait.

use std::{io, os::unix::net::UnixStream, path::Path};

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
    sockopt::socket_peercred,
};

use super::PATIENCE;

/// A connection, and the process that listens.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: UnixStream,
    pub(super) pid: u32,
}

/// Connects, without waiting for a process that does not accept.
///
/// # Errors
/// `ConnectionRefused`: no process listens; `WouldBlock`: one does, and its queue is
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
