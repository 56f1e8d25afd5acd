//! Filters: the printed form parses as the same filter, and the compiled form
//! equals the tree.
//!
//! The input's first byte is `3` for the 2.3 dialect, any other is for 2.4. The
//! rest is a filter; the text after its last LF, if any, is the text form of
//! the event to match.

use fantail_event::{Ancestor, CategoryTree, Dialect, Event, Level, SentEvent};
use fantail_filter::{Filter, handshake};
use fantail_syntax::{Limits, NodeKind, ParseErrors, ParseOptions, Tree};

/// Printing a parsed filter is stable, the compiled filter equals naive
/// evaluation, errors point into the text, and a filter that is valid with
/// tight limits is the same without.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn filter_parse(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let dialect = match first {
        b'3' => Dialect::V2_3,
        _ => Dialect::V2_4,
    };
    let (text, event) = match rest.iter().rposition(|&byte| byte == b'\n') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, b"1\t2\tnname\tSuser\tx\tIbytes_out\t7".as_slice()),
    };
    let unlimited = ParseOptions {
        dialect,
        limits: Limits::NONE,
    };
    let parsed = Filter::parse(text, &unlimited);
    match &parsed {
        Ok(filter) => {
            tree_is_sound(filter.tree(), text);
            printed_reads_back(filter, &unlimited);
            matches_agree(filter, event, &unlimited);
        }
        Err(errors) => errors_point_into(errors, text),
    }
    limits_only_refuse(text, &unlimited, parsed.ok().as_ref());
}

/// Checks that children precede parents, comparisons are in order, and spans
/// are within the text.
fn tree_is_sound(tree: &Tree, text: &[u8]) {
    for (index, node) in tree.nodes().iter().enumerate() {
        assert!(text.get(node.span.clone()).is_some(), "{node:?}");
        match node.kind {
            NodeKind::Comparison(at) => assert!(tree.comparisons().get(at).is_some()),
            NodeKind::Not(a) => assert!(a.index() < index),
            NodeKind::And(a, b) | NodeKind::Or(a, b) => {
                assert!(a.index() < b.index() && b.index() < index);
            }
        }
    }
    for comparison in tree.comparisons() {
        for span in [
            &comparison.span,
            &comparison.key_span,
            &comparison.value_span,
        ] {
            assert!(text.get(span.clone()).is_some(), "{comparison:?}");
        }
    }
}

fn printed_reads_back(filter: &Filter, options: &ParseOptions) {
    let again = Filter::parse(filter.exact(), options);
    let again = again.unwrap_or_else(|error| {
        panic!("{} is no filter: {error}", filter.exact().escape_ascii());
    });
    assert_eq!(again.exact(), filter.exact());
    assert_eq!(again.canonical(), filter.canonical());
    assert_eq!(again.program(), filter.program());
}

fn matches_agree(filter: &Filter, event: &[u8], options: &ParseOptions) {
    // Any truth values, not only those that an event can give.
    for seed in 0_u64..8 {
        let value = |index: usize| (index as u64 + 1).wrapping_mul(seed * 37 + 11) & 4 != 0;
        assert_eq!(filter.program().run(value), naive(filter.tree(), value));
    }
    let mut categories = CategoryTree::default();
    for name in [b"imap".as_slice(), b"mail"] {
        assert_eq!(categories.register(name, None), Ok(()));
    }
    let event = Event::parse(event, &categories, options.dialect).unwrap_or_default();
    let parent = Event::default();
    let parents = [Ancestor {
        event: &parent,
        live: None,
    }];
    let sent = SentEvent {
        level: Level::Warning,
        parents: &parents,
        categories: &categories,
        ..SentEvent::alone(&event)
    };
    let holds = |index: usize| filter.comparisons()[index].holds(&sent);
    assert_eq!(filter.evaluate(&sent), naive(filter.tree(), holds));
    assert!(filter.evaluate(&sent) || !filter.matches(&sent));
    // The filter that a server sends for its metrics matches the events of
    // each.
    let joined = handshake([filter, &Filter::from(filter.tree().clone())]);
    let joined = Filter::parse(&joined, options).map(|joined| joined.evaluate(&sent));
    assert_eq!(joined, Ok(filter.evaluate(&sent)));
}

/// Returns the tree's value, with each node computed from its children.
fn naive(tree: &Tree, comparison: impl Fn(usize) -> bool) -> bool {
    let mut values: Vec<bool> = Vec::new();
    for node in tree.nodes() {
        values.push(match node.kind {
            NodeKind::Comparison(index) => comparison(index),
            NodeKind::Not(a) => !values[a.index()],
            NodeKind::And(a, b) => values[a.index()] && values[b.index()],
            NodeKind::Or(a, b) => values[a.index()] || values[b.index()],
        });
    }
    values.last().copied().unwrap_or(false)
}

fn errors_point_into(errors: &ParseErrors, text: &[u8]) {
    assert!(errors.count() > 0);
    assert!(!errors.to_string().is_empty());
    for error in errors.iter() {
        assert!(text.get(error.span()).is_some(), "{error:?}");
        let replacement = error.suggestion().and_then(|found| found.replacement());
        if let Some((span, _)) = replacement {
            assert!(text.get(span).is_some(), "{error:?}");
        }
    }
}

fn limits_only_refuse(text: &[u8], unlimited: &ParseOptions, filter: Option<&Filter>) {
    let limits = Limits {
        length: 200,
        depth: 3,
        terms: 4,
        wildcards: 2,
    };
    let tight = ParseOptions {
        limits,
        ..*unlimited
    };
    match Filter::parse(text, &tight) {
        Ok(limited) => {
            assert_eq!(Some(limited.tree()), filter.map(Filter::tree));
            assert!(text.len() <= limits.length);
            assert!(limited.comparisons().len() <= limits.terms);
        }
        Err(errors) => errors_point_into(&errors, text),
    }
}
