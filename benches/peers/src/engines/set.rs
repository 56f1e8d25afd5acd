//! fantail's set, with any view.

use fantail_benches::rules::{Events, Rule};
use fantail_filter::{FilterSet, Matcher};

use super::{Engine, filters};

/// A filter set, with events whose fields are looked up on demand.
pub(crate) struct Set<'a> {
    events: &'a Events<'a>,
    set: FilterSet,
    matcher: Matcher,
}

impl<'a> Set<'a> {
    pub(crate) fn new(events: &'a Events<'a>, rules: &[Rule]) -> Self {
        Self {
            events,
            set: filters(rules).iter().collect(),
            matcher: Matcher::new(),
        }
    }
}

impl Engine for Set<'_> {
    fn events(&self) -> usize {
        self.events.events.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for event in self.events.events.iter().step_by(stride) {
            let sent = self.events.sent(event);
            matches += self.matcher.evaluate(&self.set, &sent).len();
        }
        matches
    }
}
