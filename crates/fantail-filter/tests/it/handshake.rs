//! The filter that a server sends to its clients.

use fantail_event::Dialect;
use fantail_filter::{Filter, handshake};
use fantail_syntax::ParseOptions;

#[track_caller]
fn check(dialect: Dialect, filters: &[&str], expected: &str) {
    let options = ParseOptions::new(dialect);
    let filters = filters
        .iter()
        .map(|text| Filter::parse(text.as_bytes(), &options).unwrap());
    let filters: Vec<_> = filters.collect();
    let joined = handshake(&filters);
    assert_eq!(String::from_utf8_lossy(&joined), expected);
    let again = Filter::parse(&joined, &options).unwrap();
    let required = filters.iter().all(Filter::requires_name);
    assert_eq!(again.requires_name(), required);
}

#[test]
fn joined() {
    check(Dialect::V2_4, &[], "");
    check(Dialect::V2_4, &["", " "], "");
    check(Dialect::V2_4, &["event=x"], r#"(event="x")"#);
    check(
        Dialect::V2_4,
        &["event=x", "", "a=1k AND NOT b=2"],
        r#"(event="x") OR (("a"="1024" AND (NOT "b"="2")))"#,
    );
}

/// Dovecot would send `"a"="*"` and `"a"="it\'s"`, and its clients would then
/// not send what a metric waits for.
#[test]
fn faithful_where_the_canonical_text_is_not() {
    check(Dialect::V2_4, &[r#"NOT a="\*""#], r#"((NOT "a"="\*"))"#);
    check(Dialect::V2_3, &[r#"a="it's""#], r#"("a"="it's")"#);
}
