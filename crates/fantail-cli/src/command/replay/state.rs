//! `--state`: keeps the counts from one run to the next.

use std::path::Path;

use fantail::{
    metrics::{
        Snapshot,
        state::{self, State},
    },
    server::StateFile,
};

use crate::exit::{Failure, say};

/// Reads the state of a file; returns `None` if the file does not exist yet.
pub(super) fn read(path: &Path) -> Result<Option<State>, Failure> {
    StateFile::new(path)
        .read()
        .map_err(|error| Failure::new(error.to_string()))
}

/// Adds a state before the counts of this run; `filter` returns the text of a
/// metric's filter.
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

/// Replaces the file as a whole.
pub(super) fn write(
    snapshot: &Snapshot,
    path: &Path,
    filter: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<(), Failure> {
    let bytes = state::write(snapshot, |settings| filter(&settings.name));
    let written = StateFile::new(path).write(&bytes);
    written.map_err(|error| Failure::new(error.to_string()))
}
