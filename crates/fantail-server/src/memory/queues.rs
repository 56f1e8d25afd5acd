//! The memory of exporters' queues.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fantail_transport::QueueMemory;

use super::{Budget, Reservation};

/// Bytes that each queue has for itself, so that one with a dead target leaves
/// memory to the others; with what workers have gathered for it.
const QUEUE_BYTES: usize = 1 << 20;

/// The memory of one queue: some bytes for itself, and the part of all queues.
#[derive(Debug)]
pub(crate) struct QueueShare(Mutex<Held>);

#[derive(Debug)]
struct Held {
    used: usize,
    reserved: Reservation,
}

impl QueueShare {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self(Mutex::new(Held {
            used: 0,
            reserved: budget.reserve_anyway(QUEUE_BYTES),
        }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueMemory for QueueShare {
    fn reserve(&self, bytes: usize) -> bool {
        let mut held = self.held();
        let needed = held.used + bytes;
        let fits = held.reserved.follow(needed.max(QUEUE_BYTES));
        if fits {
            held.used = needed;
        }
        fits
    }

    fn release(&self, bytes: usize) {
        let mut held = self.held();
        debug_assert!(bytes <= held.used, "more is given back than was reserved");
        held.used -= bytes;
        let needed = held.used.max(QUEUE_BYTES);
        let fits = held.reserved.follow(needed);
        debug_assert!(fits, "less is needed than before");
    }
}

#[cfg(test)]
mod tests {
    use fantail_transport::QueueMemory as _;

    use super::{QUEUE_BYTES, QueueShare};
    use crate::memory::Budget;

    /// A queue that takes everything leaves the next one its own bytes.
    #[test]
    fn each_queue_has_bytes_for_itself() {
        let budget = Budget::new(4 * QUEUE_BYTES);
        let [greedy, other] = [(); 2].map(|()| QueueShare::new(&budget));
        assert!(greedy.reserve(3 * QUEUE_BYTES) && !greedy.reserve(1));
        assert!(other.reserve(QUEUE_BYTES) && !other.reserve(1));
        greedy.release(QUEUE_BYTES);
        assert!(other.reserve(QUEUE_BYTES / 2));
        drop((greedy, other));
        assert_eq!(budget.used(), 0);
    }
}
