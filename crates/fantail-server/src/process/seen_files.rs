//! The files of a configuration, as they were before it was read.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use fantail_config::{FileSystem, LoadError, Loader};

/// Files, and the folders in which patterns may find others. Each has the state before
/// it was read for the first time, so that no change after that is missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenFiles(BTreeMap<PathBuf, FileState>);

/// Device, inode, size and times of a file; `None` if there is none.
type FileState = Option<(u64, u64, u64, [i64; 4])>;

impl SeenFiles {
    /// A file that was not read: it has changed if it exists.
    pub(crate) fn unread(path: &Path) -> Self {
        Self([(path.to_owned(), None)].into())
    }

    /// Returns whether one of them has changed since it was read.
    pub(crate) fn have_changed(&self) -> bool {
        self.0.iter().any(|(path, state)| state_of(path) != *state)
    }

    /// Returns the files and folders, and the folders that contain them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let paths = self.0.keys();
        paths.flat_map(|path| [path.as_path()].into_iter().chain(path.parent()))
    }

    /// Notes a file or folder; returns whether it is new.
    fn note(&mut self, path: &Path) -> bool {
        let is_new = !self.0.contains_key(path);
        if is_new {
            self.0.insert(path.to_owned(), state_of(path));
        }
        is_new
    }

    /// Notes the folder that holds a file, or the constant part of a pattern.
    fn note_folder(&mut self, pattern: &[u8]) -> bool {
        let wildcards = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let constant = pattern.split(wildcards).next().unwrap_or_default();
        let slash = constant.iter().rposition(|byte| *byte == b'/');
        let folder = constant.get(..slash.unwrap_or(0)).unwrap_or_default();
        !folder.is_empty() && self.note(path(folder))
    }
}

/// The files of the machine; it notes those that are read.
#[derive(Debug, Default)]
pub(crate) struct NotingLoader {
    seen: RefCell<SeenFiles>,
}

impl NotingLoader {
    pub(crate) fn into_seen(self) -> SeenFiles {
        self.seen.into_inner()
    }
}

impl Loader for NotingLoader {
    fn read(&self, name: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        self.seen.borrow_mut().note(path(name));
        FileSystem.read(name, limit)
    }

    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        let mut seen = self.seen.borrow_mut();
        seen.note_folder(pattern);
        let mut found = FileSystem.expand(pattern)?;
        // Folders that match are noted after they were listed: list them again.
        let folders = found.iter().filter_map(|file| path(file).parent());
        if folders.fold(false, |is_new, folder| seen.note(folder) | is_new) {
            found = FileSystem.expand(pattern)?;
        }
        Ok(found)
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        FileSystem.environment(name)
    }
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

fn state_of(path: &Path) -> FileState {
    let it = fs::metadata(path).ok()?;
    let times = [it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()];
    Some((it.dev(), it.ino(), it.size(), times))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write as _, os::unix::ffi::OsStrExt as _, path::Path};

    use fantail_config::{LoadOptions, load};

    use super::{NotingLoader, SeenFiles};

    fn write(path: &Path, text: &str) {
        let mut file = File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn read(path: &Path) -> SeenFiles {
        let loader = NotingLoader::default();
        let _ = load(
            path.as_os_str().as_bytes(),
            &loader,
            &LoadOptions::default(),
        );
        loader.into_seen()
    }

    const INCLUDES: &str = "!include a/*.conf\n!include_try empty/*.conf\n\
                            !include_try missing.conf\n!include_try b*/*.conf\n";

    #[test]
    fn each_change_that_a_further_reading_would_see_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let main = at("fantail.conf");
        for name in ["a", "b", "empty"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        write(&main, INCLUDES);
        write(&at("a/one.conf"), "metric a {\n");
        write(&at("b/one.conf"), "}\n");
        let check = |change: &dyn Fn()| {
            let seen = read(&main);
            assert!(!seen.have_changed(), "{seen:?}");
            change();
            assert!(seen.have_changed(), "{seen:?}");
        };
        let changed = format!("{INCLUDES}\n");
        check(&|| write(&main, &changed));
        check(&|| write(&at("a/one.conf"), "metric b {\n }\n"));
        check(&|| write(&at("a/two.conf"), ""));
        check(&|| write(&at("empty/one.conf"), ""));
        check(&|| write(&at("missing.conf"), ""));
        check(&|| write(&at("b/two.conf"), ""));
        check(&|| std::fs::create_dir(at("b2")).unwrap());
        check(&|| std::fs::remove_file(at("a/one.conf")).unwrap());
    }

    #[test]
    fn an_unread_file_has_changed_if_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert!(!SeenFiles::unread(&file).have_changed());
        write(&file, "");
        assert!(SeenFiles::unread(&file).have_changed());
    }
}
