//! What was counted, in a file, from one run to the next.
//!
//! What the bytes are is [`fantail_metrics::state`]'s matter; here is how they
//! get into a file and out of it without ever being half of one.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use fantail_metrics::state::{self, State};

/// What a million series with a few values take; more is no state of ours.
const LARGEST: u64 = 1 << 30;

/// A file with what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The file of this name, whether it is there or not.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state in it; `None` if there is no such file yet.
    ///
    /// # Errors
    /// It cannot be read; or it is no state, which the error then wraps
    /// ([`io::Error::get_ref`]).
    pub fn read(&self) -> io::Result<Option<State>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            let kind = io::ErrorKind::FileTooLarge;
            return Err(io::Error::new(kind, "the file is too large for a state"));
        }
        state::read(&bytes).map(Some).map_err(io::Error::other)
    }

    /// Replaces it as a whole: whoever reads it finds the old or the new
    /// state, also after a loss of power. Nobody but its owner may read it.
    ///
    /// # Errors
    /// The new one cannot be written; the old one is still there.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let beside = self.named(&format!(".{}.new", std::process::id()));
        let written = (|| {
            let mut options = File::options();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)
        })();
        if written.is_err() {
            // What is there of it is of no use; the first error is what counts.
            let _ = fs::remove_file(&beside);
        }
        written?;
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Gives it the name `….unreadable`, so that it is not overwritten.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn put_aside(&self) -> io::Result<PathBuf> {
        let aside = self.named(".unreadable");
        fs::rename(&self.path, &aside)?;
        Ok(aside)
    }

    /// A name in the same folder, so that a rename is within one file system.
    fn named(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::{Read as _, Write as _},
        os::unix::fs::PermissionsExt as _,
    };

    use super::StateFile;

    #[test]
    fn a_state_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state"));
        assert!(file.read().unwrap().is_none());
        file.write(b"one").unwrap();
        file.write(b"two").unwrap();
        let mut text = String::new();
        let mut opened = File::open(file.path()).unwrap();
        opened.read_to_string(&mut text).unwrap();
        let mode = opened.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((text.as_str(), mode), ("two", 0o600));
        let error = file.read().unwrap_err();
        assert_eq!(error.to_string(), "this is no saved state");
        let aside = file.put_aside().unwrap();
        assert_eq!(aside, folder.path().join("state.unreadable"));
        assert!(file.read().unwrap().is_none());
        // Nothing else is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_replace_it_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not empty is not replaced by a file.
        let path = folder.path().join("state");
        fs::create_dir(&path).unwrap();
        File::create(path.join("x"))
            .unwrap()
            .write_all(b"x")
            .unwrap();
        StateFile::new(&path).write(b"one").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
