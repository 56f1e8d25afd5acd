//! What a filter may ask for, and that neither depth nor errors cost more
//! than their length.

use std::{iter, thread};

use fantail_syntax::{Limits, ParseError, ParseErrorKind, ParseErrors, ParseOptions, parse};

/// At the limit it is a filter, one beyond it is not.
#[track_caller]
fn check(limits: Limits, at: &str, beyond: &str, kind: ParseErrorKind) {
    let options = ParseOptions {
        limits,
        ..ParseOptions::default()
    };
    parse(at.as_bytes(), &options).expect(at);
    let errors = parse(beyond.as_bytes(), &options).expect_err(beyond);
    let kinds: Vec<_> = errors.iter().map(ParseError::kind).collect();
    assert_eq!(kinds, [kind], "{beyond}");
}

#[test]
fn each_limit() {
    let default = Limits::default();
    let length = Limits {
        length: 5,
        ..default
    };
    check(length, "a=123", "a=1234", ParseErrorKind::TooLong);
    let depth = Limits {
        depth: 3,
        ..default
    };
    let too_deep = ParseErrorKind::TooDeep;
    check(depth, "NOT (NOT a=1)", "NOT (NOT (a=1))", too_deep);
    check(depth, "(((a=1)))", "((((a=1))))", too_deep);
    check(
        depth,
        "((NOT a=1)) OR (a=1)",
        "NOT NOT NOT NOT a=1 OR NOT b=1",
        too_deep,
    );
    check(
        depth,
        "(NOT (a=1 OR b=1))",
        "(NOT (a=1 OR NOT b=1))",
        too_deep,
    );
    let terms = Limits {
        terms: 2,
        ..default
    };
    let too_many = ParseErrorKind::TooManyTerms;
    check(terms, "a=1 OR b=2", "a=1 OR b=2 AND c=3 OR d=4", too_many);
    let wildcards = Limits {
        wildcards: 2,
        ..default
    };
    let too_wild = ParseErrorKind::TooManyWildcards;
    check(wildcards, "a=*x? AND event=**", "a=*x?*", too_wild);
    check(wildcards, r#"a="*?\*\?""#, r#"a="*?\**""#, too_wild);
}

#[test]
fn depth_needs_no_stack() {
    let count = 1_000_000;
    let repeated = |text: &str| text.repeat(count);
    let texts = [
        repeated("NOT ") + "a=1",
        repeated("(") + "a=1" + &repeated(")"),
        String::from("a=1") + &" AND a=1".repeat(count / 10),
        String::from("a=\"") + &r#"\\x\""#.repeat(count) + "\"",
    ];
    let options = ParseOptions {
        limits: Limits::NONE,
        ..ParseOptions::default()
    };
    let check = move || {
        for text in texts {
            let tree = parse(text.as_bytes(), &options).expect("a filter");
            assert_eq!(tree.canonical(), tree.clone().exact());
        }
    };
    let thread = thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(check)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn hostile_errors_are_cheap() {
    let count = 40_000;
    let texts: [String; 10] = [
        "(".repeat(count) + &" a".repeat(count),
        "(".repeat(count) + &"a=1 b AND ".repeat(count / 10),
        "@ ".repeat(count),
        "( )".repeat(count),
        "\"".repeat(count) + "x",
        "k IN (".repeat(count),
        "k=(".repeat(count) + &"'x', ) ".repeat(count),
        "k=1, ".repeat(count),
        "k IN (x, 'y' OR) l=(AND, x z) ".repeat(count / 10),
        iter::repeat_n("NOT (", count)
            .chain(["&& )) ' "; 10])
            .collect(),
    ];
    let options = ParseOptions {
        limits: Limits::NONE,
        ..ParseOptions::default()
    };
    for text in texts {
        if let Err(errors) = parse(text.as_bytes(), &options) {
            assert!((1..=ParseErrors::MAX_ERRORS).contains(&errors.count()));
        }
    }
}
