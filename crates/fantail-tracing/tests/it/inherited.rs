//! Filters that the spans around an event decide: only a thread's current span is looked
//! at.

use std::sync::Arc;

use tracing::{Dispatch, enabled, field::Empty, info, info_span};
use tracing_subscriber::prelude::*;

use crate::filters::{Messages, ours, passed};

#[test]
fn a_parent_that_a_macro_was_given_decides() {
    fn program() {
        let anna = info_span!("session", user = "anna");
        let bob = info_span!("session", user = "bob");
        for _ in 0..2 {
            bob.in_scope(|| {
                info!(parent: &anna, "child");
                info!(parent: None, "root");
                info!("bob");
            });
            anna.in_scope(|| {
                info!(parent: &bob, "other child");
                info!(parent: None, "other root");
                info!("anna");
            });
        }
    }
    assert_eq!(
        passed(ours("user=anna"), program),
        ["child", "anna"].repeat(2)
    );
    let others = ["root", "bob", "other child", "other root"].repeat(2);
    assert_eq!(
        passed(ours("NOT user=anna AND level=info"), program),
        others
    );
}

#[test]
fn fields_that_a_span_gets_later_decide_at_once() {
    fn program() {
        let outer = info_span!("outer", user = Empty);
        let inner = info_span!(parent: &outer, "inner", other = 1);
        let _inner = inner.enter();
        for user in ["bob", "anna", "carl", "anna"] {
            outer.record("user", user);
            info!("{user}");
        }
    }
    assert_eq!(passed(ours("user=anna"), program), ["anna", "anna"]);
}

#[test]
fn a_span_that_is_entered_twice_does_not_hide_the_others() {
    fn program() {
        let outer = info_span!("outer", user = "anna");
        let inner = info_span!(parent: None, "inner", user = "bob");
        let event = |text: &str| info!("{text}");
        let _outer = outer.enter();
        event("one");
        {
            let _inner = inner.enter();
            event("two");
            {
                let _again = outer.enter();
                // The registry goes on with the inner span.
                event("three");
            }
            event("four");
        }
        event("five");
    }
    assert_eq!(passed(ours("user=anna"), program), ["one", "five"]);
}

#[test]
fn guards_can_be_dropped_in_any_order() {
    fn program() {
        let event = |text: &str| info!("{text}");
        let outer = info_span!("outer", user = "bob").entered();
        let inner = info_span!("inner", user = "anna").entered();
        event("one");
        drop(outer);
        event("two");
        drop(inner);
        event("three");
    }
    assert_eq!(passed(ours("user=anna"), program), ["one", "two"]);
}

#[test]
fn a_filter_that_is_replaced_within_a_span_sees_it() {
    for first in ["user=bob", "level=error"] {
        let messages = Messages::default();
        let filter = ours(first);
        let handle = filter.handle();
        let layer = messages.clone().with_filter(filter);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let program = |round: u32| info!("{round}");
            info_span!("session", user = "anna", id = 7).in_scope(|| {
                program(1);
                handle.set("id=7").unwrap();
                program(2);
                handle.set("id=8").unwrap();
                program(3);
            });
            handle.set("id=9").unwrap();
            info_span!("session", id = 9).in_scope(|| program(4));
        });
        // Only a filter that reads fields of spans records them.
        let expected = match first {
            "user=bob" => vec!["2", "4"],
            _ => vec!["4"],
        };
        assert_eq!(messages.take(), expected, "{first}");
    }
}

#[test]
fn more_comparisons_than_bits_decide_the_same() {
    fn program() {
        info_span!("session", user = "anna", id = 99).in_scope(|| info!("one"));
        info_span!("session", user = "bob").in_scope(|| info!("two"));
    }
    let many: Vec<String> = (0..100).map(|id| format!("id={id}")).collect();
    assert_eq!(passed(ours(&many.join(" OR ")), program), ["one"]);
    assert_eq!(passed(ours(&many[..64].join(" OR ")), program), [""; 0]);
}

#[test]
fn a_question_of_the_program_is_answered_by_level_and_target() {
    fn program() {
        info_span!("session", user = "bob").in_scope(|| {
            for _ in 0..2 {
                info!("two");
                assert!(enabled!(tracing::Level::INFO));
            }
        });
    }
    assert_eq!(passed(ours("user=anna"), program), [""; 0]);
}

#[test]
fn threads_see_their_own_spans() {
    let messages = Messages::default();
    let layer = messages.clone().with_filter(ours("user=anna"));
    let dispatch: Dispatch = tracing_subscriber::registry().with(layer).into();
    let shared = tracing::dispatcher::with_default(&dispatch, || {
        Arc::new(info_span!("session", user = "anna"))
    });
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (dispatch, shared) = (&dispatch, Arc::clone(&shared));
            scope.spawn(move || {
                tracing::dispatcher::with_default(dispatch, || {
                    for _ in 0..100 {
                        match number % 2 {
                            0 => shared.in_scope(|| info!("{number}")),
                            _ => info_span!("session", user = "bob").in_scope(|| info!("{number}")),
                        }
                    }
                });
            });
        }
    });
    let shown = messages.take();
    assert_eq!(shown.len(), 400);
    assert!(
        shown
            .iter()
            .all(|text| text.parse::<u32>().unwrap() % 2 == 0)
    );
}
