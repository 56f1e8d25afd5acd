//! The engines with their filters and events: one file for each.

mod a_tree;
mod cel;
mod naive;
mod plain;
mod set;
mod slot_set;
mod wirefilter;

use fantail_benches::rules::Rule;
use fantail_filter::Filter;

pub(crate) use self::{
    a_tree::ATree,
    cel::Cel,
    naive::Naive,
    set::Set,
    slot_set::SlotSet,
    wirefilter::{Wirefilter, schema},
};

/// An engine that matches filters against events.
pub(crate) trait Engine {
    /// Returns the number of events.
    fn events(&self) -> usize;

    /// Matches every `stride`th event; returns the number of matches.
    fn walk(&mut self, stride: usize) -> usize;
}

fn filters(rules: &[Rule]) -> Vec<Filter> {
    let parse = |rule: &Rule| rule.filter().parse().expect("rules are filters");
    rules.iter().map(parse).collect()
}
