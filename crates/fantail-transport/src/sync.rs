//! Locks and signals that threads of a queue share.
//!
//! They are those of the standard library. With `--cfg shuttle` they are those of
//! shuttle, whose scheduler then decides which thread goes on.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, PoisonError};
#[cfg(not(shuttle))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A condition that threads wait for, and how often it was signalled.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    condition: Condvar,
    count: AtomicU64,
}

impl Signal {
    pub(crate) fn notify_one(&self) {
        #[cfg(shuttle)]
        if planted::is_lost() {
            return;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.condition.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        #[cfg(shuttle)]
        if planted::is_lost() {
            return;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.condition.notify_all();
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits for a signal or until a time.
    #[cfg(not(shuttle))]
    pub(crate) fn wait<T>(&self, state: MutexGuard<'_, T>, until: Option<Instant>) {
        drop(self.wait_locked(state, until));
    }

    /// Waits for a signal; until a time by letting other threads go on, since shuttle
    /// has no time.
    #[cfg(shuttle)]
    pub(crate) fn wait<T>(&self, state: MutexGuard<'_, T>, until: Option<Instant>) {
        match until {
            None => drop(self.wait_locked(state, until)),
            Some(_) => {
                drop(state);
                shuttle::thread::yield_now();
            }
        }
    }

    /// Waits for a signal or until a time, and locks the state again.
    pub(crate) fn wait_locked<'a, T>(
        &self,
        state: MutexGuard<'a, T>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, T> {
        let Some(until) = until else {
            let waited = self.condition.wait(state);
            return waited.unwrap_or_else(PoisonError::into_inner);
        };
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.condition.wait_timeout(state, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A planted fault, which the models must find.
#[cfg(shuttle)]
pub mod planted {
    use std::cell::Cell;

    thread_local! {
        // All threads of a model run on one thread of the system.
        static UNTIL_LOST: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Loses the signal after this many others; `None` loses none.
    pub fn lose_signal(after: Option<u32>) {
        UNTIL_LOST.set(after);
    }

    pub(super) fn is_lost() -> bool {
        let left = UNTIL_LOST.get();
        UNTIL_LOST.set(left.and_then(|left| left.checked_sub(1)));
        left == Some(0)
    }
}
