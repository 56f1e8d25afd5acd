//! Memory that answers hold until their clients have read them.
//!
//! An answer reserves its snapshot, and the text that its client has not read. An
//! answer that finds no memory left is refused; the client may ask again later.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A bounded number of bytes; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    used: AtomicUsize,
    limit: usize,
}

/// Bytes of a budget; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        let used = AtomicUsize::new(0);
        Self {
            shared: Arc::new(Shared { used, limit }),
        }
    }

    /// Bytes that are reserved.
    pub(crate) fn used(&self) -> usize {
        self.shared.used.load(Ordering::Relaxed)
    }

    /// Reserves bytes even if the budget has no more, for what exists already.
    pub(crate) fn reserve_anyway(&self, bytes: usize) -> Reservation {
        self.shared.used.fetch_add(bytes, Ordering::Relaxed);
        Reservation {
            budget: self.clone(),
            bytes,
        }
    }

    /// Whether nothing more can be reserved.
    pub(crate) fn is_full(&self) -> bool {
        self.used() >= self.shared.limit
    }
}

impl Reservation {
    /// Reserves more bytes; returns whether the budget had them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let shared = &self.budget.shared;
        let take = |used: usize| {
            let sum = used.checked_add(bytes);
            sum.filter(|sum| *sum <= shared.limit)
        };
        let taken = shared
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        self.bytes += if taken.is_ok() { bytes } else { 0 };
        taken.is_ok()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let before = self
            .budget
            .shared
            .used
            .fetch_sub(self.bytes, Ordering::Relaxed);
        debug_assert!(before >= self.bytes, "more is given back than was reserved");
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
    use super::{Budget, ReservedText};

    #[test]
    fn no_more_is_reserved_than_the_budget_has() {
        let budget = Budget::new(100);
        let mut one = budget.reserve_anyway(60);
        let mut other = budget.reserve_anyway(0);
        assert!(!other.grow(41) && other.grow(40) && !one.grow(1));
        assert!(budget.is_full() && budget.used() == 100);
        drop((one, other));
        assert_eq!(budget.used(), 0);
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
