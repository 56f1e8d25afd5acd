//! Unix sockets with a path.
//!
//! A socket gets its path when it is complete, with its owner and permissions.
//! An existing socket is replaced only if it has no listener. Dovecot, or a
//! service manager, may remove all files of the folder: a socket without its
//! path is bound again.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

use crate::socket::{
    error::SocketError,
    login_link::{self, LoginLink},
    vacancy::check_path,
};

/// The path and the owner of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketAddress {
    pub(crate) path: PathBuf,
    /// The path that clients use, if it is a link to the socket.
    pub(crate) link: Option<PathBuf>,
    pub(crate) mode: u32,
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
}

/// The device and inode of a file.
type Identity = (u64, u64);

/// A bound socket; its path is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Bound {
    path: PathBuf,
    identity: Identity,
    link: Option<LoginLink>,
}

/// Checks that a socket can be bound, without changes.
pub(crate) fn check(address: &SocketAddress) -> Result<(), SocketError> {
    if let Some(link) = &address.link {
        login_link::check(link)?;
    }
    check_path(&address.path)
}

/// Binds a socket.
pub(crate) fn bind(address: &SocketAddress) -> Result<(UnixListener, Bound), SocketError> {
    if let Some(link) = &address.link {
        login_link::make_folders(link)?;
    }
    check_path(&address.path)?;
    let link = address.link.as_deref().map(LoginLink::make).transpose()?;
    let failed = |error| SocketError::system(&address.path, error);
    let beside = beside(&address.path);
    // A socket of a killed server; other files are not removed.
    check_path(&beside)?;
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(SocketError::system(&beside, error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&beside).map_err(failed)?;
    let identity = put(address, &beside);
    if identity.is_err() {
        let _ = fs::remove_file(&beside);
    }
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = Bound {
        path: address.path.clone(),
        identity: identity.map_err(failed)?,
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

/// Returns a name in the same folder, until the socket is complete.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

impl Bound {
    /// Creates the link again if it is missing.
    pub(crate) fn mend_link(&self) -> Result<(), SocketError> {
        self.link.as_ref().map_or(Ok(()), LoginLink::mend)
    }

    /// Returns whether the path no longer exists.
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
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::socket::error::SocketErrorKind;

    fn address(folder: &Path, name: &str) -> SocketAddress {
        SocketAddress {
            path: folder.join(name),
            link: None,
            mode: 0o620,
            user: None,
            group: None,
        }
    }

    #[track_caller]
    fn check_refused(address: &SocketAddress, path: &Path, kind: SocketErrorKind) {
        for refused in [check(address), bind(address).map(|_| ())] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind(), kind);
            let said = refused.to_string();
            let named = format!("cannot listen on {}: ", path.display());
            assert!(said.starts_with(&named), "{said}");
        }
    }

    #[test]
    fn only_a_socket_without_an_answer_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path(), "socket");
        let (listener, bound) = bind(&address).unwrap();
        let mode = fs::symlink_metadata(&address.path).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o620);
        check_refused(&address, &address.path, SocketErrorKind::Answered);
        drop(listener);
        // The old socket has no listener: it is replaced, and its former owner does
        // not remove the new one.
        let (_listener, _bound) = bind(&address).unwrap();
        drop(bound);
        assert!(UnixStream::connect(&address.path).is_ok());
        drop(_bound);
        assert!(!address.path.exists());
    }

    #[test]
    fn other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path(), "file");
        fs::File::create(&address.path).unwrap();
        check_refused(&address, &address.path, SocketErrorKind::NoSocket);
    }

    #[test]
    fn the_login_socket_that_dovecot_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("login/stats-writer");
        let address = SocketAddress {
            path: login_link::socket_of(&link),
            link: Some(link.clone()),
            ..address(folder.path(), "")
        };
        fs::create_dir(folder.path().join("login")).unwrap();
        let dovecots = UnixListener::bind(&link).unwrap();
        check_refused(&address, &link, SocketErrorKind::Answered);
        drop(dovecots);
        check(&address).unwrap();
        let (_listener, bound) = bind(&address).unwrap();
        assert!(UnixStream::connect(&link).is_ok());
        drop(bound);
        assert!(!link.is_symlink());
    }
}
