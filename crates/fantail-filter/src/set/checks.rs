//! Shared comparisons: each distinct comparison of a set, once.
//!
//! Two comparisons are the same if their [`Test`]s are equal, even if they are
//! written differently: they have the same result for every event.

use alloc::{boxed::Box, vec::Vec};
use core::hash::BuildHasher as _;

use fantail_syntax::Operator;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::{
    narrow,
    slots::{Slot, Slots},
    view::SlotView,
};
use crate::{FieldTest, Test};

/// The number of a shared comparison.
pub(super) type CheckId = u32;

/// The number of no comparison.
pub(super) const NO_CHECK: CheckId = CheckId::MAX;

/// All comparisons of a set.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    checks: Vec<Check>,
    table: HashTable<CheckId>,
    state: DefaultHashBuilder,
    names: HashMap<Box<[u8]>, CheckId>,
    wild_names: Vec<CheckId>,
    /// For each slot, the number of texts that it is compared with for equality:
    /// the more there are, the fewer events each is likely to match.
    texts_of_slot: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Check {
    test: Test,
    /// `None` unless the test is one of a field.
    slot: Option<Slot>,
}

impl Checks {
    pub(super) fn len(&self) -> usize {
        self.checks.len()
    }

    pub(super) fn test(&self, id: CheckId) -> Option<&Test> {
        self.checks.get(id as usize).map(|check| &check.test)
    }

    /// The test of a field, and the field's slot.
    pub(super) fn field(&self, id: CheckId) -> Option<(Slot, &FieldTest)> {
        let check = self.checks.get(id as usize)?;
        match &check.test {
            Test::Field(test) | Test::Duration(test) => Some((check.slot?, test)),
            _ => None,
        }
    }

    pub(super) fn texts_of_slot(&self, slot: Slot) -> u32 {
        self.texts_of_slot
            .get(slot.index())
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn name_tests(&self) -> usize {
        self.names.len() + self.wild_names.len()
    }

    /// Calls `found` with each name test that is true for this name, in any order.
    pub(super) fn true_names(&self, name: &[u8], mut found: impl FnMut(CheckId)) {
        if let Some(&id) = self.names.get(name) {
            found(id);
        }
        for &id in &self.wild_names {
            if let Some(Test::Name(pattern)) = self.test(id)
                && pattern.matches(name)
            {
                found(id);
            }
        }
    }

    pub(super) fn intern(&mut self, test: &Test, slots: &mut Slots) -> CheckId {
        let hash = self.state.hash_one(test);
        let is_it = |&id: &CheckId| {
            let check = self.checks.get(id as usize);
            check.is_some_and(|check| check.test == *test)
        };
        if let Some(&id) = self.table.find(hash, is_it) {
            return id;
        }
        let id = narrow(self.checks.len());
        let slot = match test {
            Test::Field(field) => Some(slots.intern_field(&field.key)),
            Test::Duration(_) => Some(slots.intern_duration()),
            _ => None,
        };
        self.note(id, test, slot);
        self.checks.push(Check {
            test: test.clone(),
            slot,
        });
        let (state, checks) = (&self.state, &self.checks);
        self.table.insert_unique(hash, id, |&id| {
            let check = checks.get(id as usize);
            check.map_or(0, |check| state.hash_one(&check.test))
        });
        id
    }

    fn note(&mut self, id: CheckId, test: &Test, slot: Option<Slot>) {
        match (test, slot) {
            (Test::Name(pattern), _) => match pattern.literal() {
                Some(name) => _ = self.names.insert(name.into(), id),
                None => self.wild_names.push(id),
            },
            (Test::Field(field) | Test::Duration(field), Some(slot))
                if field.operator == Operator::Equal =>
            {
                let needed = slot.index() + 1;
                if self.texts_of_slot.len() < needed {
                    self.texts_of_slot.resize(needed, 0);
                }
                if let Some(count) = self.texts_of_slot.get_mut(slot.index()) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }

    /// Whether the comparison holds: the same as [`Test::holds`].
    pub(super) fn holds<V: SlotView + ?Sized>(&self, id: CheckId, view: &V) -> bool {
        let Some(Check { test, slot }) = self.checks.get(id as usize) else {
            debug_assert!(false, "unknown comparison {id}");
            return false;
        };
        match (test, *slot) {
            (Test::Name(pattern), _) => view.name().is_some_and(|name| pattern.matches(name)),
            (Test::Level(level), _) => view.level() == Some(*level),
            (Test::Category(category), _) => view.in_category(category),
            (Test::Source(test), _) => view.source().is_some_and(|source| test.holds(&source)),
            (Test::Field(test) | Test::Duration(test), Some(slot)) => {
                test.holds_for(view.value(slot))
            }
            (Test::Field(_) | Test::Duration(_), None) => false,
        }
    }
}
