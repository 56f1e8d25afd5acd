//! Why filters match, or do not, in words.

use fantail_event::Dialect;
use fantail_filter::{Filter, Reason};
use fantail_syntax::ParseOptions;

use crate::events::Family;

/// What the comparison of this filter finds, in one line.
#[track_caller]
fn check_in(dialect: Dialect, own: &[&str], global: &[&str], text: &str, expected: &str) {
    let filter = Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)).expect(text);
    Family::new(own, global).send(|event| {
        let explanation = filter.explain(event);
        assert_eq!(explanation.findings()[0].to_string(), expected, "{text}");
        assert_eq!(explanation.matches(), filter.matches(event), "{text}");
        assert_eq!(explanation.findings()[0].holds(), filter.evaluate(event));
    });
}

/// An event, its parent and its grandparent; the blanks in the event's text
/// are TABs.
#[track_caller]
fn check(text: &str, expected: &str) {
    let family = [
        "nImap cmailbox Suser Bob Sempty  Ibytes 1024 It -40 Llist 2 a B",
        "Ssession abc Lmore 1 x",
        "Sservice imap",
    ];
    check_in(
        Dialect::V2_4,
        &family,
        &["Shost vm", "Sup top"],
        text,
        expected,
    );
}

#[test]
fn names_levels_categories() {
    check("event=Imap", "\"Imap\": the name fits");
    check("event=I*", "\"Imap\": the name fits");
    check("event=x", "\"Imap\": another name");
    check(
        "event=IMAP",
        "\"Imap\": upper and lower case differ, which counts in names: Imap ≠ IMAP",
    );
    check("category=info", "info: the log level of this sending");
    check("category=debug", "info: another log level");
    check(
        "category=storage",
        "the event, or one that it inherits from, is in or below this category",
    );
    check(
        "category=mail",
        "neither the event nor one that it inherits from is in or below this category",
    );
    check(
        "category=STORAGE",
        "the event is in a category of that name in lower case, and case counts here",
    );
    check(
        "category=mail*",
        "categories are compared without wildcards",
    );
    check(
        "source_location=x",
        "the event does not say where it was sent",
    );
}

#[test]
fn places() {
    let event = ["nx simap.c 12"];
    let check = |dialect, text, expected| check_in(dialect, &event, &[], text, expected);
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        check(
            dialect,
            "source_location=imap.c:12",
            "imap.c:12: the place fits",
        );
        check(
            dialect,
            "source_location=imap.c:13",
            "imap.c:12: the file fits, the line does not",
        );
        check(
            dialect,
            "source_location=*.c",
            "imap.c:12: another file; it is compared without wildcards, and case counts",
        );
    }
}

#[test]
fn where_values_come_from() {
    check("user=bob", "\"Bob\": the text fits");
    check("session=x", "\"abc\" (of the parent): another text");
    check("service=IMAP", "\"imap\" (of parent 2): the text fits");
    check("host=x", "\"vm\" (of the global event): another text");
    check(
        "up=top",
        "\"top\" (of the global event's parent 1): the text fits",
    );
    check("more=y", "[\"x\"] (of the parent): no element fits");
}

#[test]
fn texts() {
    check("user>5", "\"Bob\": text: only = works");
    check(
        "empty=*",
        "\"\": empty, which counts as missing: only \"\" fits, not even *",
    );
    check("empty=\"\"", "\"\": empty, which is what \"\" asks for");
    check("nothing=x", "the field is missing");
    check(
        "nothing=\"\"",
        "the field is missing, which is what \"\" asks for",
    );
    check(
        "nothing>\"\"",
        "the field is missing, which is what \"\" asks for",
    );
    check(
        "USER=bob",
        "the field is missing; there is one with this key in lower case, and case counts in keys",
    );
    let event = ["Ssize 1k"];
    check_in(
        Dialect::V2_4,
        &event,
        &[],
        "size=1k",
        "\"1k\": text is compared with what was read, not with what was written: \"1024\"",
    );
    check_in(
        Dialect::V2_3,
        &event,
        &[],
        "size=1k",
        "\"1k\": the text fits",
    );
}

#[test]
fn numbers() {
    check("bytes=1k", "1024: the number fits");
    check("bytes>1k", "1024: the number does not fit");
    check("bytes=10*", "1024: the digits fit");
    check("bytes=1?", "1024: the digits do not fit");
    check(
        "bytes=a*",
        "1024: a number, and only digits and wildcards can fit one",
    );
    check("bytes>1*", "1024: a number, and wildcards only work with =");
    check("bytes=x", "1024: a number, and the value is none");
    check("bytes=1.2.3.4", "1024: a number, and the value is none");
    check(
        "bytes=5M",
        "1024: a number, and the unit is ambiguous: write 5MB or 5mins",
    );
    check(
        "duration>0",
        "0 microseconds from creation to sending: the number does not fit",
    );
    let event = ["Ibytes 1024"];
    let check = |text, expected| check_in(Dialect::V2_3, &event, &[], text, expected);
    check(
        "bytes=1k",
        "1024: a number, and the value is none: Dovecot 2.3 would crash here",
    );
    check("bytes>1k", "1024: a number, and the value is none");
    check("bytes=a*", "1024: the digits do not fit");
}

#[test]
fn other_types() {
    let event = ["Pip 10.1.2.3 Tat 5 6 Llist 2 a B Lnone 0"];
    let check = |dialect, text, expected| check_in(dialect, &event, &[], text, expected);
    let both = [Dialect::V2_3, Dialect::V2_4];
    for dialect in both {
        check(dialect, "list=B", "[\"a\", \"B\"]: an element fits");
        check(dialect, "list=c", "[\"a\", \"B\"]: no element fits");
        check(dialect, "list>1", "[\"a\", \"B\"]: a list: only = works");
        check(dialect, "list=\"\"", "[\"a\", \"B\"]: no element fits");
        check(
            dialect,
            "none=x",
            "[]: a list without elements: only \"\" fits",
        );
        check(
            dialect,
            "none=\"\"",
            "[]: a list without elements, which is what \"\" asks for",
        );
    }
    let check_2_4 = |text, expected| check(Dialect::V2_4, text, expected);
    check_2_4("ip=10.0.0.0/8", "10.1.2.3: the address fits");
    check_2_4("ip=10.*", "10.1.2.3: the address fits");
    check_2_4(
        "ip=10.2.0.0/16",
        "10.1.2.3: another address, or outside the network",
    );
    check_2_4("ip=1*", "10.1.2.3: the address fits");
    check_2_4("ip=x", "10.1.2.3: an address, and the value is none");
    check_2_4("ip>10.0.0.0/8", "10.1.2.3: an address: only = works");
    check_2_4(
        "at>1",
        "5000006 microseconds since 1970: a timestamp, which nothing fits",
    );
    check(Dialect::V2_4, "list=b", "[\"a\", \"B\"]: an element fits");
    check(
        Dialect::V2_3,
        "list=b",
        "[\"a\", \"B\"]: an element has these letters in other case, which counts in lists of 2.3",
    );
}

/// The rows of a filter without what was found: `yes` or `no`, a `!` if it is
/// decisive, and the term.
#[track_caller]
fn check_rows(text: &str, expected: &[&str]) {
    let filter: Filter = text.parse().unwrap();
    Family::new(&["nx Sa 1"], &[]).send(|event| {
        let explanation = filter.explain(event);
        let rows = explanation.rows().map(|row| {
            let holds = if row.outcome.holds { "yes" } else { "no" };
            let mark = if row.outcome.is_decisive { "!" } else { "" };
            format!("{holds}{mark} {}{}", row.indentation(), row.term)
        });
        assert_eq!(rows.collect::<Vec<_>>(), expected, "{text}");
    });
}

#[test]
fn trees() {
    check_rows("a=1", &["yes! a=1"]);
    check_rows("", &[]);
    check_rows(
        "a=1 AND b=1 AND (a=2 AND NOT c=1)",
        &[
            "no! all of",
            "yes   a=1",
            "no!   b=1",
            "no!   a=2",
            "yes   not",
            "no     c=1",
        ],
    );
    check_rows(
        "a=1 OR b=\"x y\" OR (b=2 AND a=1)",
        &[
            "yes! any of",
            "yes!   a=1",
            "no   b=\"x y\"",
            "no   all of",
            "no     b=2",
            "yes     a=1",
        ],
    );
}

#[test]
fn unnamed_events_are_skipped() {
    for (text, verdict) in [
        (
            "NOT event=a",
            "no match: the event has no name, and this filter looks at named events only",
        ),
        ("NOT event=a OR a=1", "match"),
        ("event=a OR a=2", "no match"),
        ("", "no match: the empty filter matches nothing"),
    ] {
        let filter: Filter = text.parse().unwrap();
        Family::new(&["Sa 1"], &[]).send(|event| {
            let explanation = filter.explain(event);
            assert_eq!(explanation.verdict(), verdict, "{text}");
            assert_eq!(explanation.matches(), filter.matches(event), "{text}");
        });
    }
}

#[test]
fn reasons_have_their_own_names() {
    let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Reason::ALL.len());
}
