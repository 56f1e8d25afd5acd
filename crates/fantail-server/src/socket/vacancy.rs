//! Whether a path is free for a socket.

use std::{
    fs, io,
    os::unix::{fs::FileTypeExt, net::UnixStream},
    path::Path,
};

use crate::socket::error::{SocketError, SocketErrorKind};

/// Checks that under a path is nothing, or a socket on which nobody answers.
pub(crate) fn check_path(path: &Path) -> Result<(), SocketError> {
    let refused = |kind| Err(SocketError::new(path, kind));
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|error| SocketError::system(path, error))?,
    };
    if !metadata.file_type().is_socket() {
        return refused(SocketErrorKind::NoSocket);
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(SocketError::system(path, error)),
        Ok(_) => refused(SocketErrorKind::Answered),
    }
}
