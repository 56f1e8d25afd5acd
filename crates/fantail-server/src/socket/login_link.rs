//! A link in Dovecot's folder `login/` to a socket in a folder of its own.
//!
//! Login processes that have lost the stats server look for it under
//! `login/stats-writer`, and see nothing outside `login/`. A socket under that
//! name would not do: Dovecot 2.3 and 2.4 refuse to start while somebody
//! answers on any socket right in `login/`, and remove them all at a reload.
//! They look at neither links nor folders there.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, symlink},
    path::{Path, PathBuf},
};

/// The folder beside the link, for the socket itself.
const FOLDER: &str = "fantail";

/// A link to a socket; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Shortcut {
    path: PathBuf,
    target: PathBuf,
}

/// Where the socket itself is, of which `link` is known: beside it, in a
/// folder of ours.
pub(crate) fn socket_of(link: &Path) -> PathBuf {
    link.with_file_name(target_of(link))
}

/// What the link says; relative, so that it holds inside a chroot.
fn target_of(link: &Path) -> PathBuf {
    Path::new(FOLDER).join(link.file_name().unwrap_or_default())
}

/// Makes the folders for the socket of a link.
///
/// Dovecot gives `login/` the owner and permissions that it wants.
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

impl Shortcut {
    /// Makes the link in place of one that says the same, or of nothing.
    pub(crate) fn make(link: &Path) -> io::Result<Self> {
        let target = target_of(link);
        match fs::read_link(link) {
            Ok(there) if there == target => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => symlink(&target, link)?,
            _ => {
                let what = "it is there already, and not ours";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
            }
        }
        Ok(Self {
            path: link.to_owned(),
            target,
        })
    }

    /// Makes it anew if nothing is there.
    pub(crate) fn mend(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                symlink(&self.target, &self.path)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Shortcut {
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
        let shortcut = Shortcut::make(&link).unwrap();
        UnixStream::connect(&link).unwrap();
        fs::remove_file(&link).unwrap();
        shortcut.mend().unwrap();
        UnixStream::connect(&link).unwrap();
        // As after a crash: the old one is taken over.
        let again = Shortcut::make(&link).unwrap();
        drop(shortcut);
        assert!(!link.is_symlink());
        fs::File::create(&link).unwrap();
        drop(again);
        assert!(link.exists(), "it was not ours any more");
        let refused = Shortcut::make(&link).unwrap_err();
        assert_eq!(refused.to_string(), "it is there already, and not ours");
    }
}
