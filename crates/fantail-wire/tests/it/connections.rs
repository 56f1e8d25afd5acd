//! Whole conversations.

use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_wire::{Limits, WireErrorKind};

use super::play;

#[track_caller]
fn check_sent(lines: &[&[u8]], expected: &[&str]) {
    check_sent_as(lines, V2_4, expected);
}

#[track_caller]
fn check_sent_as(lines: &[&[u8]], dialect: Dialect, expected: &[&str]) {
    let (sent, outcome) = play(lines, dialect, Limits::default());
    assert_eq!(
        (sent, outcome),
        (expected.iter().map(ToString::to_string).collect(), Ok(()))
    );
}

#[track_caller]
fn check_refused(lines: &[&[u8]], message: &str) {
    for dialect in [V2_3, V2_4] {
        let (_, outcome) = play(lines, dialect, Limits::default());
        assert_eq!(
            outcome.map_err(|error| error.to_string()),
            Err(message.to_owned())
        );
    }
}

#[test]
fn fields_that_are_read() {
    check_sent(
        &[b"EVENT\t0\t0\t1\t1\t2\tl1\t500\tnx\tSs\tv"],
        &["x s=v duration=498"],
    );
    check_sent(&[b"EVENT\t0\t0\t1\t-5\t1"], &["- duration=0"]);
    check_sent(
        &[b"EVENT\t0\t0\t1\t1\t2\tl1\t500\tnx\tIa\t-9223372036854775808"],
        &["x a=-9223372036854775808 duration=498"],
    );
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tTa\t5\t7\tTn\t-5\t7"],
        &["x a=5.000007 n=-5.000007 duration=0"],
    );
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tSe\t\tSg\tt\x01tt"],
        &["x e= g=t\\tt duration=0"],
    );
    check_sent(&[b"EVENT\t0\t0\t1\t5\t5\tl0\t0\tnx"], &["x duration=0"]);
}

#[test]
fn a_key_that_comes_again_overwrites_in_place() {
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tLa\t2\tv\tv\tSb\tq\tIa\t4"],
        &["x a=4 b=q duration=0"],
    );
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tSduration\tmine\tSz\t1"],
        &["x duration=0 z=1"],
    );
}

#[test]
fn unknown_arguments_are_passed_over() {
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tZa\tq5\t\tSb\tv"],
        &["x b=v duration=0"],
    );
}

#[test]
fn only_2_4_knows_addresses() {
    let lines: &[&[u8]] = &[b"EVENT\t0\t0\t1\t5\t5\tnx\tPa\t10.0.0.1"];
    check_sent_as(lines, V2_4, &["x a=10.0.0.1 duration=0"]);
    check_sent_as(lines, V2_3, &["x duration=0"]);
    check_sent_as(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tPa\tbogus"],
        V2_3,
        &["x duration=0"],
    );
}

#[test]
fn a_list_may_lack_its_last_element() {
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tLa\t0"],
        &["x a=[] duration=0"],
    );
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tLa\t2\tv"],
        &["x a=[v] duration=0"],
    );
    let missing = "the value is missing (argument 7 of the event)";
    check_refused(&[b"EVENT\t0\t0\t1\t5\t5\tnx\tLa\t3\tv"], missing);
    // Dovecot reserves 34 GB for this list.
    check_refused(&[b"EVENT\t0\t0\t1\t5\t5\tnx\tLa\t4000000000\tv"], missing);
    let missing = "the value is missing (argument 6 of the event)";
    check_refused(&[b"EVENT\t0\t0\t1\t5\t5\tnx\tLa\t2"], missing);
}

#[test]
fn a_clock_set_back_is_no_negative_duration() {
    // Both Dovecots die of this.
    check_sent(&[b"EVENT\t0\t0\t1\t5\t5\tl4\t1\tnx"], &["x duration=0"]);
}

#[test]
fn an_unknown_parent_in_an_update_counts_as_none() {
    check_sent(
        &[
            b"BEGIN\t5\t0\t1\t1\t2\tSa\t1",
            b"UPDATE\t5\t9\t1\t2\tSa\t2",
            b"EVENT\t0\t5\t1\t1\t2\tnx",
        ],
        &["- a=1 duration=0", "x a=2 duration=0"],
    );
}

#[test]
fn a_cr_before_the_lf_is_dropped() {
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tSa\tb\r"],
        &["x a=b duration=0"],
    );
    check_sent(
        &[b"EVENT\t0\t0\t1\t5\t5\tnx\tSa\tb\r\r"],
        &["x a=b\\r duration=0"],
    );
}

#[test]
fn updates_merge_into_the_living_event() {
    check_sent(
        &[
            b"BEGIN\t5\t0\t1\t1\t2\tl1\t500\tLa\t2\tp\tq\tSs\t1",
            b"UPDATE\t5\t0\t1\t2\tl1\t500\tLa\t2\tq\tr\tSs\t2\tIi\t3",
            b"EVENT\t0\t5\t1\t1\t2\tl1\t500\tnx\tLa\t2\tr\tz",
        ],
        &[
            "- a=[p,q] s=1 duration=498",
            "x a=[q,r,z] s=2 duration=498 i=3",
        ],
    );
}

#[test]
fn children_keep_what_an_ended_parent_gave() {
    let lines: &[&[u8]] = &[
        b"BEGIN\t5\t0\t1\t1\t2\tSs\tparent",
        b"BEGIN\t6\t5\t1\t1\t2\tSt\tchild",
        b"END\t5",
        b"EVENT\t0\t6\t1\t1\t2\tnx",
    ];
    let sent = [
        "- s=parent duration=0",
        "- s=parent duration=0 t=child",
        "x s=parent duration=0 t=child",
    ];
    check_sent(lines, &sent);
    let ended = [lines, &[b"EVENT\t0\t5\t1\t1\t2\tny"]].concat();
    check_refused(&ended, "unknown parent event 5");
    // The id is free again, for another event.
    let again = [
        lines,
        &[
            b"BEGIN\t5\t0\t1\t1\t2\tSs\tnew",
            b"EVENT\t5\t6\t1\t1\t2\tny",
        ],
    ]
    .concat();
    let with_global = "y s=parent duration=0 t=child";
    check_sent(
        &again,
        &[&sent[..], &["- s=new duration=0", with_global]].concat(),
    );
}

#[test]
fn an_event_can_be_parent_and_global_at_once() {
    check_sent(
        &[
            b"BEGIN\t5\t0\t1\t1\t2\tSs\tv",
            b"EVENT\t5\t5\t1\t1\t2\tnx\tSown\t1",
        ],
        &["- s=v duration=0", "x s=v duration=0 own=1"],
    );
}

#[test]
fn an_empty_line_is_refused() {
    check_refused(&[b""], "the line is empty");
    check_refused(&[b"\r"], "the line is empty");
    check_refused(&[b"\r\r"], "unknown command");
}

#[test]
fn lines_that_are_refused() {
    let ids = "an event id is missing or not a number";
    check_refused(&[b"VERSION\tstats-client\t4\t0"], "unknown command");
    check_refused(&[b"BOGUS\t1"], "unknown command");
    check_refused(&[b"event\t0\t0\t1\t5\t5\tnx"], "unknown command");
    check_refused(&[b"\xff\x00\x01"], "unknown command");
    for line in [
        "EVENT",
        "EVENT\t0",
        "EVENT\t-1\t0\t1\t5\t5",
        "END",
        "END\tx",
        "UPDATE\t5",
    ] {
        check_refused(&[line.as_bytes()], ids);
    }
    for line in [
        "EVENT\t0\t0",
        "EVENT\t0\t0\t6\t5\t5\tnx",
        "BEGIN\t1\t0\t\t5\t5",
        "BEGIN\t1\t0\tx\t5\t5",
    ] {
        check_refused(
            &[line.as_bytes()],
            "the log type is not a number from 0 to 5",
        );
    }
    check_refused(&[b"UPDATE\t5\t0\t5\t5"], "unknown event 5");
    check_refused(&[b"END\t5"], "unknown event 5");
    check_refused(&[b"END\t0"], "unknown event 0");
    check_refused(&[b"EVENT\t9\t0\t1\t5\t5"], "unknown global event 9");
    check_refused(&[b"EVENT\t0\t9\t1\t5\t5"], "unknown parent event 9");
    check_refused(&[b"BEGIN\t5\t5\t1\t5\t5"], "unknown parent event 5");
    let begin: &[u8] = b"BEGIN\t5\t0\t1\t5\t5";
    check_refused(&[begin, begin], "event 5 began before and has not ended");
    let other: &[u8] = b"BEGIN\t6\t5\t1\t5\t5";
    let changed = "the update changes the parent of the event";
    check_refused(&[begin, other, b"UPDATE\t6\t0\t5\t5"], changed);
    check_refused(&[begin, other, b"UPDATE\t5\t6\t5\t5"], changed);
    check_refused(&[begin, other, b"UPDATE\t6\t9\t5\t5"], changed);
    check_refused(&[begin, other, b"END\t5", b"UPDATE\t6\t5\t5\t5"], changed);
}

/// Events after `EVENT 0 0 1`, and what is said of them.
const REFUSED_EVENTS: [(&[u8], &str); 15] = [
    (
        b"",
        "the seconds are not a number (argument 1 of the event)",
    ),
    (b"5", "the value is missing (argument 2 of the event)"),
    (
        b"5\t1000000",
        "the microseconds are not a number below 1000000 (argument 2 of the event)",
    ),
    (
        b"5\t-1",
        "the microseconds are not a number below 1000000 (argument 2 of the event)",
    ),
    (
        b"5\t5\tcnever",
        "the category is not registered (argument 3 of the event)",
    ),
    (
        b"5\t5\tsfile",
        "the value is missing (argument 4 of the event)",
    ),
    (
        b"5\t5\tsfile\t-1",
        "the source line is not a number (argument 4 of the event)",
    ),
    (
        b"5\t5\tIa",
        "the value is missing (argument 4 of the event)",
    ),
    (
        b"5\t5\tIa\t1x",
        "the value is not a 64-bit integer (argument 4 of the event)",
    ),
    (
        b"5\t5\tIa\t+1",
        "the value is not a 64-bit integer (argument 4 of the event)",
    ),
    (
        b"5\t5\tIa\t9223372036854775808",
        "the value is not a 64-bit integer (argument 4 of the event)",
    ),
    (
        b"5\t5\tSa",
        "the value is missing (argument 4 of the event)",
    ),
    (
        b"5\t5\tS\tv",
        "the field's key is missing (argument 3 of the event)",
    ),
    (
        b"5\t5\tTa\t5\tTb",
        "the microseconds are not a number below 1000000 (argument 5 of the event)",
    ),
    (
        b"5\t5\tLa\t-1",
        "the number of elements is not a number (argument 4 of the event)",
    ),
];

#[test]
fn events_that_are_refused() {
    for (event, message) in REFUSED_EVENTS {
        check_refused(&[&[b"EVENT\t0\t0\t1\t", event].concat()], message);
    }
    let (_, outcome) = play(
        &[b"EVENT\t0\t0\t1\t5\t5\tPa\tbogus"],
        V2_4,
        Limits::default(),
    );
    let message = "the value is not an IP address (argument 4 of the event)";
    assert_eq!(
        outcome.map_err(|error| error.to_string()),
        Err(message.to_owned())
    );
}

#[test]
fn categories_have_one_parent() {
    check_sent(
        &[
            b"CATEGORY\ta",
            b"CATEGORY\ta",
            b"CATEGORY\tb\ta\textra",
            b"CATEGORY\t",
        ],
        &[],
    );
    check_refused(&[b"CATEGORY"], "the name of the category is missing");
    check_refused(
        &[b"CATEGORY\ta\tnone"],
        "the parent category is not registered",
    );
    let other = "the category is registered with another parent";
    check_refused(&[b"CATEGORY\ta", b"CATEGORY\tb\ta", b"CATEGORY\tb"], other);
    check_refused(&[b"CATEGORY\ta", b"CATEGORY\tb", b"CATEGORY\ta\tb"], other);
}

#[test]
fn a_client_cannot_fill_the_memory() {
    let begins: Vec<Vec<u8>> = (1..=20)
        .map(|id| format!("BEGIN\t{id}\t0\t1\t5\t5").into_bytes())
        .collect();
    let lines: Vec<&[u8]> = begins.iter().map(Vec::as_slice).collect();
    let limits = Limits {
        live_events: 10,
        ..Limits::default()
    };
    let (sent, outcome) = play(&lines, V2_4, limits);
    assert_eq!(
        outcome.map_err(|e| e.kind().clone()),
        Err(WireErrorKind::TooManyEvents)
    );
    // One that is refused is not sent.
    assert_eq!(sent.len(), 10);

    let large = [
        b"BEGIN\t99\t0\t1\t5\t5\tSk\t".as_slice(),
        &b"x".repeat(5000),
    ]
    .concat();
    let limits = Limits {
        live_bytes: 4000,
        ..Limits::default()
    };
    let (_, outcome) = play(&[&large], V2_4, limits);
    assert_eq!(
        outcome.map_err(|e| e.kind().clone()),
        Err(WireErrorKind::TooManyEvents)
    );

    let chain: Vec<Vec<u8>> = (1..=20)
        .map(|id| format!("BEGIN\t{id}\t{}\t1\t5\t5", id - 1).into_bytes())
        .collect();
    let lines: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let limits = Limits {
        ancestors: 10,
        ..Limits::default()
    };
    let (_, outcome) = play(&lines, V2_4, limits);
    assert_eq!(
        outcome.map_err(|e| e.kind().clone()),
        Err(WireErrorKind::TooDeep)
    );
}
