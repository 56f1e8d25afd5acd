//! The series that a target has, so that their ends can be marked.

use std::collections::HashMap;

use crate::memory::{Budget, Reservation};

/// The bytes of a series besides its labels: its entry in a map that has just grown, and the
/// overhead of an allocation.
const SERIES_BYTES: usize = 80;

/// The labels of all series of the last snapshots.
#[derive(Debug)]
pub(super) struct Remembered {
    /// The encoded labels, and the last snapshot that had the series.
    series: HashMap<Box<[u8]>, u64>,
    snapshot: u64,
    bytes: usize,
    memory: Reservation,
}

impl Remembered {
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            series: HashMap::new(),
            snapshot: 0,
            bytes: 0,
            memory: budget.reserve_anyway(0),
        }
    }

    /// Begins a snapshot.
    pub(super) const fn begin(&mut self) {
        self.snapshot += 1;
    }

    /// Notes that the snapshot has a series; returns whether its end can be marked.
    pub(super) fn note(&mut self, labels: &[u8]) -> bool {
        if let Some(last) = self.series.get_mut(labels) {
            *last = self.snapshot;
            return true;
        }
        let bytes = self.bytes + labels.len() + SERIES_BYTES;
        if !self.memory.follow(bytes) {
            return false;
        }
        self.bytes = bytes;
        self.series.insert(labels.into(), self.snapshot);
        true
    }

    /// Returns the labels of the series that the snapshot does not have.
    pub(super) fn ended(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.series.iter();
        let ended = all.filter(|(_, last)| **last != self.snapshot);
        ended.map(|(labels, _)| &**labels)
    }

    /// Forgets the series that the snapshot does not have.
    pub(super) fn forget_ended(&mut self) {
        let (snapshot, bytes) = (self.snapshot, &mut self.bytes);
        self.series.retain(|labels, last| {
            let is_current = *last == snapshot;
            if !is_current {
                *bytes -= labels.len() + SERIES_BYTES;
            }
            is_current
        });
        self.series.shrink_to(2 * self.series.len());
        let fits = self.memory.follow(self.bytes);
        debug_assert!(fits, "less is needed than before");
    }
}

#[cfg(test)]
mod tests {
    use super::{Remembered, SERIES_BYTES};
    use crate::memory::Budget;

    fn ended(series: &Remembered) -> Vec<&[u8]> {
        let mut ended: Vec<_> = series.ended().collect();
        ended.sort_unstable();
        ended
    }

    #[test]
    fn series_that_are_missing_have_ended() {
        let budget = Budget::new(1 << 20);
        let mut series = Remembered::new(&budget);
        for snapshot in [&[b"a", b"b", b"c"][..], &[b"b"], &[b"a", b"b"]] {
            series.begin();
            assert!(snapshot.iter().all(|labels| series.note(*labels)));
        }
        assert_eq!(ended(&series), [b"c"], "one has come back");
        series.forget_ended();
        assert_eq!(series.ended().count(), 0);
        series.begin();
        assert_eq!(ended(&series), [b"a", b"b"]);
    }

    #[test]
    fn memory_bounds_what_is_remembered() {
        const MOST: usize = 100;
        let budget = Budget::new(MOST * (SERIES_BYTES + 4));
        let mut series = Remembered::new(&budget);
        series.begin();
        let noted = |series: &mut Remembered, numbers: std::ops::Range<u32>| {
            let numbers = numbers.map(u32::to_le_bytes);
            numbers.filter(|labels| series.note(labels)).count()
        };
        assert_eq!(noted(&mut series, 0..200), MOST);
        assert_eq!(noted(&mut series, 0..200), MOST, "the same ones");
        series.begin();
        series.forget_ended();
        assert_eq!(noted(&mut series, 200..400), MOST);
        drop(series);
        assert_eq!(budget.used(), 0);
    }
}
