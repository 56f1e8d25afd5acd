//! Recordings: files with all that clients send, for `fantail replay`.
//!
//! A line is `<connection> TAB <µs since 1970> TAB <line>`, where `<line>` is a
//! line of the client, or `<close>` at its end. Unfinished lines are left out.
//! Lines of one connection are in order, lines of several workers nearly so. A
//! connection that is older than the recording begins with lines that recreate its
//! state. A recording contains personal data: the file is new, and only its owner may
//! read it.
//!
//! Workers append lines to a buffer, and a thread writes the buffer to the file. A
//! recording ends at its limits, when it is stopped, after an error, or when the buffer
//! is full because the file is written too slowly. Its last line is always complete.

pub(crate) mod buffer;
mod recordings;
mod tape;

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fantail_event::Timestamp;

use self::buffer::Buffer;
pub(crate) use self::{recordings::Recordings, tape::Tape};
use crate::{
    Log,
    memory::{Budget, Reservation},
    process::clock,
};

/// Settings of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSettings {
    /// The file, which must not exist.
    pub path: PathBuf,
    /// Bytes after which the recording ends.
    pub limit: u64,
    /// The time after which the recording ends; `None` for no such limit.
    pub duration: Option<Duration>,
}

/// A recording; clones write to the same file.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The number of the recording, unique in this process.
    number: u64,
    settings: RecordSettings,
    began: Timestamp,
    deadline: Option<Instant>,
    log: Log,
    /// The memory of the buffer, released at the end.
    memory: Mutex<Option<Reservation>>,
    buffer: Buffer,
    /// Number of the next connection.
    next: AtomicU64,
}

/// The status of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordingStatus {
    pub(crate) path: PathBuf,
    pub(crate) began: Timestamp,
    pub(crate) recorded: u64,
    pub(crate) limit: u64,
    pub(crate) left: Option<Duration>,
    /// Why the recording has ended.
    pub(crate) ended: Option<String>,
}

/// The memory of a recording: one half for lines that wait, the other for lines that
/// are being written. A recording that needs more ends.
const MAX_BUFFER_BYTES: usize = 16 << 20;

impl Recorder {
    /// Begins a recording.
    ///
    /// # Errors
    /// The file exists or cannot be created. The message names the file.
    pub(crate) fn create(settings: &RecordSettings, memory: &Budget, log: Log) -> io::Result<Self> {
        static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);
        let mut reservation = memory.reserve_anyway(0);
        if !reservation.grow(memory.limit().min(MAX_BUFFER_BYTES)) {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "there is no memory for a recording; raise `--max-memory`",
            ));
        }
        let path = &settings.path;
        let mut options = OpenOptions::new();
        // A new file is a regular file, never a pipe, a device or a symbolic link.
        let file = options.write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let what = format!("cannot create the recording {}: {error}", path.display());
            io::Error::new(error.kind(), what)
        })?;
        let now = Instant::now();
        let shared = Arc::new(Shared {
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            settings: settings.clone(),
            began: clock::now(),
            deadline: settings.duration.and_then(|time| now.checked_add(time)),
            log,
            buffer: Buffer::new(settings.limit, reservation.bytes() / 2),
            memory: Mutex::new(Some(reservation)),
            next: AtomicU64::new(1),
        });
        let writer = Arc::clone(&shared);
        let thread = thread::Builder::new().name("recording".to_owned());
        thread.spawn(move || writer.write_all(file))?;
        Ok(Self { shared })
    }

    /// Returns the number of the recording, unique in this process.
    pub(crate) fn number(&self) -> u64 {
        self.shared.number
    }

    /// Returns whether the recording has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.buffer.is_over()
    }

    /// Counts a connection that is not recorded.
    pub(crate) fn leave_out(&self) {
        self.shared.buffer.leave_out();
    }

    /// Ends the recording.
    pub(crate) fn end(&self, why: &str) {
        self.shared.buffer.end(why);
    }

    /// Waits until the file is written; returns `false` after `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        self.shared.buffer.wait(patience)
    }

    pub(crate) fn status(&self) -> RecordingStatus {
        let Shared {
            settings, deadline, ..
        } = &*self.shared;
        let (recorded, ended) = self.shared.buffer.status();
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        RecordingStatus {
            path: settings.path.clone(),
            began: self.shared.began,
            recorded,
            limit: settings.limit,
            left: deadline.map(left).filter(|_| ended.is_none()),
            ended,
        }
    }

    /// Records lines of a connection, each after `head`. The first starts with `begun`.
    fn record<'l>(&self, head: &[u8], begun: &[u8], lines: impl Iterator<Item = &'l [u8]>) {
        self.shared.buffer.record(head, begun, lines);
    }
}

impl Shared {
    /// Writes lines to the file until the recording ends.
    fn write_all(&self, file: File) {
        self.buffer.write_all(file, self.deadline);
        drop(self.memory.lock().map(|mut memory| memory.take()));
        let end = self.buffer.finish();
        let (path, recorded, why) = (self.settings.path.display(), end.recorded, end.why);
        let mut line = format!("the recording {path} has ended with {recorded} bytes: {why}");
        if end.left_out > 0 {
            let clients = end.left_out;
            line += &format!("; {clients} clients had too many live events to be recorded");
        }
        self.log.say(format_args!("{line}"));
    }
}

#[cfg(test)]
mod tests;
