//! What the system allows this process.

use std::{ffi::CString, io};

use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::{User, initgroups, setgid, setuid},
};

use crate::Log;

/// Files that it has besides its connections: sockets, logs, targets.
const OTHERS: u64 = 100;

/// Lets it have as many files open as it may: a connection is one. Says so,
/// and also if that is too few for as many connections as are allowed.
pub(crate) fn raise_file_limit(connections: usize, log: &Log) {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(before, most)| {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        Ok((before, most))
    });
    let most = match raised {
        Err(error) => {
            let error = error.desc();
            return log.say(format_args!(
                "the limit of open files stays as it is: {error}"
            ));
        }
        Ok((before, most)) if before < most => {
            log.say(format_args!(
                "the limit of open files was raised from {before} to {most}"
            ));
            most
        }
        Ok((_, most)) => most,
    };
    if most < (connections as u64).saturating_add(OTHERS) {
        log.say(format_args!(
            "{connections} connections are allowed, but only {most} open files"
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
