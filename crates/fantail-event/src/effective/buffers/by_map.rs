//! Gathers events that have many fields or repeat a key.

use alloc::collections::{BTreeMap, btree_map::Entry};

use super::{Distinct, EffectiveBuffers, FieldPosition, Inherited};
use crate::DURATION;

impl EffectiveBuffers {
    /// As [`gather_hashed`](Self::gather_hashed), for any number of fields.
    #[cold]
    pub(super) fn gather_by_map(&mut self, event: Distinct<'_>) {
        self.positions.clear();
        self.lists.clear();
        let mut positions = BTreeMap::new();
        for (holder, of) in event.sent.downward() {
            for (at, field) in (0_u32..).zip(event.fields(holder, of)) {
                if field.is_empty_list() {
                    continue;
                }
                match positions.entry(field.key.of(of.text)) {
                    Entry::Occupied(known) => {
                        self.replace(event, *known.get(), (holder, at), field.value);
                    }
                    Entry::Vacant(vacant) => {
                        vacant.insert(self.positions.len());
                        let value = self.inherit((holder, field.value));
                        self.positions.push(FieldPosition { holder, at, value });
                    }
                }
            }
        }
        let known = positions.get(DURATION);
        match known.and_then(|at| self.positions.get_mut(*at)) {
            Some(position) => position.value = Inherited::Duration,
            None => self.positions.push(FieldPosition {
                holder: 0,
                at: u32::MAX,
                value: Inherited::Duration,
            }),
        }
    }
}
