//! Comparisons that kill a Dovecot 2.3 process.

use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_syntax::ParseOptions;

use crate::events::Family;

#[track_caller]
fn check(text: &str, dialect: Dialect, expected: &[&str]) {
    let filter = Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)).unwrap();
    let found: Vec<_> = filter
        .hazards()
        .map(|hazard| &text[hazard.span()])
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn of_2_3() {
    let check = |text, expected: &[&str]| check(text, Dialect::V2_3, expected);
    check("bytes_in=1k", &["bytes_in=1k"]);
    check("bytes_in=\"\"", &["bytes_in=\"\""]);
    check("a=1 OR b=x* AND c=yes OR NOT d=-9", &["c=yes"]);
    check("bytes_in>1k OR bytes_in<=x", &[]);
    check("event=x AND category=y AND source_location=z", &[]);
}

#[test]
fn none_of_2_4() {
    check("bytes_in=1k OR c=yes", Dialect::V2_4, &[]);
}

/// Where 2.3.19 dies we answer: false.
#[test]
fn they_are_false() {
    let family = Family::new(&["Ibytes_in 1024"], &[]);
    for (text, expected) in [("bytes_in=1k", false), ("NOT bytes_in=1k", true)] {
        let options = ParseOptions::new(Dialect::V2_3);
        let filter = Filter::parse(text.as_bytes(), &options).unwrap();
        assert_eq!(
            family.send(|event| filter.matches(event)),
            expected,
            "{text}"
        );
    }
    let filter = Filter::parse(b"a=x", &ParseOptions::new(Dialect::V2_3)).unwrap();
    assert_eq!(filter.hazards().next().unwrap().key(), b"a");
}
