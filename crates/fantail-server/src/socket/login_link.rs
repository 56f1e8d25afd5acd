//! A link in Dovecot's folder `login/` to a socket in a separate folder.
//!
//! Login processes that have lost the stats server connect to
//! `login/stats-writer`, and have no access outside `login/`. A socket with
//! that name is not possible: Dovecot 2.3 and 2.4 refuse to start while a
//! socket in `login/` has a listener, and remove all of them at a reload. They
//! ignore links and folders there.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, symlink},
    path::{Path, PathBuf},
};

use crate::socket::{error::SocketError, vacancy::check_path};

/// The folder of the socket, in the folder of the link.
const FOLDER: &str = "fantail";

/// A link to a socket; it is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct LoginLink {
    path: PathBuf,
    target: PathBuf,
}

/// Returns the path of the socket that `link` points to: in a separate folder,
/// in the folder of the link.
pub(crate) fn socket_of(link: &Path) -> PathBuf {
    link.with_file_name(target_of(link))
}

/// Returns the target of the link; relative, so that it is valid inside a
/// chroot.
fn target_of(link: &Path) -> PathBuf {
    Path::new(FOLDER).join(link.file_name().unwrap_or_default())
}

/// Creates the folders for the socket of a link.
///
/// Dovecot sets the owner and permissions of `login/`.
pub(crate) fn make_folders(link: &Path) -> Result<(), SocketError> {
    let socket = socket_of(link);
    for (folder, mode) in [(link.parent(), 0o750), (socket.parent(), 0o755)] {
        let Some(folder) = folder else {
            continue;
        };
        match DirBuilder::new().mode(mode).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(SocketError::system(folder, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the link exists or can be created, without changes.
pub(crate) fn check(link: &Path) -> Result<(), SocketError> {
    match fs::read_link(link) {
        Ok(there) if there == target_of(link) => Ok(()),
        _ => check_path(link),
    }
}

impl LoginLink {
    /// Creates the link. It may replace an equal link, or a socket without a
    /// listener.
    pub(crate) fn make(link: &Path) -> Result<Self, SocketError> {
        check(link)?;
        let made = Self {
            path: link.to_owned(),
            target: target_of(link),
        };
        if !link.is_symlink() {
            let _ = fs::remove_file(link);
            let linked = symlink(&made.target, link);
            linked.map_err(|error| SocketError::system(link, error))?;
        }
        Ok(made)
    }

    /// Creates the link again if its path does not exist.
    pub(crate) fn mend(&self) -> Result<(), SocketError> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let linked = symlink(&self.target, &self.path);
                linked.map_err(|error| SocketError::system(&self.path, error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for LoginLink {
    fn drop(&mut self) {
        if fs::read_link(&self.path).is_ok_and(|there| there == self.target) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;
    use crate::socket::error::SocketErrorKind;

    #[test]
    fn the_link_leads_to_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("login/stats-writer");
        make_folders(&link).unwrap();
        make_folders(&link).unwrap();
        let _listener = UnixListener::bind(socket_of(&link)).unwrap();
        let first = LoginLink::make(&link).unwrap();
        UnixStream::connect(&link).unwrap();
        fs::remove_file(&link).unwrap();
        first.mend().unwrap();
        UnixStream::connect(&link).unwrap();
        // As after a crash: the old link is reused.
        let again = LoginLink::make(&link).unwrap();
        drop(first);
        assert!(!link.is_symlink());
        fs::File::create(&link).unwrap();
        drop(again);
        assert!(link.exists(), "it was not ours any more");
        let refused = LoginLink::make(&link).unwrap_err();
        assert_eq!(refused.kind(), SocketErrorKind::NoSocket);
    }

    #[test]
    fn links_to_other_targets_stay() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("stats-writer");
        symlink("elsewhere", &link).unwrap();
        let refused = LoginLink::make(&link).unwrap_err();
        assert_eq!(refused.kind(), SocketErrorKind::NoSocket);
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("elsewhere"));
    }
}
