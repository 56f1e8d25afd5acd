//! What is odd about filters, and what is not.

use fantail_event::Dialect;
use fantail_filter::{Filter, Warning};
use fantail_syntax::ParseOptions;

/// Code, place and message; then the advice, as the text it gives if it gives
/// one.
fn render(text: &str, warning: &Warning) -> String {
    let mut line = format!("{} `{}` {warning}", warning.code(), &text[warning.span()]);
    for advice in warning.advice() {
        line += &match advice.apply(text.as_bytes()) {
            Some(rewritten) => format!(" -> {}", String::from_utf8(rewritten).unwrap()),
            None => format!(" -> ({})", advice.message()),
        };
    }
    line
}

#[track_caller]
fn check(dialect: Dialect, text: &str, expected: &[&str]) {
    let options = ParseOptions::new(dialect);
    let filter = Filter::parse(text.as_bytes(), &options).expect(text);
    let warnings = filter.warnings();
    let rendered: Vec<_> = warnings.iter().map(|one| render(text, one)).collect();
    assert_eq!(rendered, expected, "{text}");
    for advice in warnings.iter().flat_map(Warning::advice) {
        if let Some(rewritten) = advice.apply(text.as_bytes()) {
            Filter::parse(&rewritten, &options).expect(text);
        }
    }
}

#[track_caller]
fn check_2_4(text: &str, expected: &[&str]) {
    check(Dialect::V2_4, text, expected);
}

#[track_caller]
fn check_2_3(text: &str, expected: &[&str]) {
    check(Dialect::V2_3, text, expected);
}

#[test]
fn what_people_write_has_none() {
    for text in [
        "event=imap_command_finished AND tagged_reply_state=OK AND (cmd_name=SELECT OR cmd_name=EXAMINE) AND NOT mailbox=INBOX",
        "a=1 OR b=2 OR c=3",
        "a=1 AND (b=2 OR c=3)",
        "(a=1 AND b=2) OR c=3",
        "NOT a=\"\"",
        "category=mail AND NOT category=info",
        "event=a OR event=b",
        "event=a AND (event=b OR c=1) AND NOT event=c",
        "event=a* AND event=*b",
        "bytes_in>1000 AND remote_ip=127.0.0.1",
    ] {
        check_2_3(text, &[]);
        check_2_4(text, &[]);
    }
    check_2_4("bytes>5kB AND ip=10.0.0.0/8 AND duration>=500ms", &[]);
    check_2_4("duration=4* OR duration=1", &[]);
}

#[test]
fn mixed_connectives() {
    check_2_4(
        "a=1 OR b=2 AND c=3",
        &[
            "W01 `a=1 OR b=2 AND c=3` AND and OR are mixed without parentheses \
             -> (a=1 OR b=2) AND c=3 -> a=1 OR (b=2 AND c=3)",
        ],
    );
    // Here both readings are the same, but parentheses would tell.
    check_2_4(
        "a=1 AND b=2 OR c=3",
        &[
            "W01 `a=1 AND b=2 OR c=3` AND and OR are mixed without parentheses \
             -> (a=1 AND b=2) OR c=3",
        ],
    );
    check_2_4(
        "NOT (a=1 OR b=2 AND c=3 AND d=4 OR NOT e=5) AND f=6",
        &[
            "W01 `a=1 OR b=2 AND c=3 AND d=4 OR NOT e=5` AND and OR are mixed without parentheses \
             -> NOT (((a=1 OR b=2) AND c=3 AND d=4) OR NOT e=5) AND f=6 \
             -> NOT (a=1 OR (b=2 AND c=3 AND d=4) OR NOT e=5) AND f=6",
        ],
    );
    check_2_4(
        "a=1 AND b=2 OR c=3 AND d=4",
        &[
            "W01 `a=1 AND b=2 OR c=3 AND d=4` AND and OR are mixed without parentheses \
             -> ((a=1 AND b=2) OR c=3) AND d=4 -> (a=1 AND b=2) OR (c=3 AND d=4)",
        ],
    );
    // The tree does not know where the parentheses around b begin.
    check_2_4(
        "a=1 OR (b=2) AND c=3",
        &[
            "W01 `a=1 OR (b=2) AND c=3` AND and OR are mixed without parentheses \
             -> (a=1 OR (b=2)) AND c=3",
        ],
    );
    let long = "a=1 OR b=2 AND ".repeat(10) + "c=3";
    let expected = format!(
        "W01 `{long}` AND and OR are mixed without parentheses \
         -> (put parentheses around what belongs together)"
    );
    check_2_4(&long, &[&expected]);
}

#[test]
fn never_true() {
    check_2_4("", &["W02 `` an empty filter matches nothing"]);
    check_2_4(
        "user>bob",
        &["W03 `user>bob` this is never true: > compares numbers only, and `bob` is none"],
    );
    check_2_4(
        "ip>=10.0.0.0/8",
        &[
            "W03 `ip>=10.0.0.0/8` this is never true: addresses have no order, only = works, not >= -> ip=10.0.0.0/8",
        ],
    );
    check_2_4(
        "bytes < 4*",
        &[
            "W03 `bytes < 4*` this is never true: wildcards only work with =, not with < -> bytes=4*",
        ],
    );
    check_2_3(
        "bytes>\"1k\" OR duration <= 5s",
        &[
            "W03 `bytes>\"1k\"` this is never true: > compares numbers only, and `1k` is none -> bytes>1024 OR duration <= 5s",
            "W03 `duration <= 5s` this is never true: <= compares numbers only, and `5s` is none -> bytes>\"1k\" OR duration <= 5000000",
        ],
    );
    check_2_4(
        "duration=long",
        &[
            "W03 `duration=long` this is never true: `duration` is always a number, and `long` is none -> (write a number of microseconds, or a unit as in 500ms)",
        ],
    );
    check_2_4(
        "event=a AND (x=1 AND event=b)",
        &[
            "W04 `event=a AND (x=1 AND event=b` an event has only one of these: event=a AND event=b is never true -> (write OR between them)",
        ],
    );
    check_2_4(
        "NOT category=info OR NOT category=debug",
        &[
            "W04 `category=info OR NOT category=debug` an event has only one of these: NOT category=info OR NOT category=debug is always true -> (write AND between them)",
        ],
    );
}

#[test]
fn double_negation() {
    check_2_4(
        "NOT NOT a=1",
        &["W05 `NOT NOT a=1` these NOTs cancel each other out: 2 of them are the same as none"],
    );
    check_2_4(
        "NOT (NOT (NOT (a=1 OR b=1)))",
        &[
            "W05 `NOT (NOT (NOT (a=1 OR b=1)))` these NOTs cancel each other out: 3 of them are the same as one",
        ],
    );
    let filter: Filter = "NOT NOT a=\"\"".parse().unwrap();
    assert_eq!(
        filter.warnings()[0].explanation(),
        Some(
            "a=\"\" is true where `a` is missing or empty; \
             with one NOT it is true where `a` has a value, with two where it has none again"
        )
    );
}

#[test]
fn dangers_of_2_3() {
    check_2_3(
        "bytes_in=1k",
        &[
            "W06 `bytes_in=1k` Dovecot 2.3 crashes here if the field is a number: `1k` is neither a number to it nor has wildcards -> bytes_in=1024",
        ],
    );
    check_2_3(
        "n=1.5",
        &[
            "W06 `n=1.5` Dovecot 2.3 crashes here if the field is a number: `1.5` is neither a number to it nor has wildcards -> (write a whole number)",
        ],
    );
    check_2_3(
        "ip=\"10.0.0.0/8\"",
        &[
            "W12 `\"10.0.0.0/8\"` Dovecot 2.3 knows no networks: `10.0.0.0/8` is compared as text -> (write the beginning of the addresses and *, as in 10.1.*)",
        ],
    );
    check_2_4("bytes_in=1k", &[]);
}

#[test]
fn values_of_2_4_that_no_text_equals() {
    check_2_4(
        "version=\"1.5\"",
        &[
            "W13 `\"1.5\"` this is not compared as it is written: `1.5` is the address 1.0.0.5 -> (for the text write a wildcard, as in \"1.5*\")",
        ],
    );
    check_2_4(
        "code=007",
        &[
            "W13 `007` this is not compared as it is written: `007` is the number 7 -> (for the text write a wildcard, as in \"007*\")",
        ],
    );
    for meant in [
        "code=7",
        "ip=10.0.0.1",
        "ip=\"::1\"",
        "ip=\"10.0.0.0/8\"",
        "n=5k",
        "n=5mins",
    ] {
        check_2_4(meant, &[]);
    }
    check_2_3("code=007", &[]);
}

#[test]
fn other_meanings_than_it_seems() {
    check_2_4(
        "category=imap* OR source_location=imap?.c",
        &[
            "W07 `imap*` there are no wildcards here: a category is compared as a whole, and `imap*` is none",
            "W07 `imap?.c` there are no wildcards here: a source place is compared as a whole, and `imap?.c` is none",
        ],
    );
    check_2_4(
        "bytes>5M OR bytes=\"6 M\"",
        &[
            "W08 `5M` this unit is ambiguous: `5M` could be minutes or megabytes -> bytes>5MB OR bytes=\"6 M\" -> bytes>5mins OR bytes=\"6 M\"",
            "W08 `\"6 M\"` this unit is ambiguous: `6 M` could be minutes or megabytes -> bytes>5M OR bytes=6MB -> bytes>5M OR bytes=6mins",
        ],
    );
    check_2_4(
        "a=1 \"b",
        &["W09 `\"b` everything from this quote on is ignored -> a=1 "],
    );
    check_2_4(
        "user > \"\"",
        &[
            "W10 `user > \"\"` this only asks whether the field is missing -> user=\"\" -> (for a field that is there write NOT key=\"\")",
        ],
    );
    check_2_4(
        "Event=x AND category=INFO",
        &[
            "W11 `Event` upper and lower case make a difference here: `Event` is a field of this name, not `event` -> event=x AND category=INFO",
            "W11 `INFO` upper and lower case make a difference here: this is no log level, but `info` is one -> Event=x AND category=info",
        ],
    );
}

#[test]
fn warnings_are_bounded() {
    let text = "a>x OR ".repeat(100) + "b=1";
    let filter: Filter = text.parse().unwrap();
    assert_eq!(filter.warnings().len(), Warning::MAX_WARNINGS);
}
