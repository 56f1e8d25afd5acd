//! Trees back to text. The canonical texts are what libdovecot printed.

use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_syntax::{NodeKind, ParseOptions, parse};

#[track_caller]
fn check(dialect: Dialect, text: &str, canonical: &str, exact: &str) {
    let options = ParseOptions::new(dialect);
    let tree = parse(text.as_bytes(), &options).expect(text);
    let printed = [tree.canonical(), tree.exact()].map(|it| String::from_utf8(it).unwrap());
    assert_eq!(printed, [canonical, exact], "{text}");
    assert!(!tree.has_one_form() || canonical == exact, "{text}");
    let again = parse(exact.as_bytes(), &options).expect(exact);
    assert_eq!(again.exact(), exact.as_bytes());
}

#[track_caller]
fn check_both(text: &str, canonical: &str) {
    check(V2_3, text, canonical, canonical);
    check(V2_4, text, canonical, canonical);
}

#[test]
fn structure() {
    check_both("", "");
    check_both(" \t\r\n", "");
    check_both("event=x", r#"(event="x")"#);
    check_both("((a=1))", r#"("a"="1")"#);
    check_both("NOT NOT a=b", r#"((NOT (NOT "a"="b")))"#);
    check_both(
        "a=1 OR b=2 AND c=3",
        r#"((("a"="1" OR "b"="2") AND "c"="3"))"#,
    );
    check_both(
        "a=1 OR (b=2 AND c=3)",
        r#"(("a"="1" OR ("b"="2" AND "c"="3")))"#,
    );
    check_both("NOT a=1 and b=2", r#"(((NOT "a"="1") AND "b"="2"))"#);
}

#[test]
fn comparisons() {
    check_both("a> =1", r#"("a">="1")"#);
    check_both("a<1", r#"("a"<"1")"#);
    check_both("a=NoT", r#"("a"="not")"#);
    check_both("\"event\"=x", r#"(event="x")"#);
    check_both("EVENT=x", r#"("EVENT"="x")"#);
    check_both("category=debug", "(category=debug)");
    check_both("category=Debug", r#"(category="Debug")"#);
    check_both("event=1k", r#"(event="1k")"#);
    check_both("source_location=a.c:12", r#"(source_location="a.c:12")"#);
    check(
        V2_3,
        "source_location=a.c:012",
        r#"(source_location="a.c:12")"#,
        r#"(source_location="a.c:012")"#,
    );
    check(
        V2_3,
        "source_location=a.c:0",
        r#"(source_location="a.c")"#,
        r#"(source_location="a.c:0")"#,
    );
    check(
        V2_4,
        "source_location=a.c:0",
        r#"(source_location="a.c:0")"#,
        r#"(source_location="a.c:0")"#,
    );
    check(V2_4, "a=1k", r#"("a"="1024")"#, r#"("a"="1024")"#);
    check(V2_3, "a=1k", r#"("a"="1k")"#, r#"("a"="1k")"#);
}

#[test]
fn escapes() {
    check_both(r#"a="\"""#, r#"("a"="\"")"#);
    check_both(r#"a="\\""#, r#"("a"="\\")"#);
    check_both("a=\"x\\\ny\"", "(\"a\"=\"x\ny\")");
    check(V2_3, r#"a="it's""#, r#"("a"="it\'s")"#, r#"("a"="it's")"#);
    check(V2_4, r#"a="it's""#, r#"("a"="it\'s")"#, r#"("a"="it's")"#);
    check(V2_4, r#"a="it's*""#, r#"("a"="it's*")"#, r#"("a"="it's*")"#);
    check(V2_3, r#"a="\*""#, r#"("a"="\\*")"#, r#"("a"="\\*")"#);
    check(V2_4, r#"a="\*""#, r#"("a"="*")"#, r#"("a"="\*")"#);
    check(V2_4, r#"a="*\*""#, r#"("a"="*\*")"#, r#"("a"="*\*")"#);
    check(V2_4, r#"a="\x""#, r#"("a"="x")"#, r#"("a"="\x")"#);
    check(
        V2_4,
        r#"category="m\ail""#,
        r#"(category="mail")"#,
        r#"(category="m\ail")"#,
    );
    check(V2_3, r#""a\b"=c"#, r#"("a\\b"="c")"#, r#"("a\\b"="c")"#);
    check(V2_4, r#""a\b"=c"#, r#"("ab"="c")"#, r#"("ab"="c")"#);
    check(V2_4, r#""a\*b"=c"#, r#"("a*b"="c")"#, r#"("a*b"="c")"#);
}

#[test]
fn an_unclosed_quote_ends_the_text() {
    for dialect in [V2_3, V2_4] {
        let text = b"a=1\" OR b=2";
        let tree = parse(text, &ParseOptions::new(dialect)).expect("complete");
        assert_eq!(tree.canonical(), br#"("a"="1")"#);
        assert_eq!(tree.ignored(), Some(3..text.len()));
        let empty = parse(b"\"abc", &ParseOptions::new(dialect)).expect("empty");
        assert!(empty.root().is_none());
    }
}

#[test]
fn the_tree_tells_where_things_stand() {
    let text = b"(a=1 OR b=2) AND NOT c=\"3\"";
    let tree = parse(text, &ParseOptions::default()).expect("a filter");
    let root = tree.node(tree.root().expect("not empty")).unwrap();
    let NodeKind::And(left, right) = root.kind else {
        panic!("{root:?}");
    };
    let [left, right] = [left, right].map(|id| tree.node(id).unwrap());
    assert_eq!((root.span.clone(), root.parenthesised), (0..26, false));
    assert_eq!(
        (&text[left.span.clone()], left.parenthesised),
        (&b"a=1 OR b=2"[..], true)
    );
    assert_eq!(
        (&text[right.span.clone()], right.parenthesised),
        (&b"NOT c=\"3\""[..], false)
    );
    let last = &tree.comparisons()[2];
    assert_eq!(&text[last.value_span.clone()], b"\"3\"");
    assert_eq!(&text[last.key_span.clone()], b"c");
}
