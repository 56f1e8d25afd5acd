//! Dropping series that nothing happens to.
//!
//! No clock runs here. An update only marks its series as [`NOW`]; whoever
//! looks for idle ones brings the time along, and a mark becomes that time. So
//! an update costs one store, and a series seems at most one round of looking
//! younger than it is, never older.

use std::time::Duration;

use hashbrown::HashTable;

use super::{Row, Tree, cost};

/// Updated since the last look.
pub(super) const NOW: u32 = u32::MAX;

/// A row that goes.
const GONE: u32 = u32::MAX;

impl Tree {
    /// Drops what was not updated for `idle` and has nothing below it that
    /// was; returns how many. The metric itself and declared series stay.
    pub(crate) fn drop_idle(&mut self, now: Duration, idle: Duration, used: &mut usize) -> usize {
        // Rounded so that nothing goes early.
        let now_rounded_up = seconds(now.saturating_add(Duration::from_nanos(999_999_999)));
        let now = seconds(now);
        let idle = seconds(idle.saturating_add(Duration::from_nanos(999_999_999)));
        let mut keep: Vec<bool> = Vec::with_capacity(self.len());
        for row in self.rows.iter_mut() {
            if row.last == NOW {
                row.last = now_rounded_up;
            }
            let young = row.last > now || now - row.last < idle.max(1);
            keep.push(row.declared || young);
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

    /// Whatever has something below it stays. An update reaches all series on
    /// its path, so this changes nothing, unless something was declared.
    fn keep_ancestors(&self, keep: &mut [bool]) {
        let parents: Vec<u32> = self.rows.iter().map(|row| row.parent).collect();
        for (at, parent) in parents.into_iter().enumerate().rev() {
            if keep.get(at) == Some(&true)
                && let Some(above) = keep.get_mut(parent as usize)
            {
                *above = true;
            }
        }
    }

    fn retain(&mut self, keep: &[bool]) {
        let stride = self.stride;
        let old_distributions = std::mem::take(&mut self.distributions);
        for (at, distribution) in old_distributions.into_iter().enumerate() {
            if keep.get(at / stride) == Some(&true) {
                self.distributions.push(distribution);
            }
        }
        if let Some(sums) = &mut self.own_sums {
            let old = std::mem::take(sums);
            for (sum, _) in old.into_iter().zip(keep).filter(|(_, kept)| **kept) {
                sums.push(sum);
            }
        }
        if let Some(exemplars) = &mut self.exemplars {
            let old = std::mem::take(exemplars);
            for (exemplar, _) in old.into_iter().zip(keep).filter(|(_, kept)| **kept) {
                exemplars.push(exemplar);
            }
        }
        self.retain_rows(keep);
        self.index_all();
    }

    /// Parents come before their children: the new place of a parent is
    /// known, and so is its depth, which says what room a row gives back.
    fn retain_rows(&mut self, keep: &[bool]) {
        let mut places: Vec<(u32, u32)> = Vec::with_capacity(keep.len());
        let old = std::mem::take(&mut self.rows);
        self.len = 0;
        for (mut row, kept) in old.into_iter().zip(keep) {
            let above = places.get(row.parent as usize).copied();
            let depth = above.map_or(0, |(_, depth)| depth + 1);
            if !kept {
                if row.counted {
                    self.used -= cost(self.levels.saturating_sub(depth) as usize);
                }
                places.push((GONE, depth));
                continue;
            }
            places.push((self.len, depth));
            row.parent = above.map_or(u32::MAX, |(place, _)| place);
            self.rows.push(row);
            self.len += 1;
        }
    }

    fn index_all(&mut self) {
        let (rows, hasher) = (&self.rows, &self.hasher);
        let hash_of = |row: &Row| Self::hash(hasher, row.parent, (row.tag, &row.text));
        let hash = |at: &u32| rows.get(*at as usize).map_or(0, hash_of);
        let mut index = HashTable::with_capacity(self.len as usize);
        // The metric itself is not looked up.
        for at in 1..self.len {
            index.insert_unique(hash(&at), at, hash);
        }
        self.index = index;
    }
}

/// Whole seconds; the last number is [`NOW`].
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).map_or(NOW - 1, |seconds| seconds.min(NOW - 1))
}
