//! What was read from one subject.

use std::ops::Range;

use super::{head::BatchHead, seen::Seen};

/// The runs of a subject that are kept: a queue has one, a spool one for each file. Only
/// events of the last two may be repeated.
pub(super) const MAX_RUNS: usize = 16;

/// The queues of a subject that are kept: one, and those before it while they end.
pub(super) const MAX_QUEUES: usize = 4;

/// What was read from one subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Source {
    /// The runs, that with the newest message last.
    pub(super) runs: Vec<(u64, Seen)>,
    /// The dropped events that each queue reported, likewise.
    pub(super) queues: Vec<(u64, u64)>,
}

impl Source {
    /// Adds the events of a message; returns the numbers that are new, how many events the
    /// queue dropped since its last message, and how many numbers are given up.
    pub(super) fn add(&mut self, head: &BatchHead) -> (Vec<Range<u64>>, u64, u64) {
        let numbers = head.first..head.end();
        let (new, mut missing) = of_id(&mut self.runs, head.run, |seen: &mut Seen| {
            seen.add(numbers)
        });
        let dropped = of_id(&mut self.queues, head.queue, |told: &mut u64| {
            let more = head.dropped.saturating_sub(*told);
            *told += more;
            more
        });
        if self.runs.len() > MAX_RUNS {
            missing += self.runs.remove(0).1.holes();
        }
        if self.queues.len() > MAX_QUEUES {
            self.queues.remove(0);
        }
        (new, dropped, missing)
    }
}

/// Changes the value of an id, which becomes the last one.
fn of_id<T: Default, R>(all: &mut Vec<(u64, T)>, id: u64, change: impl FnOnce(&mut T) -> R) -> R {
    let found = all.iter().position(|(one, _)| *one == id);
    let (_, mut value) = found.map_or_else(|| (id, T::default()), |at| all.remove(at));
    let result = change(&mut value);
    all.push((id, value));
    result
}
