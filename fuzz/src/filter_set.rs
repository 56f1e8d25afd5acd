//! Sets of filters: the same answers as one filter at a time.
//!
//! The input is lines. The first byte of a line selects its meaning: `3`, `4`
//! add a filter in the dialect of 2.3 or 2.4. `-` removes a filter, selected by
//! the length of the line. `E`, `P`, `G` are an event in its text form: a sent
//! event, or the parent or the global event of all events sent after it.

use fantail_event::{Ancestor, CategoryTree, Dialect, Event, EventView as _, SentEvent};
use fantail_filter::{
    Filter, FilterId, FilterSet, Matcher,
    internal::{ClassMatcher as _, ViewSlots},
};
use fantail_syntax::ParseOptions;

/// A set gives the same matches as each of its filters, after any additions and
/// removals, by each way of matching.
///
/// # Panics
/// Panics if this does not hold.
pub fn filter_set(data: &[u8]) {
    let mut categories = CategoryTree::default();
    for (name, parent) in [("imap", None), ("storage", None), ("mail", Some("storage"))] {
        let parent = parent.map(str::as_bytes);
        assert_eq!(categories.register(name.as_bytes(), parent), Ok(()));
    }
    let mut set = Set::default();
    let (mut parent, mut global) = (Event::default(), Event::default());
    for line in data.split(|&byte| byte == b'\n') {
        let Some((kind, rest)) = line.split_first() else {
            continue;
        };
        let event = || Event::parse(rest, &categories, Dialect::V2_4).unwrap_or_default();
        match kind {
            b'3' => set.add(rest, Dialect::V2_3),
            b'4' => set.add(rest, Dialect::V2_4),
            b'-' => set.remove(rest.len()),
            b'P' => parent = event(),
            b'G' => global = event(),
            b'E' => {
                let [parent, global] =
                    [&parent, &global].map(|event| Ancestor { event, live: None });
                set.check(&SentEvent {
                    parents: &[parent],
                    global: &[global],
                    categories: &categories,
                    ..SentEvent::alone(&event())
                });
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Set {
    set: FilterSet,
    filters: Vec<(FilterId, Filter)>,
    matcher: Matcher,
}

impl Set {
    fn add(&mut self, text: &[u8], dialect: Dialect) {
        if let Ok(filter) = Filter::parse(text, &ParseOptions::new(dialect)) {
            self.filters.push((self.set.insert(&filter), filter));
        }
    }

    fn remove(&mut self, at: usize) {
        if at < self.filters.len() {
            let (id, _) = self.filters.remove(at);
            assert!(self.set.remove(id));
        }
    }

    fn check(&mut self, sent: &SentEvent<'_>) {
        let holding = self.filters.iter().filter(|(_, it)| it.evaluate(sent));
        let expected: Vec<_> = holding.map(|(id, _)| *id).collect();
        assert_eq!(self.matcher.evaluate(&self.set, sent), expected);
        let view = ViewSlots::new(self.set.slots(), sent);
        let class = self.matcher.classify(&self.set, &view);
        let found = self.matcher.match_class(&self.set, class, &view).filters;
        assert_eq!(found, expected);
        let required = self.filters.iter().all(|(_, it)| it.requires_name());
        assert_eq!(self.set.requires_name(), required);
        let is_skipped = required && sent.name().is_none();
        let matching = if is_skipped { &[] } else { &*expected };
        assert_eq!(self.matcher.matches(&self.set, sent), matching);
    }
}
