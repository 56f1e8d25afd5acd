//! The read delay: how long a worker lets lines collect in the sockets.
//!
//! Dovecot's processes write each line with a system call of its own. A worker
//! that is woken for each line spends more on waking than on the line, and takes
//! a processor from the process that wrote it, during a user's command. So a
//! worker that has emptied its sockets with few bytes reads again after a delay:
//! nothing waits for the effect of a line. (The thread that accepts clients
//! [greets](crate::worker::greeting) them.)
//!
//! The delay is short under load: a socket holds some hundred lines, and a client
//! with a full socket has to wait.

use std::{
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// The longest delay, used while few lines come.
const MAX_DELAY_MICROS: u32 = 2_000;

/// The shortest delay: shorter sleeps cost more than they save.
const MIN_DELAY_MICROS: u32 = 50;

/// Bytes that may collect during a delay: two thirds of what the socket of one
/// client holds when each line is a write of its own.
const TARGET_BYTES: usize = 40 * 1024;

/// A worker that has read this much without a pause is behind, and does not wait.
const BUSY_BYTES: usize = 64 * 1024;

/// The bytes that a worker has read since it was last idle.
#[derive(Debug)]
pub(crate) struct ReadDelay {
    read: AtomicUsize,
    /// The last delay, in microseconds.
    delay: AtomicU32,
}

impl Default for ReadDelay {
    fn default() -> Self {
        Self {
            read: AtomicUsize::new(0),
            delay: AtomicU32::new(MAX_DELAY_MICROS),
        }
    }
}

impl ReadDelay {
    /// Counts bytes that were read.
    pub(crate) fn read(&self, bytes: usize) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sleeps for the delay; called when the worker has nothing to do.
    pub(crate) fn pause(&self) {
        if let Some(delay) = self.next_delay() {
            thread::sleep(delay);
        }
    }

    /// Returns the time in which the target collects at the rate of the last
    /// reads. `None` if nothing was read since the last call, so that an idle
    /// worker sleeps until it is woken, or if the worker is behind.
    fn next_delay(&self) -> Option<Duration> {
        let read = self.read.swap(0, Ordering::Relaxed);
        if read == 0 {
            return None;
        }
        let last = self.delay.load(Ordering::Relaxed);
        let fitting = last as usize * TARGET_BYTES / read;
        // A single line may be the first of many: the delay grows slowly.
        let longest = MAX_DELAY_MICROS.min(2 * last);
        let next = u32::try_from(fitting).unwrap_or(longest);
        let next = next.clamp(MIN_DELAY_MICROS, longest);
        self.delay.store(next, Ordering::Relaxed);
        (read < BUSY_BYTES).then(|| Duration::from_micros(next.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::{BUSY_BYTES, MAX_DELAY_MICROS, MIN_DELAY_MICROS, ReadDelay, TARGET_BYTES};

    /// Checks the delay, in microseconds, after these reads.
    fn check(read_delay: &ReadDelay, reads: &[usize], expected: Option<u32>) {
        for bytes in reads {
            read_delay.read(*bytes);
        }
        let delay = read_delay.next_delay().map(|delay| delay.as_micros());
        assert_eq!(delay, expected.map(Into::into), "{reads:?}");
        assert_eq!(read_delay.next_delay(), None, "nothing was read since");
    }

    #[test]
    fn a_worker_that_is_not_behind_waits() {
        let read_delay = ReadDelay::default();
        check(&read_delay, &[], None);
        check(&read_delay, &[1], Some(MAX_DELAY_MICROS));
        check(
            &read_delay,
            &[TARGET_BYTES / 2, TARGET_BYTES / 2],
            Some(MAX_DELAY_MICROS),
        );
        check(&read_delay, &[BUSY_BYTES / 2, BUSY_BYTES / 2], None);
        check(&read_delay, &[BUSY_BYTES], None);
    }

    #[test]
    fn the_delay_is_shorter_under_load() {
        let read_delay = ReadDelay::default();
        check(&read_delay, &[60_000], Some(1_365));
        check(&read_delay, &[60_000], Some(931));
        check(&read_delay, &[TARGET_BYTES], Some(931));
        check(&read_delay, &[BUSY_BYTES], None);
        check(&read_delay, &[TARGET_BYTES], Some(581));
        for _ in 0..30 {
            read_delay.read(BUSY_BYTES - 1);
            read_delay.next_delay();
        }
        check(&read_delay, &[BUSY_BYTES - 1], Some(MIN_DELAY_MICROS));
        check(&read_delay, &[400], Some(2 * MIN_DELAY_MICROS));
        check(&read_delay, &[400], Some(4 * MIN_DELAY_MICROS));
    }
}
