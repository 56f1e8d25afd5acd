//! The order of changes of the configuration.
//!
//! It has no threads and no clock: [`Changes`](super::Changes) is the shell around it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Changes that wait, and the change in preparation. Changes take effect in the order
/// in which they came, and each is prepared with the result of those before it.
#[derive(Debug)]
pub struct ChangeQueue<C> {
    waiting: VecDeque<Waiting<C>>,
    current: Option<Current>,
    /// Reloads that were given up, and whose threads have not ended.
    stuck: usize,
    /// Longest time of a preparation.
    patience: Duration,
}

#[derive(Debug)]
struct Waiting<C> {
    change: C,
    is_reload: bool,
}

#[derive(Debug)]
struct Current {
    is_reload: bool,
    deadline: Instant,
}

/// What to do with the next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<C> {
    /// It is to be prepared now.
    Prepare(C),
    /// It is refused, because a reload that was given up still runs: only one reload
    /// at a time may open the exporters.
    Refuse(C),
}

impl<C> ChangeQueue<C> {
    /// Returns an empty queue whose changes are given up after a time.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self {
            waiting: VecDeque::new(),
            current: None,
            stuck: 0,
            patience,
        }
    }

    /// Adds a change behind the others.
    pub fn push(&mut self, change: C, is_reload: bool) {
        self.waiting.push_back(Waiting { change, is_reload });
    }

    /// Takes the next change, unless one is prepared.
    pub fn start(&mut self, now: Instant) -> Option<Start<C>> {
        if self.current.is_some() {
            return None;
        }
        let Waiting { change, is_reload } = self.waiting.pop_front()?;
        if is_reload && self.stuck > 0 {
            return Some(Start::Refuse(change));
        }
        self.current = Some(Current {
            is_reload,
            deadline: now + self.patience,
        });
        Some(Start::Prepare(change))
    }

    /// Returns when the change in preparation is given up.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.deadline)
    }

    /// The change in preparation has ended.
    pub fn prepared(&mut self) {
        self.current = None;
    }

    /// Gives up the change in preparation. Returns whether the end of its thread is to
    /// be told to [`stuck_ended`](Self::stuck_ended).
    pub fn give_up(&mut self) -> bool {
        let is_reload = self.current.take().is_some_and(|current| current.is_reload);
        self.stuck += usize::from(is_reload);
        is_reload
    }

    /// The thread of a reload that was given up has ended.
    pub const fn stuck_ended(&mut self) {
        self.stuck = self.stuck.saturating_sub(1);
    }

    /// Returns whether a reload waits or is prepared.
    #[must_use]
    pub fn is_reloading(&self) -> bool {
        let current = self.current.iter().map(|current| current.is_reload);
        let mut all = current.chain(self.waiting.iter().map(|waiting| waiting.is_reload));
        all.any(|is_reload| is_reload)
    }
}
