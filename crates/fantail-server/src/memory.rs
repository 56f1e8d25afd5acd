//! The memory limit of the server, from which all its parts reserve.
//!
//! Each part has a guaranteed share and takes more from a common pool. `docs/limits.md`
//! describes how each part behaves when no memory is left; the other parts keep their
//! shares.
//!
//! A reservation grows in steps, so that most events need no lock.

mod shared;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::{shared::SharedMemory, text::ReservedText};

/// A part of the server that reserves memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The series of metrics.
    Series,
    /// Connections, with their live events and incomplete lines.
    Connections,
    /// Sessions, each with the event that it remembers.
    Sessions,
    /// Categories that clients registered.
    Categories,
    /// Payloads that wait for exporters.
    Queues,
    /// Snapshots for answers, unread text of clients, and kept events that taps show.
    Answers,
    /// Lines of a recording that wait for its file.
    Recordings,
    /// The last events that workers keep.
    Recent,
}

/// The number of units into which the memory is divided.
const UNITS: usize = 64;

impl Part {
    pub(crate) const ALL: [Self; 8] = [
        Self::Series,
        Self::Connections,
        Self::Sessions,
        Self::Categories,
        Self::Queues,
        Self::Answers,
        Self::Recordings,
        Self::Recent,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Connections => "connections",
            Self::Sessions => "sessions",
            Self::Categories => "categories",
            Self::Queues => "queues",
            Self::Answers => "answers",
            Self::Recordings => "recordings",
            Self::Recent => "recent",
        }
    }

    /// Returns the guaranteed share in units. Counts come first; the rest is the pool.
    const fn units(self) -> usize {
        match self {
            Self::Series => 20,
            Self::Connections => 8,
            Self::Sessions => 4,
            Self::Queues | Self::Answers => 6,
            Self::Recent => 2,
            Self::Categories | Self::Recordings => 1,
        }
    }
}

const PARTS: usize = Part::ALL.len();

/// Bytes by which reservations grow.
pub(crate) const STEP_BYTES: usize = 64 << 10;

/// All memory; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    shares: Arc<Mutex<Shares>>,
}

#[derive(Debug)]
struct Shares {
    /// In the order of [`Part::ALL`].
    guaranteed: [usize; PARTS],
    used: [usize; PARTS],
    pool: usize,
}

impl Shares {
    /// Bytes of the pool that are used.
    fn taken(&self) -> usize {
        let parts = self.used.iter().zip(self.guaranteed);
        parts.map(|(used, share)| used.saturating_sub(share)).sum()
    }
}

/// The memory of one part; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    memory: Memory,
    part: Part,
}

/// Bytes of a budget; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    bytes: usize,
}

impl Memory {
    /// Divides this many bytes among the parts.
    pub(crate) fn new(bytes: usize) -> Self {
        let guaranteed = Part::ALL.map(|part| bytes / UNITS * part.units());
        Self::with(guaranteed, bytes - guaranteed.iter().sum::<usize>())
    }

    fn with(guaranteed: [usize; PARTS], pool: usize) -> Self {
        let shares = Shares {
            guaranteed,
            used: [0; PARTS],
            pool,
        };
        Self {
            shares: Arc::new(Mutex::new(shares)),
        }
    }

    pub(crate) fn budget(&self, part: Part) -> Budget {
        let memory = self.clone();
        Budget { memory, part }
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    /// A budget that shares nothing.
    #[cfg(test)]
    pub(crate) fn new(bytes: usize) -> Self {
        Memory::with([bytes; PARTS], 0).budget(Part::Answers)
    }

    /// Bytes that are reserved.
    pub(crate) fn used(&self) -> usize {
        self.memory.shares().used[self.part as usize]
    }

    /// Returns the bytes that the part can reserve while the others stay within their
    /// shares.
    pub(crate) fn limit(&self) -> usize {
        let shares = self.memory.shares();
        shares.guaranteed[self.part as usize] + shares.pool
    }

    /// Reserves bytes even if the budget has no more, for what exists already.
    pub(crate) fn reserve_anyway(&self, bytes: usize) -> Reservation {
        self.memory.shares().used[self.part as usize] += bytes;
        Reservation {
            budget: self.clone(),
            bytes,
        }
    }

    /// Whether nothing more can be reserved.
    pub(crate) fn is_full(&self) -> bool {
        !self.reserve_anyway(0).grow(1)
    }
}

impl Reservation {
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reserves more bytes; returns whether the budget had them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let part = self.budget.part as usize;
        let mut shares = self.budget.memory.shares();
        let before = shares.taken();
        shares.used[part] += bytes;
        let taken = shares.taken();
        // Within its share, a part may grow even if others use too much.
        if taken > before && taken > shares.pool {
            shares.used[part] -= bytes;
            return false;
        }
        self.bytes += bytes;
        true
    }

    /// Adjusts the reservation to `needed` bytes, in steps. Returns whether there is
    /// enough memory.
    pub(crate) fn follow(&mut self, needed: usize) -> bool {
        if needed > self.bytes {
            let missing = needed - self.bytes;
            return self.grow(missing + STEP_BYTES) || self.grow(missing);
        }
        if self.bytes - needed > 2 * STEP_BYTES {
            self.shrink(self.bytes - needed - STEP_BYTES);
        }
        true
    }

    /// Adjusts the reservation to `needed` bytes even if there is not enough memory.
    pub(crate) fn follow_anyway(&mut self, needed: usize) {
        if !self.follow(needed) {
            let missing = needed - self.bytes;
            self.bytes += missing;
            self.budget.memory.shares().used[self.budget.part as usize] += missing;
        }
    }

    /// Gives bytes back.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.bytes, "more is given back than was reserved");
        self.bytes -= bytes;
        self.budget.memory.shares().used[self.budget.part as usize] -= bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Memory, Part, STEP_BYTES};

    #[test]
    fn no_more_is_reserved_than_the_budget_has() {
        let budget = Budget::new(100);
        let mut one = budget.reserve_anyway(60);
        let mut other = budget.reserve_anyway(0);
        assert!(!other.grow(41) && other.grow(40) && !one.grow(1));
        assert!(budget.is_full() && budget.used() == 100);
        one.shrink(10);
        assert_eq!((budget.used(), one.bytes()), (90, 50));
        drop((one, other));
        assert_eq!(budget.used(), 0);
    }

    /// A part that needs everything leaves the others their shares.
    #[test]
    fn shares_are_guaranteed_and_the_pool_is_common() {
        let memory = Memory::new(6_400);
        let guaranteed = Part::ALL.map(|part| 100 * part.units());
        let pool = 6_400 - guaranteed.iter().sum::<usize>();
        assert_eq!(pool, 1_600, "a quarter");
        let [connections, answers] =
            [Part::Connections, Part::Answers].map(|part| memory.budget(part));
        assert_eq!(connections.limit(), 800 + pool);
        let mut events = connections.reserve_anyway(0);
        assert!(events.grow(2_400) && !events.grow(1), "800 and the pool");
        let mut text = answers.reserve_anyway(0);
        assert!(text.grow(600) && !text.grow(1), "the share alone");
        events.shrink(50);
        assert!(text.grow(50) && !text.grow(1), "the pool is shared");
        assert!(!events.grow(1));
    }

    #[test]
    fn a_reservation_follows_in_steps() {
        let budget = Budget::new(10 * STEP_BYTES);
        let mut reservation = budget.reserve_anyway(0);
        assert!(reservation.follow(10));
        assert_eq!(reservation.bytes(), STEP_BYTES + 10);
        assert!(reservation.follow(STEP_BYTES) && reservation.follow(0));
        assert_eq!(reservation.bytes(), STEP_BYTES + 10, "kept for later");
        assert!(reservation.follow(10 * STEP_BYTES), "without a step beyond");
        assert!(!reservation.follow(10 * STEP_BYTES + 1));
        assert!(reservation.follow(0));
        assert_eq!(budget.used(), STEP_BYTES);
    }
}
