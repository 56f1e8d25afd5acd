//! The naive walk.

use fantail_benches::rules::{Events, Rule};
use fantail_filter::Filter;

use super::{Engine, filters};

/// Evaluates each filter for each event.
pub(crate) struct Naive<'a> {
    events: &'a Events<'a>,
    filters: Vec<Filter>,
}

impl<'a> Naive<'a> {
    pub(crate) fn new(events: &'a Events<'a>, rules: &[Rule]) -> Self {
        let filters = filters(rules);
        Self { events, filters }
    }
}

impl Engine for Naive<'_> {
    fn events(&self) -> usize {
        self.events.events.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for event in self.events.events.iter().step_by(stride) {
            let sent = self.events.sent(event);
            matches += self.filters.iter().filter(|it| it.evaluate(&sent)).count();
        }
        matches
    }
}
