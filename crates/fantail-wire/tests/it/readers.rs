//! The stats-reader protocol; the lines of servers are what Dovecot 2.3.19
//! and 2.4.1 sent.

use fantail_wire::reader::{
    DumpLine, MetricParts, ReaderErrorKind, RecordStatus, Reply, Request, Side, TapLine,
};

fn check_side(side: Side, line: &str, expected: Result<(), ReaderErrorKind>) {
    let checked = side.check(line.as_bytes()).map_err(|error| error.kind());
    assert_eq!(checked, expected, "{line}");
}

#[test]
fn greetings() {
    check_side(Side::Server, "VERSION\tstats-reader-server\t2\t0", Ok(()));
    check_side(Side::Client, "VERSION\tstats-reader-client\t2\t7", Ok(()));
    let no = Err(ReaderErrorKind::NoHandshake);
    check_side(Side::Client, "DUMP\tcount", no);
    check_side(Side::Client, "VERSION\tstats-client\t2\t0", no);
    let other = Err(ReaderErrorKind::OtherVersion);
    check_side(Side::Client, "VERSION\tstats-reader-client\t3\t0", other);
    check_side(
        Side::Client,
        "VERSION\tstats-reader-client\t02\t0\r",
        Ok(()),
    );
    for line in [
        "VERSION\tstats-reader-client",
        "VERSION\tstats-reader-client\t2",
        "VERSION\tstats-reader-client\t2\tx",
        "VERSION\tstats-reader-client\t2\t0\tmore",
    ] {
        check_side(Side::Client, line, no);
    }
}

/// What a line asks for; what is not passed over is written back the same.
fn check_request(line: &str, expected: Result<Option<&str>, ReaderErrorKind>) {
    let request = Request::parse(line.as_bytes());
    if let Ok(Some(request)) = &request {
        let mut written = Vec::new();
        request.write(&mut written);
        assert_eq!(String::from_utf8_lossy(&written), format!("{line}\n"));
    }
    let command = request.map(|request| request.map(|request| request.command()));
    assert_eq!(command.map_err(|error| error.kind()), expected, "{line}");
}

#[test]
fn requests() {
    check_request("DUMP", Ok(Some("DUMP")));
    check_request("DUMP\tcount\t%95", Ok(Some("DUMP")));
    check_request("DUMP-RESET\tcount", Ok(Some("DUMP-RESET")));
    check_request(
        "METRICS-ADD\ta\tb\tc d\te f\tevent=x\tlog\tname",
        Ok(Some("METRICS-ADD")),
    );
    check_request("METRICS-ADD\ta\t\u{1}t\t\t\t\t\t", Ok(Some("METRICS-ADD")));
    check_request("METRICS-REMOVE\ta", Ok(Some("METRICS-REMOVE")));
    check_request("REOPEN", Ok(Some("REOPEN")));
    check_request("FANTAIL-RELOAD", Ok(Some("FANTAIL-RELOAD")));
    check_request(
        "FANTAIL-TAP\tevent=x\tjson\t1\t2\t3",
        Ok(Some("FANTAIL-TAP")),
    );
    check_request(
        "FANTAIL-TAP\tevent=x\tjson\t1\t0\t3\tsince=-5\tuntil=7\texplain=yes\task_for=a=b",
        Ok(Some("FANTAIL-TAP")),
    );
    check_request(
        "FANTAIL-TAP\tevent=x\tjson\t1\t2\t3\tsince=soon",
        Err(ReaderErrorKind::BadNumber),
    );
    check_request(
        "FANTAIL-RECORD-START\t/tmp/a\u{1}tb\t60\t5000000000",
        Ok(Some("FANTAIL-RECORD-START")),
    );
    check_request("FANTAIL-RECORD-STOP", Ok(Some("FANTAIL-RECORD-STOP")));
    check_request("FANTAIL-RECORD-STATUS", Ok(Some("FANTAIL-RECORD-STATUS")));
    check_request("NOSUCH", Ok(None));
    check_request("dump", Ok(None));
    check_request("", Err(ReaderErrorKind::EmptyLine));
    check_request(
        "METRICS-ADD\ta\tb\tc",
        Err(ReaderErrorKind::TooFewArguments),
    );
    check_request("METRICS-REMOVE", Err(ReaderErrorKind::TooFewArguments));
}

#[test]
fn the_parts_of_a_metric_are_unescaped_in_their_order() {
    let line = b"METRICS-ADD\tn\td\x01n\tf g\th\tevent=x\te\tname\tmore";
    let parts = MetricParts {
        name: b"n"[..].into(),
        description: b"d\n"[..].into(),
        fields: b"f g"[..].into(),
        group_by: b"h"[..].into(),
        filter: b"event=x"[..].into(),
        exporter: b"e"[..].into(),
        exporter_include: b"name"[..].into(),
    };
    assert_eq!(Request::parse(line), Ok(Some(Request::AddMetric(parts))));
}

fn check_reply(line: &[u8], expected: Option<Reply>) {
    assert_eq!(Reply::parse(line), expected);
    if let Some(reply) = expected {
        let mut written = Vec::new();
        reply.write(&mut written);
        assert_eq!(written, [line, b"\n"].concat());
    }
}

#[test]
fn replies() {
    check_reply(b"+", Some(Reply::Done));
    let refused = |why: &[u8]| Some(Reply::Refused(why.to_vec()));
    check_reply(
        b"-metrics 'foo' not found",
        refused(b"metrics 'foo' not found"),
    );
    check_reply(b"-two\x01nlines", refused(b"two\nlines"));
    check_reply(b"login\t0", None);
    check_reply(b"", None);
}

fn check_dump(line: &str, columns: usize, expected: Result<&[(&str, &[&str])], ReaderErrorKind>) {
    let line = DumpLine::parse(line.as_bytes(), columns);
    let fields = line.map(|line| {
        let fields = line.map_or_else(Vec::new, |line| line.fields);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let values = |values: Vec<Vec<u8>>| values.into_iter().map(text).collect::<Vec<_>>();
        let fields = fields.into_iter();
        fields
            .map(|(name, all)| (text(name), values(all)))
            .collect::<Vec<_>>()
    });
    let expected = expected.map(|fields| {
        let fields = fields.iter();
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        fields
            .map(|(name, all)| ((*name).to_owned(), owned(all)))
            .collect::<Vec<_>>()
    });
    assert_eq!(fields.map_err(|error| error.kind()), expected);
}

#[test]
fn dumps() {
    check_dump(
        "login\t0\t0\tx\t1\t2",
        2,
        Ok(&[("duration", &["0", "0"]), ("x", &["1", "2"])]),
    );
    check_dump(
        "login\t0\t\t\t0",
        4,
        Ok(&[("duration", &["0", "", "", "0"])]),
    );
    check_dump("login\tx", 0, Ok(&[("duration", &[]), ("x", &[])]));
    check_dump("", 2, Ok(&[]));
    check_dump("login\t0", 2, Err(ReaderErrorKind::TruncatedDump));
    check_dump(
        "login\t0\tx",
        usize::MAX,
        Err(ReaderErrorKind::TruncatedDump),
    );
}

#[test]
fn the_lines_of_a_tap_and_a_recording_survive() {
    for line in [
        "PAST\t-5\t2",
        "LIVE",
        "E\tevent=x\ty",
        "SEEN\t7",
        "TERM\t1\t7\t3\t-\tuser=a\u{1}tb\t",
        "TERM\t0\t7\t-\t2\tuser=a\t\"b\"",
        "END\t9",
    ] {
        let mut written = Vec::new();
        TapLine::parse(line.as_bytes()).unwrap().write(&mut written);
        assert_eq!(String::from_utf8_lossy(&written), format!("{line}\n"));
    }
    for line in ["PAST\tsoon\t0", "PAST\t5", "TERM\t1", "END", "x"] {
        assert_eq!(TapLine::parse(line.as_bytes()), None, "{line}");
    }
    for line in [
        "RECORDING\t/a\u{1}tb\t5\t6\t7\t8\t",
        "RECORDING\t/a\t5\t6\t7\t-\tthe file is full",
    ] {
        let mut written = Vec::new();
        let status = RecordStatus::parse(line.as_bytes()).unwrap();
        status.write(&mut written);
        assert_eq!(String::from_utf8_lossy(&written), format!("{line}\n"));
    }
}
