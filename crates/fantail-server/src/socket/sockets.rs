//! Unix sockets with a path.
//!
//! A socket appears under its path with its owner and permissions. It replaces an
//! old socket only if no process accepts connections there.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use crate::socket::login_link::{self, LoginLink};

/// The path of a socket, its permissions and its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketAddress {
    pub(crate) path: PathBuf,
    /// The path by which clients know it, if that is another one.
    pub(crate) link: Option<PathBuf>,
    pub(crate) mode: u32,
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
}

/// A file: its device and inode.
type Identity = (u64, u64);

/// A bound socket; its path is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Bound {
    path: PathBuf,
    identity: Identity,
    link: Option<LoginLink>,
}

/// Binds a socket.
pub(crate) fn bind(address: &SocketAddress) -> io::Result<(UnixListener, Bound)> {
    if let Some(link) = &address.link {
        login_link::make_folders(link)?;
    }
    make_way(&address.path)?;
    let link = address.link.as_deref().map(LoginLink::make).transpose()?;
    let beside = beside(&address.path);
    let _ = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    let placed = put(address, &beside);
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    listener.set_nonblocking(true)?;
    let bound = Bound {
        path: address.path.clone(),
        identity: placed?,
        link,
    };
    Ok((listener, bound))
}

fn put(address: &SocketAddress, beside: &Path) -> io::Result<Identity> {
    if address.user.is_some() || address.group.is_some() {
        chown(beside, address.user, address.group)?;
    }
    fs::set_permissions(beside, fs::Permissions::from_mode(address.mode))?;
    let identity = identity(beside)?;
    fs::rename(beside, &address.path)?;
    Ok(identity)
}

/// The name of the socket in the same folder until it is complete.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Checks that the path is free, or has a socket that no process uses.
fn make_way(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !metadata.file_type().is_socket() {
        let what = "another file, not a socket, has this path";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    }
    match UnixStream::connect(path) {
        // Binding replaces it.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let what = "another process uses this socket";
            Err(io::Error::new(io::ErrorKind::AddrInUse, what))
        }
    }
}

impl Bound {
    /// Makes the link to it again if it was removed.
    pub(crate) fn mend_link(&self) -> io::Result<()> {
        self.link.as_ref().map_or(Ok(()), LoginLink::mend)
    }

    /// Whether its path was removed.
    pub(crate) fn vanished(&self) -> bool {
        fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(folder: &Path, name: &str) -> SocketAddress {
        SocketAddress {
            path: folder.join(name),
            link: None,
            mode: 0o620,
            user: None,
            group: None,
        }
    }

    fn error(address: &SocketAddress) -> String {
        bind(address).unwrap_err().to_string()
    }

    #[test]
    fn only_an_unused_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path(), "socket");
        let (listener, bound) = bind(&address).unwrap();
        let mode = fs::symlink_metadata(&address.path).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o620);
        assert_eq!(error(&address), "another process uses this socket");
        drop(listener);
        // The old socket is replaced, and its former owner does not remove it.
        let (_listener, _bound) = bind(&address).unwrap();
        drop(bound);
        assert!(UnixStream::connect(&address.path).is_ok());
        drop(_bound);
        assert!(!address.path.exists());
    }

    #[test]
    fn other_files_are_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path(), "file");
        fs::File::create(&address.path).unwrap();
        assert_eq!(error(&address), "another file, not a socket, has this path");
    }
}
