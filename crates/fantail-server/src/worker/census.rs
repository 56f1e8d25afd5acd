//! Counts the events of each name, while a page of a browser is open.
//!
//! Each worker has a shard of its own, so that its lock is contended only by the
//! page that reads it.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use fantail_event::SentEvent;

use crate::memory::{Budget, Reservation};

/// Shards: more workers share them.
const SHARDS: usize = 16;

/// Names that a shard counts; further names are counted together.
const MAX_NAMES: usize = 1000;

/// The longest name that is counted.
const MAX_NAME_BYTES: usize = 200;

/// The number of the next thread that counts.
static NEXT_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: usize = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
}

/// Bytes of a counted name beside its text.
const NAME_BYTES: usize = 64;

/// The counts of all workers.
#[derive(Debug)]
pub(crate) struct Census {
    shards: [Mutex<Shard>; SHARDS],
}

/// The counts of a worker, and the memory that is reserved for their names.
#[derive(Debug)]
struct Shard {
    counts: Counts,
    memory: Reservation,
}

/// Numbers of events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    /// By name.
    pub(crate) names: HashMap<Box<[u8]>, u64>,
    /// Events without a name.
    pub(crate) unnamed: u64,
    /// Events of names that were not counted one by one.
    pub(crate) other: u64,
}

impl Counts {
    /// Adds a count; `reserve` returns whether there is memory for another name.
    fn add(&mut self, name: Option<&[u8]>, count: u64, reserve: impl FnOnce(usize) -> bool) {
        let Some(name) = name else {
            self.unnamed += count;
            return;
        };
        let has_room = self.names.len() < MAX_NAMES && name.len() <= MAX_NAME_BYTES;
        if let Some(known) = self.names.get_mut(name) {
            *known += count;
        } else if has_room && reserve(name.len() + NAME_BYTES) {
            self.names.insert(name.into(), count);
        } else {
            self.other += count;
        }
    }
}

impl Shard {
    fn observe(&mut self, name: Option<&[u8]>) {
        let memory = &mut self.memory;
        self.counts.add(name, 1, |bytes| memory.grow(bytes));
    }
}

impl Census {
    /// Creates a census without counts, whose names are reserved from `memory`.
    pub(crate) fn new(memory: &Budget) -> Self {
        let shards = std::array::from_fn(|_| {
            Mutex::new(Shard {
                counts: Counts::default(),
                memory: memory.reserve_anyway(0),
            })
        });
        Self { shards }
    }

    /// Counts an event.
    pub(crate) fn observe(&self, event: &SentEvent<'_>) {
        let thread = THREAD.with(|thread| *thread);
        if let Some(shard) = self.shards.get(thread % SHARDS) {
            lock(shard).observe(event.event.name());
        }
    }

    /// Returns the counts of all workers.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for shard in &self.shards {
            let counts = &lock(shard).counts;
            for (name, count) in &counts.names {
                // Lasts as long as an answer.
                sum.add(Some(name), *count, |_| true);
            }
            sum.unnamed += counts.unnamed;
            sum.other += counts.other;
        }
        sum
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use fantail_event::{CategoryTree, Dialect, Event, SentEvent};

    use super::{Census, MAX_NAMES};
    use crate::memory::Budget;

    fn observe(census: &Census, event: &str) {
        let line = format!("5\t5\t{event}");
        let tree = CategoryTree::default();
        let event = Event::parse(line.as_bytes(), &tree, Dialect::V2_4).unwrap();
        census.observe(&SentEvent::alone(&event));
    }

    #[test]
    fn counts_of_all_threads_are_added() {
        let census = Arc::new(Census::new(&Budget::new(1 << 20)));
        let threads = (0..3).map(|_| {
            let census = Arc::clone(&census);
            thread::spawn(move || {
                observe(&census, "none");
                observe(&census, "Suser\tanna");
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        let counts = census.counts();
        assert_eq!(counts.names.get(&b"one"[..]), Some(&3));
        assert_eq!((counts.unnamed, counts.other), (3, 0));
    }

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let budget = Budget::new(1 << 20);
        let census = Census::new(&budget);
        for number in 0..MAX_NAMES + 5 {
            observe(&census, &format!("nname{number}"));
        }
        let counts = census.counts();
        assert_eq!((counts.names.len(), counts.other), (MAX_NAMES, 5));
        assert!(budget.used() >= MAX_NAMES * "name0".len());
    }

    #[test]
    fn names_without_memory_are_counted_together() {
        let census = Census::new(&Budget::new(100));
        for name in ["one", "two", "one"] {
            observe(&census, &format!("n{name}"));
        }
        let counts = census.counts();
        assert_eq!(counts.names.get(&b"one"[..]), Some(&2));
        assert_eq!((counts.names.len(), counts.other), (1, 1));
    }
}
