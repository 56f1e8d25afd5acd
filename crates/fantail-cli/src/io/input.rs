//! What commands read: a file, or standard input for `-`.

use std::{fs::File, io::Read, path::Path};

use crate::exit::Failure;

/// Reads a whole file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let outcome = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    outcome.map_err(|error| Failure::file("read", path, &error))?;
    Ok(bytes)
}
