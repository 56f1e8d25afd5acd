//! How a worker lets lines gather.
//!
//! Dovecot's processes write each line by itself. A worker that slept between
//! them would be woken for each: that costs it more than the line does, and
//! takes a processor from the very process that has just written, in the
//! middle of a user's command. So a worker that has read all there was, and
//! little of it, looks again a moment later and not at once: nobody waits for
//! what it does with a line. (Clients are [greeted](crate::greeting) by the
//! thread that accepts them.)

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// How long lines gather. A socket holds some hundred lines; a client that
/// finds it full keeps the others until it has room.
const MOMENT: Duration = Duration::from_millis(2);

/// Who has read so much without a rest is behind, and need not wait for more.
const MUCH: usize = 64 * 1024;

/// What a worker has read since it last had nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Gathering(AtomicUsize);

impl Gathering {
    /// So many bytes were read.
    pub(crate) fn read(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// There is nothing to do: waits a moment if lines may gather meanwhile.
    pub(crate) fn pause(&self) {
        if self.is_worth_it() {
            thread::sleep(MOMENT);
        }
    }

    /// Whether something was read since the last call, but not much: an idle
    /// worker sleeps until it is woken.
    fn is_worth_it(&self) -> bool {
        let read = self.0.swap(0, Ordering::Relaxed);
        (1..MUCH).contains(&read)
    }
}

#[cfg(test)]
mod tests {
    use super::{Gathering, MUCH};

    fn check(reads: &[usize], expected: bool) {
        let gathering = Gathering::default();
        for bytes in reads {
            gathering.read(*bytes);
        }
        assert_eq!(gathering.is_worth_it(), expected, "{reads:?}");
        assert!(!gathering.is_worth_it(), "nothing came since: {reads:?}");
    }

    #[test]
    fn few_lines_are_worth_a_pause() {
        check(&[], false);
        check(&[1], true);
        check(&[MUCH / 2, MUCH / 2 - 1], true);
        check(&[MUCH / 2, MUCH / 2], false);
        check(&[MUCH], false);
    }
}
