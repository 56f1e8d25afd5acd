//! The lines of a recording that wait for its file.

use std::{
    io::Write,
    mem,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use crate::process::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The number of waiting bytes at which the thread wakes up.
const BLOCK_BYTES: usize = 256 * 1024;

/// The maximum time that lines wait.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);

/// The lines that workers recorded and that the thread of the file has not written.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// The number of bytes after which the recording ends.
    limit: u64,
    /// The maximum number of bytes that wait.
    max_waiting: usize,
    state: Mutex<State>,
    /// Notified when lines wait, and at the end.
    wake: Condvar,
    /// Whether [`State::ended`] is set, which workers read without a lock.
    is_over: AtomicBool,
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

/// How a recording ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) why: String,
    pub(crate) recorded: u64,
    pub(crate) left_out: u64,
}

impl Buffer {
    pub(crate) fn new(limit: u64, max_waiting: usize) -> Self {
        Self {
            limit,
            max_waiting,
            state: Mutex::default(),
            wake: Condvar::new(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Returns whether the recording has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Counts a connection that is not recorded.
    pub(crate) fn leave_out(&self) {
        self.lock().left_out += 1;
    }

    /// Ends the recording, unless it has ended.
    pub(crate) fn end(&self, why: &str) {
        self.end_locked(&mut self.lock(), why.to_owned());
    }

    /// Returns the number of recorded bytes, and why the recording has ended.
    pub(crate) fn status(&self) -> (u64, Option<String>) {
        let state = self.lock();
        (state.recorded, state.ended.clone())
    }

    /// Waits until the file is written; returns `false` after `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let waits = |state: &mut State| !state.is_written;
        let waited = self.wake.wait_timeout_while(self.lock(), patience, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_written
    }

    /// Records lines, each after `head`. The first starts with `begun`.
    pub(crate) fn record<'l>(
        &self,
        head: &[u8],
        begun: &[u8],
        lines: impl Iterator<Item = &'l [u8]>,
    ) {
        if self.is_over() {
            return;
        }
        let mut state = self.lock();
        let mut begun = begun;
        for line in lines {
            if !self.push(&mut state, &[head, begun, line]) {
                return;
            }
            begun = &[];
        }
        if state.waiting.len() >= BLOCK_BYTES {
            self.wake.notify_all();
        }
    }

    /// Writes lines to the file until the recording ends, at the latest at the deadline.
    pub(crate) fn write_all(&self, mut file: impl Write, deadline: Option<Instant>) {
        let mut block = Vec::new();
        loop {
            let is_over = self.take(&mut block, deadline);
            let written = file.write_all(&block);
            block.clear();
            if let Err(error) = &written {
                let mut state = self.lock();
                state.waiting = Vec::new();
                self.end_locked(&mut state, format!("it cannot be written: {error}"));
            }
            if is_over || written.is_err() {
                break;
            }
        }
        self.lock().waiting = Vec::new();
    }

    /// Reports that nothing more is written.
    pub(crate) fn finish(&self) -> End {
        let mut state = self.lock();
        state.is_written = true;
        self.wake.notify_all();
        End {
            why: state.ended.clone().unwrap_or_default(),
            recorded: state.recorded,
            left_out: state.left_out,
        }
    }

    /// Waits for lines, and takes all that wait; returns whether they are the last.
    fn take(&self, block: &mut Vec<u8>, deadline: Option<Instant>) -> bool {
        let is_quiet =
            |state: &mut State| state.waiting.len() < BLOCK_BYTES && state.ended.is_none();
        let waited = self
            .wake
            .wait_timeout_while(self.lock(), WRITE_INTERVAL, is_quiet);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.end_locked(&mut state, "its time is over".to_owned());
        }
        mem::swap(&mut state.waiting, block);
        state.ended.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // After a panic of another thread, at worst one line is incomplete.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_locked(&self, state: &mut State, why: String) {
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
        if recorded > self.limit {
            self.end_locked(state, "the file has reached its limit".to_owned());
            return false;
        }
        if state.waiting.len() + bytes > self.max_waiting {
            self.end_locked(state, "the file is written too slowly".to_owned());
            return false;
        }
        state.recorded = recorded;
        parts
            .iter()
            .for_each(|part| state.waiting.extend_from_slice(part));
        state.waiting.push(b'\n');
        true
    }
}
