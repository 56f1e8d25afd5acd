//! A link in Dovecot's folder `login/` to a socket in a folder of its own.
//!
//! Login processes that have lost the stats server connect to
//! `login/stats-writer`, and see nothing outside `login/`. A socket of that name
//! does not work: Dovecot 2.3 and 2.4 refuse to start while a process accepts on
//! a socket in `login/`, and remove all sockets there at a reload. They ignore
//! links and folders.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, symlink},
    path::{Path, PathBuf},
};

/// The folder beside the link, for the socket itself.
const FOLDER: &str = "fantail";

/// A link to a socket; it is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct LoginLink {
    path: PathBuf,
    target: PathBuf,
}

/// Returns the path of the socket for this link: in a folder beside the link.
pub(crate) fn socket_of(link: &Path) -> PathBuf {
    link.with_file_name(target_of(link))
}

/// The target of the link: relative, so that it is valid inside a chroot.
fn target_of(link: &Path) -> PathBuf {
    Path::new(FOLDER).join(link.file_name().unwrap_or_default())
}

/// Makes the folders for the socket of a link.
///
/// Dovecot sets the owner and permissions of `login/`.
pub(crate) fn make_folders(link: &Path) -> io::Result<()> {
    let (socket, login) = (socket_of(link), link.parent());
    for (folder, mode) in [(login, 0o750), (socket.parent(), 0o755)] {
        let made = folder.map(|folder| DirBuilder::new().mode(mode).create(folder));
        match made {
            Some(Err(error)) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl LoginLink {
    /// Makes the link; a link with the same target is taken over.
    pub(crate) fn make(link: &Path) -> io::Result<Self> {
        let target = target_of(link);
        match fs::read_link(link) {
            Ok(there) if there == target => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => symlink(&target, link)?,
            _ => {
                let what = "another file has the path of the link";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
            }
        }
        Ok(Self {
            path: link.to_owned(),
            target,
        })
    }

    /// Makes the link again if it was removed.
    pub(crate) fn mend(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                symlink(&self.target, &self.path)
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

    #[test]
    fn the_link_leads_to_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("login/stats-writer");
        make_folders(&link).unwrap();
        make_folders(&link).unwrap();
        let _listener = UnixListener::bind(socket_of(&link)).unwrap();
        let made = LoginLink::make(&link).unwrap();
        UnixStream::connect(&link).unwrap();
        fs::remove_file(&link).unwrap();
        made.mend().unwrap();
        UnixStream::connect(&link).unwrap();
        // The link of a server that has crashed is taken over.
        let again = LoginLink::make(&link).unwrap();
        drop(made);
        assert!(!link.is_symlink());
        fs::File::create(&link).unwrap();
        drop(again);
        assert!(link.exists(), "the link was replaced by another file");
        let refused = LoginLink::make(&link).unwrap_err();
        assert_eq!(refused.to_string(), "another file has the path of the link");
    }
}
