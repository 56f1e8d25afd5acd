//! What the system allows this process.

use std::{ffi::CString, io};

use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::{User, initgroups, setgid, setuid},
};

use crate::Log;

/// Lets it have as many files open as it may: a connection is one.
pub(crate) fn raise_file_limit(log: &Log) {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        log.say(format_args!(
            "the limit of open files stays as it is: {error}"
        ));
    }
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
