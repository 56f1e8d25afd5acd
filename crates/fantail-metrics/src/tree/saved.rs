//! Series of before, put back.

use super::{Key, ROOT, Room, Tree, idle};
use crate::{Label, Series};

impl Tree {
    /// Adds series in preorder, the metric itself first; returns how many
    /// events went to an `other` for lack of room.
    pub(crate) fn absorb(&mut self, series: &[Series], room: &mut Room<'_>) -> u64 {
        let mut overflowed = 0_u64;
        // The place of each series from the metric down to the one before.
        let mut path: Vec<u32> = Vec::new();
        for saved in series {
            path.truncate(saved.depth());
            let place = match path.last() {
                None => ROOT,
                Some(&parent) => {
                    let key = match saved.label() {
                        Label::Value(text) => Key::Text(text),
                        Label::Bucket(bucket) => Key::Bucket(bucket),
                        Label::Other => Key::OtherBucket,
                        Label::Missing => Key::Missing,
                    };
                    // No more than the 64 levels that a metric may have.
                    let depth = u32::try_from(path.len() - 1).unwrap_or(u32::MAX);
                    let (place, other) = self.child(parent, depth, key, room);
                    if other && saved.label() != Label::Other {
                        overflowed = overflowed.saturating_add(saved.duration().count());
                    }
                    place
                }
            };
            path.push(place);
            self.add(place, saved);
        }
        overflowed
    }

    fn add(&mut self, place: u32, saved: &Series) {
        if let Some(row) = self.rows.get_mut(place as usize) {
            row.last = idle::NOW;
        }
        let first = place as usize * self.stride;
        for (distribution, at) in saved.distributions.iter().zip(first..) {
            if let Some(here) = self.distributions.get_mut(at) {
                here.merge(distribution);
            }
        }
        if let (Some(sums), Some(sum)) = (&mut self.own_sums, saved.own_sum)
            && let Some(here) = sums.get_mut(place as usize)
        {
            *here = here.saturating_add(sum);
        }
    }
}
