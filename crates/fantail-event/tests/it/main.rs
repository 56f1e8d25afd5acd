//! The event model by what it promises: text forms both ways, look-ups,
//! inheritance, live events.
//!
//! What is parsed, merged and inherited is compared with a second
//! implementation by the tests of `fantail-oracle`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod categories;
mod duration;
mod equality;
mod inheritance;
mod live;
mod text_form;

use fantail_event::{Ancestor, CategoryTree, Dialect, Event};

/// An event that was created in 1970, from its other arguments, written with
/// blanks for TABs.
fn event_of(arguments: &str, tree: &CategoryTree) -> Event {
    let arguments = arguments.split(' ').filter(|it| !it.is_empty());
    let line = ["0", "0"].into_iter().chain(arguments).collect::<Vec<_>>();
    Event::parse(line.join("\t").as_bytes(), tree, Dialect::V2_4).unwrap()
}

/// Ancestors that are in no table of live events.
fn ancestors(events: &[Event]) -> Vec<Ancestor<'_>> {
    let ancestor = |event| Ancestor { event, live: None };
    events.iter().map(ancestor).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
