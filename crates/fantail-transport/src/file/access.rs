//! Owner, group and permissions of new files.

use std::{io, path::Path};

use nix::{
    errno::Errno,
    unistd::{Group, User},
};

use super::settings::FileAccess;
use crate::system::{Access, Create, OpenFile, System, SystemFile};

impl FileAccess {
    /// Opens a file for appending, and creates a missing one.
    pub(super) fn open_or_create(
        &self,
        system: &dyn System,
        path: &Path,
    ) -> io::Result<Box<dyn SystemFile>> {
        let open = || system.open(path, OpenFile::new(Access::Append, Create::Never));
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.create(system, path) {
                    // Another program created it in between.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(),
                    created => created,
                }
            }
            opened => opened,
        }
    }

    /// Creates an empty file for appending. Only the process can open it until
    /// it has its owner and permissions. If it cannot get them, it is removed.
    pub(super) fn create(
        &self,
        system: &dyn System,
        path: &Path,
    ) -> io::Result<Box<dyn SystemFile>> {
        let file = system.open(path, OpenFile::new(Access::Append, Create::New))?;
        match self.apply(&*file) {
            Ok(()) => Ok(file),
            Err(error) => {
                // Otherwise the next attempt would use it as an existing file.
                let _ = system.remove(path);
                Err(error)
            }
        }
    }

    fn apply(&self, file: &dyn SystemFile) -> io::Result<()> {
        if self.user.is_some() || self.group.is_some() {
            let user = |name| user_id(name)?.ok_or_else(|| unknown("user", name));
            let group = |name| group_id(name)?.ok_or_else(|| unknown("group", name));
            let user = self.user.as_deref().map(user).transpose()?;
            let group = self.group.as_deref().map(group).transpose()?;
            let owned = file.set_owner(user, group);
            owned.map_err(|error| self.refused(&error))?;
        }
        // After the owner, since a change of owner clears set-ID bits.
        file.set_mode(self.mode)
    }

    fn refused(&self, error: &io::Error) -> io::Error {
        let [user, group] = [("user", &self.user), ("group", &self.group)].map(|(what, name)| {
            let name = name.as_deref();
            name.map(|name| format!("the {what} `{name}`"))
        });
        let owners: Vec<String> = [user, group].into_iter().flatten().collect();
        let owners = owners.join(" and ");
        io::Error::new(
            error.kind(),
            format!(
                "cannot give it to {owners}: {error}: `file_user` needs CAP_CHOWN, \
                 `file_group` needs that or a group that the process is in"
            ),
        )
    }
}

/// Returns the number of a user, by name or as a number; `None` if there is none.
///
/// # Errors
/// The database of users cannot be read. A system without one has no names.
pub fn user_id(name: &str) -> io::Result<Option<u32>> {
    let id = known(User::from_name(name))?.map(|user| user.uid.as_raw());
    Ok(id.or(name.parse().ok()))
}

/// Returns the number of a group, as [`user_id`] does.
///
/// # Errors
/// The database of groups cannot be read.
pub fn group_id(name: &str) -> io::Result<Option<u32>> {
    let id = known(Group::from_name(name))?.map(|group| group.gid.as_raw());
    Ok(id.or(name.parse().ok()))
}

fn known<T>(found: nix::Result<Option<T>>) -> io::Result<Option<T>> {
    match found {
        Err(Errno::ENOENT) => Ok(None),
        found => Ok(found?),
    }
}

fn unknown(what: &str, name: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("the system has no {what} `{name}`: create it, or change `file_{what}`"),
    )
}
