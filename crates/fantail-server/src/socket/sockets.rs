//! Unix sockets that others find by their path.
//!
//! A socket appears under its path complete, with its owner and permissions;
//! what is there already is replaced only if nobody answers on it. Dovecot, or
//! a service manager, may sweep the folder: what vanished is bound again.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use crate::socket::login_link::{self, Shortcut};

/// Where a socket is to be, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// The path under which it is known, if that is another one.
    pub(crate) link: Option<PathBuf>,
    pub(crate) mode: u32,
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
}

/// A file, whatever its name.
type Identity = (u64, u64);

/// A socket under its path; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Bound {
    path: PathBuf,
    identity: Identity,
    link: Option<Shortcut>,
}

/// Binds a socket.
pub(crate) fn bind(place: &Place) -> io::Result<(UnixListener, Bound)> {
    if let Some(link) = &place.link {
        login_link::make_folders(link)?;
    }
    make_way(&place.path)?;
    let link = place.link.as_deref().map(Shortcut::make).transpose()?;
    let beside = beside(&place.path);
    let _ = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    let placed = put(place, &beside);
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    listener.set_nonblocking(true)?;
    let bound = Bound {
        path: place.path.clone(),
        identity: placed?,
        link,
    };
    Ok((listener, bound))
}

fn put(place: &Place, beside: &Path) -> io::Result<Identity> {
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

/// Sees to it that nothing of use is under the path.
fn make_way(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !metadata.file_type().is_socket() {
        let what = "it is there already, and no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    }
    match UnixStream::connect(path) {
        // A rename will replace it.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let what = "another process answers there";
            Err(io::Error::new(io::ErrorKind::AddrInUse, what))
        }
    }
}

impl Bound {
    /// Makes the link to it anew if it is gone.
    pub(crate) fn mend_link(&self) -> io::Result<()> {
        self.link.as_ref().map_or(Ok(()), Shortcut::mend)
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
    use super::*;

    fn place(folder: &Path, name: &str) -> Place {
        Place {
            path: folder.join(name),
            link: None,
            mode: 0o620,
            user: None,
            group: None,
        }
    }

    fn error(place: &Place) -> String {
        bind(place).unwrap_err().to_string()
    }

    #[test]
    fn only_what_nobody_answers_on_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), "socket");
        let (listener, bound) = bind(&place).unwrap();
        let mode = fs::symlink_metadata(&place.path).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o620);
        assert_eq!(error(&place), "another process answers there");
        drop(listener);
        // Nobody answers: the old one is replaced, and not removed by its
        // former owner.
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
        assert_eq!(error(&place), "it is there already, and no socket");
    }
}
