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

mod recordings;
mod tape;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fantail_event::Timestamp;

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
    /// The maximum number of bytes that wait.
    max_waiting: usize,
    /// The memory of the buffer, released at the end.
    memory: Mutex<Option<Reservation>>,
    state: Mutex<State>,
    /// Notified when lines wait, and at the end.
    wake: Condvar,
    /// Whether [`State::ended`] is set, which workers read without a lock.
    is_over: AtomicBool,
    /// Number of the next connection.
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Lines that are not written yet.
    waiting: Vec<u8>,
    /// The number of recorded bytes.
    recorded: u64,
    ended: Option<String>,
    /// The number of connections that had too many live events to be recorded.
    left_out: u64,
    /// Whether the recording has ended and its thread writes no more.
    is_written: bool,
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

/// The number of waiting bytes at which the thread wakes up.
const BLOCK_BYTES: usize = 256 * 1024;

/// The memory of a recording: one half for lines that wait, the other for lines that
/// are being written. A recording that needs more ends.
const MAX_BUFFER_BYTES: usize = 16 << 20;

/// The maximum time that lines wait.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);

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
            max_waiting: reservation.bytes() / 2,
            memory: Mutex::new(Some(reservation)),
            state: Mutex::default(),
            wake: Condvar::new(),
            is_over: AtomicBool::new(false),
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
        self.shared.is_over.load(Ordering::Relaxed)
    }

    /// Counts a connection that is not recorded.
    pub(crate) fn leave_out(&self) {
        self.shared.lock().left_out += 1;
    }

    /// Ends the recording.
    pub(crate) fn end(&self, why: &str) {
        self.shared.end(&mut self.shared.lock(), why.to_owned());
    }

    /// Waits until the file is written; returns `false` after `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let state = self.shared.lock();
        let waited = self
            .shared
            .wake
            .wait_timeout_while(state, patience, |state| !state.is_written);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_written
    }

    pub(crate) fn status(&self) -> RecordingStatus {
        let Shared {
            settings, deadline, ..
        } = &*self.shared;
        let state = self.shared.lock();
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        RecordingStatus {
            path: settings.path.clone(),
            began: self.shared.began,
            recorded: state.recorded,
            limit: settings.limit,
            left: deadline.map(left).filter(|_| state.ended.is_none()),
            ended: state.ended.clone(),
        }
    }

    /// Records lines of a connection, each after `head`. The first starts with `begun`.
    fn record<'l>(&self, head: &[u8], begun: &[u8], lines: impl Iterator<Item = &'l [u8]>) {
        if self.is_over() {
            return;
        }
        let mut state = self.shared.lock();
        let mut begun = begun;
        for line in lines {
            if !self.shared.push(&mut state, &[head, begun, line]) {
                return;
            }
            begun = &[];
        }
        if state.waiting.len() >= BLOCK_BYTES {
            self.shared.wake.notify_all();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // After a panic of another thread, at worst one line is incomplete.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, state: &mut State, why: String) {
        if state.ended.is_none() {
            state.ended = Some(why);
            self.is_over.store(true, Ordering::Relaxed);
            self.wake.notify_all();
        }
    }

    /// Appends a line of several parts; returns `false` if the recording has ended.
    fn push(&self, state: &mut State, parts: &[&[u8]]) -> bool {
        if state.ended.is_some() {
            return false;
        }
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
        let recorded = state.recorded + bytes as u64;
        if recorded > self.settings.limit {
            self.end(state, "the file has reached its limit".to_owned());
            return false;
        }
        if state.waiting.len() + bytes > self.max_waiting {
            self.end(state, "the file is written too slowly".to_owned());
            return false;
        }
        state.recorded = recorded;
        parts
            .iter()
            .for_each(|part| state.waiting.extend_from_slice(part));
        state.waiting.push(b'\n');
        true
    }

    /// Writes lines to the file until the recording ends.
    fn write_all(&self, mut file: File) {
        let mut block = Vec::new();
        loop {
            let mut state = self.lock();
            let is_quiet =
                |state: &mut State| state.waiting.len() < BLOCK_BYTES && state.ended.is_none();
            let waited = self
                .wake
                .wait_timeout_while(state, WRITE_INTERVAL, is_quiet);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
            {
                self.end(&mut state, "its time is over".to_owned());
            }
            let is_over = state.ended.is_some();
            std::mem::swap(&mut state.waiting, &mut block);
            drop(state);
            let written = file.write_all(&block);
            block.clear();
            if let Err(error) = &written {
                let mut state = self.lock();
                state.waiting = Vec::new();
                self.end(&mut state, format!("it cannot be written: {error}"));
            }
            if is_over || written.is_err() {
                break;
            }
        }
        let mut state = self.lock();
        state.waiting = Vec::new();
        drop((block, self.memory.lock().map(|mut memory| memory.take())));
        state.is_written = true;
        self.wake.notify_all();
        let (path, recorded) = (self.settings.path.display(), state.recorded);
        let why = state.ended.as_deref().unwrap_or_default();
        let mut line = format!("the recording {path} has ended with {recorded} bytes: {why}");
        if state.left_out > 0 {
            let clients = state.left_out;
            line += &format!("; {clients} clients had too many live events to be recorded");
        }
        drop(state);
        self.log.say(format_args!("{line}"));
    }
}

#[cfg(test)]
mod tests;
