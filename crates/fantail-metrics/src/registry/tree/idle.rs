//! Dropping idle series.
//!
//! The crate has no clock. An update marks its series as [`NOW`]; the next scan
//! for idle series replaces the mark by the scan's time. So an update costs one
//! store (none before the first scan), and a series appears younger than it is
//! by at most one scan, never older.
//! younger than it is, never older.

use std::time::Duration;

use super::{Tree, cost};
use crate::store::observations::NOW;

/// Marks a dropped series in the list of new indices.
const DROPPED: u32 = u32::MAX;

impl Tree {
    /// Drops series that were not updated during `idle` and have no descendants
    /// that stay; returns the number. The metric itself and declared series stay.
    pub(crate) fn drop_idle(&mut self, now: Duration, idle: Duration, used: &mut usize) -> usize {
        // Rounded up, so that no series is dropped early.
        let now_rounded_up = seconds(now.saturating_add(Duration::from_nanos(999_999_999)));
        let now = seconds(now);
        let idle = seconds(idle.saturating_add(Duration::from_nanos(999_999_999)));
        self.watched = true;
        let mut keep: Vec<bool> = Vec::with_capacity(self.store().len());
        for mark in self.store().marks_mut() {
            if mark.last == NOW {
                mark.last = now_rounded_up;
            }
            let young = mark.last > now || now - mark.last < idle.max(1);
            keep.push(mark.declared || young);
        }
        self.keep_ancestors(&mut keep);
        let dropped = keep.iter().filter(|kept| !**kept).count();
        if dropped > 0 {
            let before = self.used;
            self.retain(&keep);
            *used -= before - self.used;
        }
        dropped
    }

    /// Keeps the ancestors of kept series. An update reaches all series on its
    /// path, so this only matters for declared series.
    fn keep_ancestors(&mut self, keep: &mut [bool]) {
        let parents: Vec<u32> = self.store().parents().collect();
        for (at, parent) in parents.into_iter().enumerate().rev() {
            if keep.get(at) == Some(&true)
                && let Some(above) = keep.get_mut(parent as usize)
            {
                *above = true;
            }
        }
    }

    /// Removes the other series. Parents come before their children, so the new
    /// index and the depth of a parent are known; the depth gives the budget
    /// that a series returns.
    fn retain(&mut self, keep: &[bool]) {
        let mut moved: Vec<(u32, u32)> = Vec::with_capacity(keep.len());
        let mut len = 0;
        let (mut used, levels) = (self.used, self.levels);
        let store = std::mem::take(self.store()).retain(|parent, mark| {
            let above = moved.get(parent as usize).copied();
            let depth = above.map_or(0, |(_, depth)| depth + 1);
            if keep.get(moved.len()) != Some(&true) {
                if mark.counted {
                    used -= cost(levels.saturating_sub(depth) as usize);
                }
                moved.push((DROPPED, depth));
                return None;
            }
            moved.push((len, depth));
            len += 1;
            Some(above.map_or(u32::MAX, |(index, _)| index))
        });
        self.used = used;
        self.charge.keep(store.len(), keep.len());
        self.charge.set_values(store.value_bytes());
        *self.store() = store;
        self.index_all();
    }

    fn index_all(&mut self) {
        let len = self.store().len();
        let mut index = self.index.cleared(len);
        let mut fingerprint = self.fingerprint.of_no_series();
        // The index does not contain the metric itself.
        for (parent, key) in self.store().keys().skip(1) {
            let hash = index.hash(parent, key.parts());
            index.push(hash);
            fingerprint.add(parent, key);
        }
        self.index = index;
        self.fingerprint = fingerprint;
    }
}

/// Returns whole seconds, at most the number before [`NOW`].
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).map_or(NOW - 1, |seconds| seconds.min(NOW - 1))
}
