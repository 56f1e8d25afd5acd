//! The compiled form against the plainest possible evaluation, and texts
//! against their printed forms.

use fantail_event::{Dialect, EventView, ValueRef};
use fantail_filter::{Case, Filter, Pattern, WarningKind};
use fantail_syntax::{Limits, NodeId, NodeKind, ParseOptions, PatternPart};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Three string fields, `a`, `b` and `c`, and perhaps a name.
#[derive(Debug)]
struct Small {
    name: Option<&'static str>,
    values: Vec<&'static str>,
}

impl EventView for Small {
    fn name(&self) -> Option<&[u8]> {
        self.name.map(str::as_bytes)
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        let [letter] = key else {
            return None;
        };
        let value = self.values.get(usize::from(letter.checked_sub(b'a')?))?;
        Some(ValueRef::Str(value.as_bytes()))
    }
}

const VALUES: [&str; 8] = ["x", "X*", "it's", "\\*", "\"x", "1024", "", "*"];

fn events() -> impl Strategy<Value = Small> {
    let values = vec(select(VALUES.to_vec()), 0..=3);
    (option::of(select(vec!["x", "it's"])), values)
        .prop_map(|(name, values)| Small { name, values })
}

fn filters() -> impl Strategy<Value = String> {
    let keys = ["a", "b", "c", "event"];
    let values = [
        "x", "1k", "it's", "it's*", r"\*", r"\\*", r#"\"x"#, "*", "", r"\x", "?*",
    ];
    let comparison = (select(keys.to_vec()), select(values.to_vec()))
        .prop_map(|(key, value)| format!("{key}=\"{value}\""));
    comparison.prop_recursive(5, 32, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("NOT {a}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} OR {b}")),
        ]
    })
}

/// The tree, walked.
fn walk(filter: &Filter, id: NodeId, event: &Small) -> bool {
    match filter.tree().node(id).unwrap().kind {
        NodeKind::Comparison(index) => filter.comparisons()[index].holds(event),
        NodeKind::Not(a) => !walk(filter, a, event),
        NodeKind::And(a, b) => walk(filter, a, event) && walk(filter, b, event),
        NodeKind::Or(a, b) => walk(filter, a, event) || walk(filter, b, event),
    }
}

/// Whether a text fits, tried in all ways.
fn fits(parts: &[PatternPart], text: &[u8]) -> bool {
    match (parts, text) {
        ([], []) => true,
        ([PatternPart::AnyRun, rest @ ..], _) => (0..=text.len()).any(|at| fits(rest, &text[at..])),
        ([PatternPart::AnyByte, rest @ ..], [_, text @ ..]) => fits(rest, text),
        ([PatternPart::Byte(wanted), rest @ ..], [byte, text @ ..]) => {
            wanted == byte && fits(rest, text)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn compiled_as_walked(
        text in filters(),
        event in events(),
        dialect in select(vec![Dialect::V2_3, Dialect::V2_4]),
    ) {
        let options = ParseOptions { dialect, limits: Limits::NONE };
        let filter = Filter::parse(text.as_bytes(), &options).unwrap();
        let root = filter.tree().root().unwrap();
        prop_assert_eq!(filter.evaluate(&event), walk(&filter, root, &event));
        let explanation = filter.explain(&event);
        prop_assert_eq!(explanation.matches(), filter.matches(&event));
        prop_assert_eq!(explanation.outcomes()[root.index()].holds, filter.evaluate(&event));
        let exact = Filter::parse(filter.exact(), &options).unwrap();
        prop_assert_eq!(exact.evaluate(&event), filter.evaluate(&event));
        prop_assert_eq!(exact.matches(&event), filter.matches(&event));
        // What Dovecot prints loses escapes of these.
        if !text.contains(['\'', '\\']) {
            let canonical = Filter::parse(filter.canonical(), &options).unwrap();
            prop_assert_eq!(canonical.evaluate(&event), filter.evaluate(&event));
            prop_assert_eq!(canonical.requires_name(), filter.requires_name());
        }
    }

    /// Parentheses that show how a filter is read do not change it, and other
    /// advice gives filters, too.
    #[test]
    fn advice_is_a_filter(text in filters(), dialect in select(vec![Dialect::V2_3, Dialect::V2_4])) {
        let options = ParseOptions { dialect, limits: Limits::NONE };
        let filter = Filter::parse(text.as_bytes(), &options).unwrap();
        for warning in filter.warnings() {
            for (n, advice) in warning.advice().iter().enumerate() {
                let Some(rewritten) = advice.apply(text.as_bytes()) else {
                    continue;
                };
                let rewritten = Filter::parse(&rewritten, &options).unwrap();
                if warning.kind() == WarningKind::MixedConnectives && n == 0 {
                    prop_assert_eq!(rewritten.exact(), filter.exact());
                    let count = |filter: &Filter| filter.warnings().len();
                    prop_assert!(count(&rewritten) < count(&filter) || count(&filter) >= 20);
                }
            }
        }
    }

    #[test]
    fn patterns_as_tried_in_all_ways(
        parts in vec(
            prop_oneof![
                2 => select(b"ab".to_vec()).prop_map(PatternPart::Byte),
                1 => Just(PatternPart::AnyByte),
                1 => Just(PatternPart::AnyRun),
            ],
            0..8,
        ),
        text in vec(select(b"ab".to_vec()), 0..10),
    ) {
        let pattern = Pattern::new(parts.iter().copied(), Case::Sensitive);
        prop_assert_eq!(pattern.matches(&text), fits(&parts, &text));
        let folded = Pattern::new(parts.iter().copied(), Case::Insensitive);
        prop_assert_eq!(folded.matches(&text.to_ascii_uppercase()), fits(&parts, &text));
    }
}
