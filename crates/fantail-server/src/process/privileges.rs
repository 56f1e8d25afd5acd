//! The permissions and limits of this process.

use std::{ffi::CString, io};

use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::{User, initgroups, setgid, setuid},
};

/// Returns the maximum number of open files of this process, which bounds its
/// connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLimit {
    /// Before the server was started.
    pub before: u64,
    /// Now: as many as the system allows.
    pub now: u64,
}

/// Lets it have as many files open as it may.
pub(crate) fn raise_file_limit() -> io::Result<FileLimit> {
    let (before, now) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if before < now {
        setrlimit(Resource::RLIMIT_NOFILE, now, now)?;
    }
    Ok(FileLimit { before, now })
}

/// Becomes another user for good, with that user's groups.
pub(crate) fn become_user(name: &str) -> io::Result<()> {
    let user = User::from_name(name)?.ok_or_else(|| {
        let what = format!("no user is called {name}");
        io::Error::new(io::ErrorKind::NotFound, what)
    })?;
    let login = CString::new(user.name.clone()).map_err(io::Error::other)?;
    let become_it = || {
        initgroups(&login, user.gid)?;
        setgid(user.gid)?;
        setuid(user.uid)
    };
    become_it().map_err(|error| {
        let what = format!("cannot become {name}: {}", error.desc());
        io::Error::new(io::Error::from(error).kind(), what)
    })
}
