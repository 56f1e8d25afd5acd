//! The numbers of a run that were seen.

use std::ops::Range;

/// The most intervals of a run. Messages that are under way together leave fewer holes
/// between them; older holes are numbers that were dropped.
pub(super) const MAX_INTERVALS: usize = 32;

/// A set of numbers, as intervals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// All numbers below are in the set.
    pub(super) floor: u64,
    /// The other numbers: in order, none empty, and none touches another.
    pub(super) intervals: Vec<Range<u64>>,
}

impl Seen {
    /// Adds numbers; returns those that were not in the set, in order, and how many numbers
    /// below them are given up.
    pub(super) fn add(&mut self, numbers: Range<u64>) -> (Vec<Range<u64>>, u64) {
        let mut new = Vec::new();
        let mut at = numbers.start.max(self.floor);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut joined = at..numbers.end;
        for one in self.intervals.drain(..) {
            if one.end < numbers.start {
                before.push(one);
            } else if one.start > numbers.end {
                after.push(one);
            } else {
                if at < one.start {
                    new.push(at..one.start.min(numbers.end));
                }
                at = at.max(one.end);
                joined = joined.start.min(one.start)..joined.end.max(one.end);
            }
        }
        if at < numbers.end {
            new.push(at..numbers.end);
        }
        self.intervals = before;
        if joined.end > self.floor {
            self.intervals.push(joined);
        }
        self.intervals.append(&mut after);
        (new, self.forget())
    }

    /// Raises the floor while there are too many intervals; returns how many numbers were
    /// never seen.
    fn forget(&mut self) -> u64 {
        let mut missing = 0;
        while self.intervals.len() > MAX_INTERVALS {
            let first = self.intervals.remove(0);
            // What was before the first number of a run was never there.
            if self.floor > 0 {
                missing += first.start.saturating_sub(self.floor);
            }
            self.floor = self.floor.max(first.end);
        }
        missing
    }

    /// Returns how many numbers between the intervals were not seen.
    pub(super) fn holes(&self) -> u64 {
        let floor = (self.floor > 0).then_some(self.floor);
        let ends = self.intervals.iter().map(|one| one.end);
        let starts = self.intervals.iter().map(|one| one.start);
        match floor {
            Some(floor) => std::iter::once(floor)
                .chain(ends)
                .zip(starts)
                .map(|(end, start)| start.saturating_sub(end))
                .sum(),
            None => ends
                .zip(starts.skip(1))
                .map(|(end, start)| start.saturating_sub(end))
                .sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{MAX_INTERVALS, Seen};

    proptest! {
        /// The oracle is a set of all numbers.
        #[test]
        fn each_number_is_new_once(
            batches in prop::collection::vec((0_u64..60, 1_u64..8), 0..40),
        ) {
            let (mut seen, mut all) = (Seen::default(), BTreeSet::new());
            for (first, count) in batches {
                let (new, missing) = seen.add(first..first + count);
                let new: Vec<u64> = new.into_iter().flatten().collect();
                let expected = (first..first + count).filter(|number| all.insert(*number));
                prop_assert_eq!(new, expected.collect::<Vec<_>>());
                prop_assert_eq!(missing, 0);
                let last = all.last().copied().unwrap_or(0);
                let first = all.first().copied().unwrap_or(0);
                prop_assert_eq!(seen.holes(), last + 1 - first - all.len() as u64);
            }
        }
    }

    #[test]
    fn old_holes_are_given_up() {
        let mut seen = Seen::default();
        let mut missing = 0;
        // Of ten numbers one is seen.
        for at in 0..100 {
            missing += seen.add(at * 10..at * 10 + 1).1;
        }
        assert_eq!(seen.intervals.len(), MAX_INTERVALS);
        assert_eq!(missing + seen.holes(), 99 * 9);
        // A number below the floor was seen or given up.
        assert_eq!(seen.add(5..6).0, []);
        assert_eq!(seen.add(985..986).0.len(), 1);
    }
}
