//! Which files of a configuration Dovecot reads, too.

use crate::diagnostic::source::{FileId, Sources};

/// Whether Dovecot reads a file, by its name or that of a file that includes
/// it.
///
/// Dovecot's are a file called `dovecot.conf`, what a usual one includes
/// (`dovecot/conf.d/*.conf`, `dovecot/local.conf`), and all that these include.
pub(crate) fn is_dovecots(sources: &Sources, file: FileId) -> bool {
    let mut file = file;
    loop {
        if has_dovecots_name(sources.name(file)) {
            return true;
        }
        // A file was included by an earlier one.
        match sources.included(file) {
            Some(place) if place.file != file => file = place.file,
            _ => return false,
        }
    }
}

/// Whether a path is one of Dovecot's own files.
#[must_use]
pub fn has_dovecots_name(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|byte| *byte == b'/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(b"dovecot.conf"), ..) | (Some(b"local.conf"), Some(b"dovecot"), _) => true,
        (Some(name), Some(b"conf.d"), Some(b"dovecot")) => name.ends_with(b".conf"),
        _ => false,
    }
}
