//! Recorded traffic.

use fantail_wire::capture::Capture;

#[track_caller]
fn check(text: &[u8], expected: &[&str], errors: &[&str]) {
    let capture = Capture::parse(text);
    let connections: Vec<String> = capture
        .connections
        .iter()
        .map(|c| {
            let lines = c
                .lines
                .iter()
                .map(|l| format!(" {}@{}:{}", l.number, l.micros, l.line.escape_ascii()));
            let closed = c.closed.map(|micros| format!(" closed@{micros}"));
            let name = c.name.escape_ascii().to_string();
            name + &lines.collect::<String>() + &closed.unwrap_or_default()
        })
        .collect();
    assert_eq!(connections, expected);
    let got: Vec<String> = capture
        .errors
        .iter()
        .map(|e| format!("{}: {e}", e.line()))
        .collect();
    assert_eq!(got, errors);
}

#[test]
fn lines_are_sorted_by_connection() {
    check(
        b"2\t10\ta\tb\n1\t11\tc\n2\t12\td\n2\t13\t<close>\n2\t14\te\n1\t15\t\n",
        &[
            "2 1@10:a\\tb 3@12:d closed@13",
            "1 2@11:c 6@15:",
            "2 5@14:e",
        ],
        &[],
    );
    // One that was never open.
    check(b"2\t10\t<close>\n", &[], &[]);
    check(b"", &[], &[]);
}

#[test]
fn what_cannot_be_read_has_its_place_and_loses_nothing_else() {
    check(
        b"garbage\n1\tx\tEND\n1\t5\tEND\t1\n\xff\xfe\x00\n1\t6\tEN",
        &["1 3@5:END\\t1"],
        &[
            "1: expected a connection, a time and a line separated by TABs",
            "2: the time is not a number of microseconds since 1970",
            "4: expected a connection, a time and a line separated by TABs",
            "5: the file ends within the line; its LF is missing",
        ],
    );
}
