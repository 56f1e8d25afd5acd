//! What holds for every text.

use fantail_event::Dialect;
use fantail_syntax::{Limits, NodeKind, ParseErrors, ParseOptions, Tree, parse};
use proptest::{collection::vec, prelude::*, sample::select};

/// Texts that are nearly filters.
fn nearly_filters() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "a",
        "event",
        "category",
        "source_location",
        "\"k e\"",
        "x.c:12",
        "debug",
        "1k",
        "5M",
        "::1/8",
        "*",
        "?x",
        "-5",
        "\"\"",
        "\"it's\"",
        r#""\*""#,
        r#""\\*\"""#,
        r#""\x""#,
        "\"ü\"",
        "=",
        "=",
        "=",
        ">",
        "<",
        "(",
        ")",
        " AND ",
        " or ",
        " NOT ",
        " ",
        "\n",
        "\"",
        "\\",
        "'",
        "@",
        "==",
        "!=",
        "&&",
        "||",
        "\u{0}",
        "/",
        "%",
    ];
    vec(select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Filters of some depth.
fn filters() -> impl Strategy<Value = String> {
    let keys = [
        "a",
        "event",
        "category",
        "\"k e\"",
        r#""k\"\\""#,
        "source_location",
    ];
    let values = [
        "x",
        "1",
        "1k",
        "5M",
        "1 min",
        "10.0.0.1/8",
        "*",
        "a?b",
        "debug",
        "x.c:7",
        r#"\*"#,
        r#"\\*"#,
        r#"\"q"#,
        "",
        "and",
        "ü",
        r#"\x"#,
        "\n",
    ];
    let comparison = (select(keys.to_vec()), select(values.to_vec()))
        .prop_map(|(key, value)| format!("{key}=\"{value}\""));
    comparison.prop_recursive(6, 48, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("NOT {a}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} OR {b}")),
        ]
    })
}

fn dialects() -> impl Strategy<Value = Dialect> {
    select(vec![Dialect::V2_3, Dialect::V2_4])
}

/// All of a tree but where it stands in the text.
fn meaning(tree: &Tree) -> (Vec<NodeKind>, Vec<impl PartialEq + std::fmt::Debug>) {
    let kinds = tree.nodes().iter().map(|node| node.kind).collect();
    let comparisons = tree.comparisons().iter().map(|it| {
        let pattern: Vec<_> = it.value.pattern().collect();
        (
            it.key.clone(),
            it.operator,
            it.value.plain().to_vec(),
            pattern,
        )
    });
    (kinds, comparisons.collect())
}

fn check_errors(text: &[u8], errors: &ParseErrors) {
    assert!((1..=ParseErrors::MAX_ERRORS).contains(&errors.count()));
    let mut last = 0;
    for error in errors {
        let span = error.span();
        assert!(last <= span.start && span.start <= span.end && span.end <= text.len());
        last = span.start;
        assert!(!error.to_string().is_empty());
        if let Some((span, _)) = error.suggestion().and_then(|it| it.replacement()) {
            assert!(span.start <= span.end && span.end <= text.len());
        }
    }
}

fn check(text: &[u8], dialect: Dialect) {
    let options = ParseOptions::new(dialect);
    let tree = match parse(text, &options) {
        Ok(tree) => tree,
        Err(errors) => return check_errors(text, &errors),
    };
    let unlimited = ParseOptions {
        limits: Limits::NONE,
        dialect,
    };
    let exact = tree.exact();
    if tree.has_one_form() {
        assert_eq!(exact, tree.canonical());
    }
    let again = parse(&exact, &unlimited).expect("the exact text is a filter");
    assert_eq!(meaning(&again), meaning(&tree));
    assert_eq!(again.exact(), exact);
    let canonical = tree.canonical();
    let again = parse(&canonical, &unlimited).expect("the canonical text is a filter");
    // 2.3 escapes what it does not read back escaped.
    if dialect == Dialect::V2_4 || !canonical.contains(&b'\'') {
        assert_eq!(again.canonical(), canonical);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(text in vec(any::<u8>(), 0..64), dialect in dialects()) {
        check(&text, dialect);
    }

    #[test]
    fn near_filters(text in nearly_filters(), dialect in dialects()) {
        check(&text, dialect);
    }

    #[test]
    fn real_filters(text in filters(), dialect in dialects()) {
        prop_assert!(parse(text.as_bytes(), &ParseOptions::new(dialect)).is_ok());
        check(text.as_bytes(), dialect);
    }
}
