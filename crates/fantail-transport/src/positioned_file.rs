//! A file whose length is saved together with a position: what is appended is in the file
//! exactly once, however often the process is killed.
//!
//! The position is a file of its own: a line with the length of the other file and a
//! checksum, then the bytes of the caller. It is replaced as a whole, after the appended
//! bytes are on disk. At the start, what is beyond the saved length is cut off: the caller
//! reads it again.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::system::{
    Access, Create, OpenFile, REAL, System, SystemFile, absent_is_fine, sync_name,
};

const MAGIC: &str = "fantail-position 1";

/// The longest first line of a position.
const MAX_HEAD_BYTES: usize = 80;

/// A file and its position. Another process that opens it gets an error.
///
/// ```
/// use fantail_transport::PositionedFile;
///
/// # fn main() -> std::io::Result<()> {
/// let folder = tempfile::tempdir()?;
/// let [path, position] = ["events", "position"].map(|name| folder.path().join(name));
/// let (mut file, none) = PositionedFile::open(&path, &position)?;
/// assert_eq!(none, None);
/// file.commit(b"one\n", b"after one")?;
/// drop(file);
/// // Later, in another process.
/// let (_, saved) = PositionedFile::open(&path, &position)?;
/// assert_eq!(saved.as_deref(), Some(&b"after one"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PositionedFile {
    system: &'static dyn System,
    path: PathBuf,
    position: PathBuf,
    file: Box<dyn SystemFile>,
    /// The bytes of the file that are saved.
    length: u64,
    /// The bytes that a position with its final name claims. They are more than are saved
    /// while this name may not be on disk.
    claimed: u64,
    was_shortened: bool,
}

impl PositionedFile {
    /// Opens a file and its position, and cuts off what was appended after the position was
    /// saved. Returns the saved position, `None` for a new file, which is created.
    ///
    /// # Errors
    /// A file cannot be opened, another process has it, the file has bytes and no position,
    /// or the position is damaged.
    pub fn open(path: &Path, position: &Path) -> io::Result<(Self, Option<Vec<u8>>)> {
        Self::open_on(&REAL, path, position)
    }

    /// Opens a file on a system; see [`open`](Self::open).
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_on(
        system: &'static dyn System,
        path: &Path,
        position: &Path,
    ) -> io::Result<(Self, Option<Vec<u8>>)> {
        let at_path = |error| named(path, &error);
        let options = OpenFile::new(Access::ReadWrite, Create::Missing);
        let file = system.open(path, options).map_err(at_path)?;
        if !file.try_lock().map_err(at_path)? {
            let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another process writes it");
            return Err(at_path(busy));
        }
        let at_position = |error| named(position, &error);
        let saved = read(system, position).map_err(at_position)?;
        if saved.is_some() {
            // The process that saved it may have ended before its name was on disk.
            sync_name(system, position).map_err(at_position)?;
        }
        let mut opened = Self {
            system,
            path: path.to_owned(),
            position: position.to_owned(),
            file,
            length: saved.as_ref().map_or(0, |(length, _)| *length),
            claimed: 0,
            was_shortened: false,
        };
        opened.repair(saved.as_ref()).map_err(at_path)?;
        Ok((opened, saved.map(|(_, bytes)| bytes)))
    }

    /// Makes the file as long as the position says.
    fn repair(&mut self, saved: Option<&(u64, Vec<u8>)>) -> io::Result<()> {
        let size = self.file.size()?;
        let Some((_, position)) = saved else {
            if size > 0 {
                let what = "the file is not empty, and has no position; move it away";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
            }
            return sync_name(self.system, &self.path);
        };
        if size < self.length {
            // Another program rotated it. What is appended from now on has to be cut off
            // at its new length.
            sync_name(self.system, &self.path)?;
            (self.length, self.was_shortened) = (size, true);
            self.save(size, position)?;
        }
        self.fit()
    }

    /// Returns whether the file was shorter than its position said: another program removed
    /// or replaced it.
    #[must_use]
    pub const fn was_shortened(&self) -> bool {
        self.was_shortened
    }

    /// Appends bytes and saves a position. After a success both are on disk; after a kill
    /// at any time both or neither. After an error the caller tries the same again, with
    /// more bytes behind them if there are.
    ///
    /// # Errors
    /// The disk is full or does not work.
    pub fn commit(&mut self, bytes: &[u8], position: &[u8]) -> io::Result<()> {
        let appended = self.append(bytes);
        let length = appended.map_err(|error| named(&self.path, &error))?;
        let saved = self.save(length, position);
        saved.map_err(|error| named(&self.position, &error))?;
        (self.length, self.claimed) = (length, length);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        if bytes.is_empty() {
            return Ok(self.length);
        }
        self.fit()?;
        self.file.write_all_at(bytes, self.length)?;
        self.file.sync()?;
        Ok(self.length + bytes.len() as u64)
    }

    /// Cuts off what is not saved, nor claimed by a position that may be on disk; notices
    /// that another program shortened the file.
    fn fit(&mut self) -> io::Result<()> {
        let (size, claimed) = (self.file.size()?, self.length.max(self.claimed));
        if size < self.length {
            (self.length, self.was_shortened) = (size, true);
        } else if size > claimed {
            self.file.set_size(claimed)?;
        }
        Ok(())
    }

    fn save(&mut self, length: u64, position: &[u8]) -> io::Result<()> {
        let sum = checksum(length, position);
        let mut bytes = format!("{MAGIC} {length} {sum:08x}\n").into_bytes();
        bytes.extend_from_slice(position);
        let mut new = self.position.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        absent_is_fine(self.system.remove(&new))?;
        let options = OpenFile::new(Access::Write, Create::New);
        let file = self.system.open(&new, options)?;
        file.write_all_at(&bytes, 0)?;
        file.sync()?;
        self.system.rename(&new, &self.position)?;
        self.claimed = length;
        sync_name(self.system, &self.position)
    }
}

/// Reads a position: the length, and the bytes of the caller.
fn read(system: &dyn System, path: &Path) -> io::Result<Option<(u64, Vec<u8>)>> {
    let file = match system.open(path, OpenFile::READ) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let size = usize::try_from(file.size()?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; size];
    let filled = file.fill_at(&mut bytes, 0)?;
    bytes.truncate(filled);
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the position is damaged");
    parse(&bytes).map(Some).ok_or_else(damaged)
}

fn parse(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let end = bytes
        .iter()
        .take(MAX_HEAD_BYTES)
        .position(|byte| *byte == b'\n')?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let position = rest.get(1..)?;
    let numbers = std::str::from_utf8(head).ok()?.strip_prefix(MAGIC)?;
    let (length, sum) = numbers.trim_start().split_once(' ')?;
    let length = length.parse().ok()?;
    let is_whole = u32::from_str_radix(sum, 16).ok()? == checksum(length, position);
    is_whole.then(|| (length, position.to_vec()))
}

fn checksum(length: u64, position: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(position);
    hasher.finalize()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
