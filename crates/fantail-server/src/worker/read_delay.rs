//! How a worker lets lines gather.
//!
//! Dovecot's processes write each line by itself. A worker that slept between
//! them would be woken for each: that costs it more than the line does, and
//! takes a processor from the very process that has just written, in the
//! middle of a user's command. So a worker that has read all there was, and
//! little of it, looks again a moment later and not at once: nobody waits for
//! what it does with a line. (Clients are [greeted](crate::socket::greeting) by the
//! thread that accepts them.)
//!
//! The moment is short where much comes: a socket holds some hundred lines, and
//! a client that finds it full would have to wait.

use std::{
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// How long lines gather where few come, in microseconds.
const LONGEST: u32 = 2_000;

/// Less is not worth to lie down.
const SHORTEST: u32 = 50;

/// So many bytes are to gather at most: two thirds of what one client's socket
/// holds when each line is a write of its own.
const ENOUGH: usize = 40 * 1024;

/// Who has read so much without a rest is behind, and need not wait for more.
const MUCH: usize = 64 * 1024;

/// What a worker has read since it last had nothing to do.
#[derive(Debug)]
pub(crate) struct ReadDelay {
    read: AtomicUsize,
    /// The last moment.
    moment: AtomicU32,
}

impl Default for ReadDelay {
    fn default() -> Self {
        Self {
            read: AtomicUsize::new(0),
            moment: AtomicU32::new(LONGEST),
        }
    }
}

impl ReadDelay {
    /// So many bytes were read.
    pub(crate) fn read(&self, bytes: usize) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// There is nothing to do: waits a moment if lines may gather meanwhile.
    pub(crate) fn pause(&self) {
        if let Some(moment) = self.next_moment() {
            thread::sleep(moment);
        }
    }

    /// How long to wait: for as much to come as is enough, if it comes as it
    /// came before. `None` if nothing was read since the last call, so that an
    /// idle worker sleeps until it is woken, or if it was much.
    fn next_moment(&self) -> Option<Duration> {
        let read = self.read.swap(0, Ordering::Relaxed);
        if read == 0 {
            return None;
        }
        let last = self.moment.load(Ordering::Relaxed);
        let fitting = last as usize * ENOUGH / read;
        // A line alone, before the next ones, does not mean that few come.
        let longest = LONGEST.min(2 * last);
        let next = u32::try_from(fitting).unwrap_or(longest);
        let next = next.clamp(SHORTEST, longest);
        self.moment.store(next, Ordering::Relaxed);
        (read < MUCH).then(|| Duration::from_micros(next.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, LONGEST, MUCH, ReadDelay, SHORTEST};

    /// After these reads the worker waits so many microseconds.
    fn check(gathering: &ReadDelay, reads: &[usize], expected: Option<u32>) {
        for bytes in reads {
            gathering.read(*bytes);
        }
        let moment = gathering.next_moment().map(|moment| moment.as_micros());
        assert_eq!(moment, expected.map(Into::into), "{reads:?}");
        assert_eq!(gathering.next_moment(), None, "nothing came since");
    }

    #[test]
    fn few_lines_are_worth_a_pause() {
        let gathering = ReadDelay::default();
        check(&gathering, &[], None);
        check(&gathering, &[1], Some(LONGEST));
        check(&gathering, &[ENOUGH / 2, ENOUGH / 2], Some(LONGEST));
        check(&gathering, &[MUCH / 2, MUCH / 2], None);
        check(&gathering, &[MUCH], None);
    }

    #[test]
    fn the_more_comes_the_shorter_it_is() {
        let gathering = ReadDelay::default();
        check(&gathering, &[60_000], Some(1_365));
        check(&gathering, &[60_000], Some(931));
        check(&gathering, &[ENOUGH], Some(931));
        check(&gathering, &[MUCH], None);
        check(&gathering, &[ENOUGH], Some(581));
        for _ in 0..30 {
            gathering.read(MUCH - 1);
            gathering.next_moment();
        }
        check(&gathering, &[MUCH - 1], Some(SHORTEST));
        check(&gathering, &[400], Some(2 * SHORTEST));
        check(&gathering, &[400], Some(4 * SHORTEST));
    }
}
