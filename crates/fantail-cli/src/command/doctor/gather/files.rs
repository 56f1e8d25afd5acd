//! Files, read up to a size limit.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// Reads at most `limit` bytes from the start of a file.
pub(super) fn head(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads at most `limit` bytes from the end of a file.
pub(super) fn tail(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the ID of an account from a file such as `/etc/passwd` or `/etc/group`; the
/// name may be a numeric ID.
pub(super) fn account(file: &Path, name: &str) -> Option<u32> {
    const LIMIT: u64 = 16 << 20;
    let numbered = || name.parse().ok();
    let Ok(text) = head(file, LIMIT) else {
        return numbered();
    };
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.split(':'));
    let found = lines.find_map(|mut parts| match parts.next() {
        Some(first) if first == name => parts.nth(1)?.parse().ok(),
        _ => None,
    });
    found.or_else(numbered)
}
