//! Adding saved series, or those of other shards, to a tree.

use super::{ROOT, SeriesBudget, Tree};
use crate::{
    Label, Series, SeriesList,
    label::OTHER,
    store::{key::Key, observations::NOW},
};

impl Tree {
    /// Adds series in preorder, the metric itself first; returns the number of
    /// events that the limits directed to an `other`.
    pub(crate) fn absorb(&mut self, series: SeriesList<'_>, budget: &mut SeriesBudget<'_>) -> u64 {
        let mut overflowed = 0_u64;
        // The indices of the last series and its ancestors, from the metric
        // down.
        let mut path: Vec<u32> = Vec::new();
        for saved in series.iter() {
            path.truncate(saved.depth());
            let here_index = match path.last() {
                None => ROOT,
                Some(&parent) => {
                    // A metric has at most 64 levels.
                    let depth = u32::try_from(path.len() - 1).unwrap_or(u32::MAX);
                    let label = saved.label();
                    if matches!(label, Label::Other | Label::Value(OTHER)) {
                        self.other(parent, label.into())
                    } else {
                        let (here_index, other) = self.child(parent, depth, label.into(), budget);
                        if other {
                            overflowed = overflowed.saturating_add(saved.duration().count());
                        }
                        here_index
                    }
                }
            };
            path.push(here_index);
            self.add(here_index, &saved);
        }
        let values = self.store().value_bytes();
        self.charge.set_values(values);
        self.charge.grow(0);
        overflowed
    }

    /// Returns an `other` for a saved `other`: its events are counted as
    /// overflowed already, and the parent reserved the series.
    fn other(&mut self, parent: u32, key: Key<'_>) -> u32 {
        match self.find(parent, key.parts()) {
            Ok(found) => found,
            Err(hash) => self.insert(parent, key, hash, false),
        }
    }

    fn add(&mut self, here_index: u32, saved: &Series<'_>) {
        let Some((values, within)) = self.store().values.get_mut(here_index as usize) else {
            debug_assert!(false, "no series {here_index}");
            return;
        };
        if let Some(mark) = values.marks.get_mut(within) {
            mark.last = NOW;
        }
        let (sum, exemplar) = (saved.own_sum(), saved.shared_exemplar());
        values.add(within, saved.distributions(), sum, exemplar);
    }
}
