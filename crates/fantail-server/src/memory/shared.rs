//! The memory of one exporter's queue, or of one worker's series.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fantail_metrics::SeriesMemory;
use fantail_transport::QueueMemory;

use super::{Budget, Reservation};

/// The bytes that stay reserved for each queue and its export batches, so that a queue
/// with a dead target leaves memory to the others.
const QUEUE_BYTES: usize = 1 << 20;

/// The reservation of one owner in a part, which grows in steps to avoid contention
/// with other owners.
#[derive(Debug)]
pub(crate) struct SharedMemory(Mutex<Held>);

#[derive(Debug)]
struct Held {
    /// The bytes that are always reserved.
    floor: usize,
    used: usize,
    reserved: Reservation,
}

impl SharedMemory {
    /// Reserves the memory of a queue, at least [`QUEUE_BYTES`].
    pub(crate) fn of_queue(budget: &Budget) -> Self {
        Self::with_floor(budget, QUEUE_BYTES)
    }

    /// Returns the memory for the series of a worker, without a minimum.
    pub(crate) fn of_series(budget: &Budget) -> Self {
        Self::with_floor(budget, 0)
    }

    fn with_floor(budget: &Budget, floor: usize) -> Self {
        Self(Mutex::new(Held {
            floor,
            used: 0,
            reserved: budget.reserve_anyway(floor),
        }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: usize) -> bool {
        let mut held = self.held();
        let needed = held.used + bytes;
        let reserved = needed.max(held.floor);
        let fits = held.reserved.follow(reserved);
        if fits {
            held.used = needed;
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        let mut held = self.held();
        debug_assert!(bytes <= held.used, "more is given back than was reserved");
        held.used -= bytes;
        let reserved = held.used.max(held.floor);
        let fits = held.reserved.follow(reserved);
        debug_assert!(fits, "less is needed than before");
    }
}

impl QueueMemory for SharedMemory {
    fn reserve(&self, bytes: usize) -> bool {
        self.take(bytes)
    }

    fn release(&self, bytes: usize) {
        self.give_back(bytes);
    }
}

impl SeriesMemory for SharedMemory {
    fn reserve(&self, bytes: usize) -> bool {
        self.take(bytes)
    }

    fn reserve_anyway(&self, bytes: usize) {
        let mut held = self.held();
        held.used += bytes;
        let reserved = held.used.max(held.floor);
        held.reserved.follow_anyway(reserved);
    }

    fn release(&self, bytes: usize) {
        self.give_back(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{QUEUE_BYTES, SharedMemory};
    use crate::memory::Budget;

    /// A queue that takes all memory leaves the next queue its minimum.
    #[test]
    fn each_queue_has_bytes_for_itself() {
        let budget = Budget::new(4 * QUEUE_BYTES);
        let [greedy, other] = [(); 2].map(|()| SharedMemory::of_queue(&budget));
        assert!(greedy.take(3 * QUEUE_BYTES) && !greedy.take(1));
        assert!(other.take(QUEUE_BYTES) && !other.take(1));
        greedy.give_back(QUEUE_BYTES);
        assert!(other.take(QUEUE_BYTES / 2));
        drop((greedy, other));
        assert_eq!(budget.used(), 0);
    }
}
