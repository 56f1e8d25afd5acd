//! The files of a configuration that Dovecot also reads.

use crate::diagnostic::source::{FileId, Sources};

/// Returns whether Dovecot reads a file, by its name or by that of a file that
/// includes it.
///
/// Dovecot's files are named `dovecot.conf`, or are those that a standard one
/// includes (`dovecot/conf.d/*.conf`, `dovecot/local.conf`), and all their
/// includes.
pub(crate) fn is_dovecots(sources: &Sources, file: FileId) -> bool {
    let mut file = file;
    loop {
        if has_dovecots_name(sources.name(file)) {
            return true;
        }
        // A file is included by an earlier one.
        match sources.included(file) {
            Some(place) if place.file != file => file = place.file,
            _ => return false,
        }
    }
}

/// Returns whether a path is one of Dovecot's own files.
#[must_use]
pub fn has_dovecots_name(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|byte| *byte == b'/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(b"dovecot.conf"), ..) | (Some(b"local.conf"), Some(b"dovecot"), _) => true,
        (Some(name), Some(b"conf.d"), Some(b"dovecot")) => name.ends_with(b".conf"),
        _ => false,
    }
}
