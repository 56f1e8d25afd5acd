//! Unix sockets that others find by their path.
//!
//! A socket appears under its path complete, with its owner and permissions. An
//! existing socket is replaced only if it has no listener.
//! Dovecot, or a service manager, may empty the folder: a socket that vanished
//! is bound again.

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

/// Where a socket is to be, and who owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketAddress {
    pub(crate) path: PathBuf,
    /// The path under which it is known, if that is another one.
    pub(crate) link: Option<PathBuf>,
    pub(crate) mode: u32,
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
}

/// Device and inode of a file.
type Identity = (u64, u64);

/// A socket under its path; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Bound {
    path: PathBuf,
    identity: Identity,
    link: Option<LoginLink>,
}

/// Checks that a socket can be bound, and changes nothing.
pub(crate) fn check(place: &SocketAddress) -> Result<(), SocketError> {
    if let Some(link) = &place.link {
        login_link::check(link)?;
    }
    check_path(&place.path)
}

/// Binds a socket.
pub(crate) fn bind(place: &SocketAddress) -> Result<(UnixListener, Bound), SocketError> {
    if let Some(link) = &place.link {
        login_link::make_folders(link)?;
    }
    check_path(&place.path)?;
    let link = place.link.as_deref().map(LoginLink::make).transpose()?;
    let failed = |error| SocketError::system(&place.path, error);
    let beside = beside(&place.path);
    // A socket that a killed server left; other files are not removed.
    check_path(&beside)?;
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(SocketError::system(&beside, error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&beside).map_err(failed)?;
    let placed = put(place, &beside);
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = Bound {
        path: place.path.clone(),
        identity: placed.map_err(failed)?,
        link,
    };
    Ok((listener, bound))
}

fn put(place: &SocketAddress, beside: &Path) -> io::Result<Identity> {
    if place.user.is_some() || place.group.is_some() {
        chown(beside, place.user, place.group)?;
    }
    fs::set_permissions(beside, fs::Permissions::from_mode(place.mode))?;
    let identity = identity(beside)?;
    fs::rename(beside, &place.path)?;
    Ok(identity)
}

/// A name in the same folder, for the time until the socket is complete.
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
    /// Makes the link to it anew if it is gone.
    pub(crate) fn mend_link(&self) -> Result<(), SocketError> {
        self.link.as_ref().map_or(Ok(()), LoginLink::mend)
    }

    /// Whether nothing at all is under the path any more.
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

    fn place(folder: &Path, name: &str) -> SocketAddress {
        SocketAddress {
            path: folder.join(name),
            link: None,
            mode: 0o620,
            user: None,
            group: None,
        }
    }

    #[track_caller]
    fn check_refused(place: &SocketAddress, path: &Path, kind: SocketErrorKind) {
        for refused in [check(place), bind(place).map(|_| ())] {
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
        let place = place(folder.path(), "socket");
        let (listener, bound) = bind(&place).unwrap();
        let mode = fs::symlink_metadata(&place.path).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o620);
        check_refused(&place, &place.path, SocketErrorKind::Answered);
        drop(listener);
        // The old socket has no listener: it is replaced, and its former owner does
        // not remove the new one.
        let (_listener, _bound) = bind(&place).unwrap();
        drop(bound);
        assert!(UnixStream::connect(&place.path).is_ok());
        drop(_bound);
        assert!(!place.path.exists());
    }

    #[test]
    fn other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), "file");
        fs::File::create(&place.path).unwrap();
        check_refused(&place, &place.path, SocketErrorKind::NoSocket);
    }

    #[test]
    fn the_login_socket_that_dovecot_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("login/stats-writer");
        let place = SocketAddress {
            path: login_link::socket_of(&link),
            link: Some(link.clone()),
            ..place(folder.path(), "")
        };
        fs::create_dir(folder.path().join("login")).unwrap();
        let dovecots = UnixListener::bind(&link).unwrap();
        check_refused(&place, &link, SocketErrorKind::Answered);
        drop(dovecots);
        check(&place).unwrap();
        let (_listener, bound) = bind(&place).unwrap();
        assert!(UnixStream::connect(&link).is_ok());
        drop(bound);
        assert!(!link.is_symlink());
    }
}
