//! Owner, group and permissions of new files.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::Path,
};

use nix::unistd::{Group, User};

use super::settings::{FileAccess, PRIVATE};
use crate::regular_file::open_regular;

impl FileAccess {
    /// Opens a file for appending, and creates a missing one.
    pub(super) fn open_or_create(&self, path: &Path) -> io::Result<File> {
        let open = || open_regular(OpenOptions::new().append(true), path);
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match self.create(path) {
                // Another program created it in between.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(),
                created => created,
            },
            opened => opened,
        }
    }

    /// Creates an empty file for appending. Only the process can open it until
    /// it has its owner and permissions. If it cannot get them, it is removed.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let options = options.append(true).create_new(true).mode(PRIVATE);
        let file = open_regular(options, path)?;
        match self.apply(&file) {
            Ok(()) => Ok(file),
            Err(error) => {
                // Otherwise the next attempt would use it as an existing file.
                let _ = fs::remove_file(path);
                Err(error)
            }
        }
    }

    fn apply(&self, file: &File) -> io::Result<()> {
        if self.user.is_some() || self.group.is_some() {
            let user = self.user.as_deref().map(user_id).transpose()?;
            let group = self.group.as_deref().map(group_id).transpose()?;
            fchown(file, user, group).map_err(|error| self.refused(&error))?;
        }
        // After the owner, since a change of owner clears set-ID bits.
        file.set_permissions(Permissions::from_mode(self.mode))
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

fn user_id(name: &str) -> io::Result<u32> {
    let found = User::from_name(name)?.map(|user| user.uid.as_raw());
    found
        .or(name.parse().ok())
        .ok_or_else(|| unknown("user", name))
}

fn group_id(name: &str) -> io::Result<u32> {
    let found = Group::from_name(name)?.map(|group| group.gid.as_raw());
    found
        .or(name.parse().ok())
        .ok_or_else(|| unknown("group", name))
}

fn unknown(what: &str, name: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("the system has no {what} `{name}`: create it, or change `file_{what}`"),
    )
}
