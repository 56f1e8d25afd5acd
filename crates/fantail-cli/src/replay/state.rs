//! `--state`: what was counted, from one run to the next.
//!
//! The file stands here and not beside the format: libraries open no files,
//! and of those that write any, the transports only ever append payloads.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use fantail::metrics::{
    Snapshot,
    state::{self, State},
};

use crate::exit::{Failure, say};

/// What a million series with a few values take; more is no state of ours.
const LARGEST: u64 = 1 << 30;

/// The state in a file; `None` if there is no such file yet.
pub(super) fn read(path: &Path) -> Result<Option<State>, Failure> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| Failure::file("read", path, &error))?,
    };
    let mut bytes = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::file("read", path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::new(format!("{} is too large", path.display())));
    }
    let state = state::read(&bytes);
    state
        .map(Some)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// Puts a state in front of what was counted now; `filter` tells what a
/// metric's filter is.
pub(super) fn restore(
    snapshot: &mut Snapshot,
    state: State,
    path: &Path,
    filter: impl Fn(&[u8]) -> Vec<u8>,
) {
    let restored = snapshot.restore(state, |settings, note| filter(&settings.name) == note);
    if restored.left_out > 0 {
        say(format_args!(
            "{}: {} metrics changed or are gone: their counts are left out",
            path.display(),
            restored.left_out
        ));
    }
}

/// Replaces a file as a whole: whoever reads it, finds the old or the new
/// state, also after a loss of power.
pub(super) fn write(
    snapshot: &Snapshot,
    path: &Path,
    filter: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<(), Failure> {
    let bytes = state::write(snapshot, |settings| filter(&settings.name));
    replace(path, &bytes).map_err(|error| Failure::file("write to", path, &error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    let written = (|| {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // What is there of it is of no use; the first error is what counts.
        let _ = fs::remove_file(&beside);
    }
    written?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// A name in the same folder, so that a rename is within one file system.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}
