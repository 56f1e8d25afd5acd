//! The memory of the server: one object that its parts reserve from.
//!
//! Each part has a guaranteed share, and takes what it needs beyond from a common
//! pool. A part that finds no memory left closes a connection or refuses a request;
//! the other parts keep their shares.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A part of the server that reserves memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Live events, incomplete lines and sessions.
    Connections,
    /// Snapshots of answers, and text that clients have not read.
    Answers,
}

impl Part {
    pub(crate) const ALL: [Self; 2] = [Self::Connections, Self::Answers];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Answers => "answers",
        }
    }

    /// The guaranteed share of all memory, in quarters; one is the common pool.
    const fn quarters(self) -> usize {
        match self {
            Self::Connections => 2,
            Self::Answers => 1,
        }
    }
}

/// All memory; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    shares: Arc<Mutex<Shares>>,
}

#[derive(Debug)]
struct Shares {
    /// In the order of [`Part::ALL`].
    guaranteed: [usize; 2],
    used: [usize; 2],
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
        let guaranteed = Part::ALL.map(|part| bytes / 4 * part.quarters());
        Self::with(guaranteed, bytes / 4)
    }

    fn with(guaranteed: [usize; 2], pool: usize) -> Self {
        let shares = Shares {
            guaranteed,
            used: [0; 2],
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
        Memory::with([bytes; 2], 0).budget(Part::Answers)
    }

    /// Bytes that are reserved.
    pub(crate) fn used(&self) -> usize {
        self.memory.shares().used[self.part as usize]
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

/// Text that reserves its memory.
#[derive(Debug)]
pub(crate) struct ReservedText {
    text: Vec<u8>,
    reservation: Reservation,
}

impl ReservedText {
    /// The least that is allocated at a time.
    const MIN_GROWTH_BYTES: usize = 64 << 10;

    pub(crate) fn new(budget: &Budget) -> Self {
        Self {
            text: Vec::new(),
            reservation: budget.reserve_anyway(0),
        }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The budget has no more memory.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        let free = self.text.capacity() - self.text.len();
        if bytes.len() > free {
            let growth = (self.text.len() / 4).max(Self::MIN_GROWTH_BYTES);
            let growth = growth.max(bytes.len() - free);
            if !self.reservation.grow(growth) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            self.text.reserve_exact(free + growth);
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }
}

impl AsRef<[u8]> for ReservedText {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Memory, Part, ReservedText};

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
        let memory = Memory::new(400);
        let [connections, answers] = Part::ALL.map(|part| memory.budget(part));
        let mut events = connections.reserve_anyway(0);
        assert!(events.grow(300) && !events.grow(1), "200 and the pool");
        let mut text = answers.reserve_anyway(0);
        assert!(text.grow(100) && !text.grow(1), "the share alone");
        events.shrink(50);
        assert!(text.grow(50) && !text.grow(1), "the pool is shared");
        assert!(!events.grow(1));
    }

    #[test]
    fn a_text_reserves_what_it_has_allocated() {
        let budget = Budget::new(1 << 20);
        let mut text = ReservedText::new(&budget);
        text.push(&[0; 100_000]).unwrap();
        assert!(budget.used() >= 100_000);
        assert!(text.push(&[0; 1 << 20]).is_err());
        assert_eq!(text.as_ref().len(), 100_000);
        drop(text);
        assert_eq!(budget.used(), 0);
    }
}
