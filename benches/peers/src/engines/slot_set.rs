//! fantail's set, with values by slot.

use fantail_benches::{
    rules::{Events, Rule},
    slots::Filled,
};
use fantail_filter::{FilterSet, Matcher, internal::{ClassId, ClassMatcher as _}};

use super::{Engine, filters};

/// A filter set, with events whose values are in their slots and whose class is
/// known, as in a server.
pub(crate) struct SlotSet<'a> {
    set: FilterSet,
    matcher: Matcher,
    filled: Vec<(Filled<'a>, ClassId)>,
}

impl<'a> SlotSet<'a> {
    pub(crate) fn new(events: &'a Events<'a>, rules: &[Rule]) -> Self {
        let set: FilterSet = filters(rules).iter().collect();
        let mut matcher = Matcher::new();
        let fill = |event| {
            let filled = Filled::new(set.slots(), events, event);
            let class = matcher.classify(&set, &filled);
            (filled, class)
        };
        let filled = events.events.iter().map(fill).collect();
        Self {
            set,
            matcher,
            filled,
        }
    }
}

impl Engine for SlotSet<'_> {
    fn events(&self) -> usize {
        self.filled.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for (filled, class) in self.filled.iter().step_by(stride) {
            matches += self.matcher.match_class(&self.set, *class, filled).filters.len();
        }
        matches
    }
}
