//! The state file of a running `fantail serve`.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::Serve;
use crate::command::doctor::gather::process;

/// Returns the path of the state file, and the problem that keeps it from being written.
pub(super) fn look(serve: &Serve) -> Option<(String, Option<String>)> {
    let path = serve.arguments.state.as_ref()?;
    let folder = process::current_folder(serve.pid).unwrap_or_default();
    let path = folder.join(path);
    let seen = process::path_within(serve.pid, &path);
    let problem = problem(&seen, process::user(serve.pid));
    Some((path.display().to_string(), problem))
}

/// Returns the problem that keeps a user from replacing a file.
fn problem(path: &Path, user: Option<u32>) -> Option<String> {
    let mut unreadable = path.as_os_str().to_owned();
    unreadable.push(".unreadable");
    if Path::new(&unreadable).exists() {
        return Some(
            "it could not be read at a start, and was renamed to `….unreadable`: counts began \
             at 0"
                .to_owned(),
        );
    }
    if path.is_dir() {
        return Some("it is a folder".to_owned());
    }
    let folder = path.parent()?;
    let data = match fs::metadata(folder) {
        Ok(data) => data,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some("its folder does not exist".to_owned());
        }
        // This user may not read the folder, so nothing is known about it.
        Err(_) => return None,
    };
    if !data.is_dir() {
        return Some("its folder is a file".to_owned());
    }
    if let Ok(found) = statvfs(folder)
        && found.f_flag.contains(StatVfsMountFlags::RDONLY)
    {
        return Some("its file system is read-only".to_owned());
    }
    let user = user.filter(|user| *user != 0)?;
    let mode = data.permissions().mode();
    let may_write = mode & 0o002 != 0 || data.uid() == user && mode & 0o200 != 0;
    let by_group = mode & 0o020 != 0;
    (!may_write && !by_group).then(|| format!("the user {user} may not write to its folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_file_needs_a_folder_that_its_user_may_write_to() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, user: u32, expected: Option<&str>| {
            let found = problem(&folder.path().join(name), Some(user));
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        let own = rustix::process::geteuid().as_raw();
        check("state", own, None);
        check("missing/state", own, Some("its folder does not exist"));
        check("state", 77, Some("the user 77 may not write to its folder"));
        fs::create_dir(folder.path().join("folder")).unwrap();
        check("folder", own, Some("it is a folder"));
        fs::File::create(folder.path().join("old.unreadable")).unwrap();
        let found = problem(&folder.path().join("old"), Some(own)).unwrap();
        assert!(found.starts_with("it could not be read at a start"));
    }
}
