//! A bounded queue of log lines and the thread that writes them.
//!
//! If standard error is a pipe that is not read, only this thread blocks.

use std::{collections::VecDeque, io, mem, sync::Arc, time::Duration};

use crate::process::sync::{Condvar, Mutex, MutexGuard, PoisonError, thread};

/// Lines that wait at most.
const MAX_LINES: usize = 1024;

/// Bytes of lines that wait at most; a longer line waits alone.
const MAX_BYTES: usize = 1 << 20;

/// The sending end of a queue of lines. The thread ends after it is dropped and
/// all lines are written.
pub(crate) struct LineQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There are lines, or the queue has ended.
    work: Condvar,
    /// Lines were written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    bytes: usize,
    /// Lines accepted and written, in total.
    accepted: u64,
    written: u64,
    /// Lines dropped in total, and those that the log does not mention yet.
    dropped: u64,
    unmentioned: u64,
    has_ended: bool,
}

impl LineQueue {
    pub(crate) fn start(write: impl FnMut(&str) + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let queue = Self(Arc::clone(&shared));
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || shared.write_all(write))?;
        Ok(queue)
    }

    pub(crate) fn push(&self, line: &str) {
        let mut state = self.0.lock();
        let fits = state.lines.is_empty() || state.bytes + line.len() <= MAX_BYTES;
        if !fits || state.lines.len() >= MAX_LINES {
            state.dropped += 1;
            state.unmentioned += 1;
            return;
        }
        state.accepted += 1;
        state.bytes += line.len();
        state.lines.push_back(line.to_owned());
        drop(state);
        self.0.work.notify_one();
    }

    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let state = self.0.lock();
        let accepted = state.accepted;
        let waits = |state: &mut State| state.written < accepted;
        let waited = self.0.written.wait_timeout_while(state, patience, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.written >= accepted
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }
}

impl Drop for LineQueue {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.work.notify_one();
    }
}

impl Shared {
    /// Locks the state, which is valid after each statement.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn write_all(&self, mut write: impl FnMut(&str)) {
        while let Some((line, dropped)) = self.next() {
            if let Some(line) = &line {
                write(line);
            }
            if dropped > 0 {
                write(&format!(
                    "{dropped} lines of the log were dropped, because they were not read in time"
                ));
            }
            self.lock().written += u64::from(line.is_some());
            self.written.notify_all();
        }
    }

    /// Waits for the next line. The dropped lines follow the last waiting one.
    /// `None` at the end.
    fn next(&self) -> Option<(Option<String>, u64)> {
        let waits = |state: &mut State| {
            state.lines.is_empty() && state.unmentioned == 0 && !state.has_ended
        };
        let state = self.work.wait_while(self.lock(), waits);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let line = state.lines.pop_front();
        state.bytes -= line.as_ref().map_or(0, String::len);
        let dropped = match state.lines.is_empty() {
            true => mem::take(&mut state.unmentioned),
            false => 0,
        };
        (line.is_some() || dropped > 0).then_some((line, dropped))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const MAX_WAIT: Duration = Duration::from_secs(20);

    #[test]
    fn lines_are_written_in_order() {
        let (sender, written) = mpsc::channel();
        let queue = LineQueue::start(move |line| sender.send(line.to_owned()).unwrap()).unwrap();
        for line in ["one", "", "two"] {
            queue.push(line);
        }
        assert!(queue.flush(MAX_WAIT));
        assert_eq!(written.try_iter().collect::<Vec<_>>(), ["one", "", "two"]);
        assert_eq!(queue.dropped(), 0);
        // The thread ends, and with it the sender.
        queue.push("last");
        drop(queue);
        assert_eq!(written.iter().collect::<Vec<_>>(), ["last"]);
    }

    #[test]
    fn a_blocked_writer_blocks_nothing_and_lines_are_counted() {
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let (sender, written) = mpsc::channel();
        let queue = LineQueue::start(move |line| {
            let _ = begun.send(());
            // Blocks until the other end is dropped.
            let _ = released.recv();
            sender.send(line.to_owned()).unwrap();
        });
        let queue = queue.unwrap();
        queue.push("first");
        has_begun.recv().unwrap();
        for _ in 0..MAX_LINES + 7 {
            queue.push("line");
        }
        queue.push(&"x".repeat(MAX_BYTES + 1));
        assert_eq!(queue.dropped(), 8);
        assert!(!queue.flush(Duration::from_millis(10)));
        drop(release);
        assert!(queue.flush(MAX_WAIT));
        drop(queue);
        let lines: Vec<_> = written.iter().collect();
        assert_eq!(lines.len(), 1 + MAX_LINES + 1);
        assert!(
            lines
                .last()
                .unwrap()
                .starts_with("8 lines of the log were dropped")
        );
    }

    #[test]
    fn waiting_lines_have_a_limit_of_bytes() {
        let (release, released) = mpsc::channel::<()>();
        let queue = LineQueue::start(move |_| released.recv().unwrap_or(())).unwrap();
        let line = "x".repeat(MAX_BYTES / 4);
        for _ in 0..10 {
            queue.push(&line);
        }
        // Four wait, and one may be with the thread.
        assert!((5..=6).contains(&queue.dropped()), "{}", queue.dropped());
        drop(release);
    }
}
