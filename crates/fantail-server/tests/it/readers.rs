//! The stats-reader socket. The answers are those of Dovecot 2.3.19 and 2.4.1
//! but for the words of errors in filters.

use crate::fixture::{ALL, Fixture, Reader, event};

/// What a client that has greeted gets for a line; `None` when the connection
/// is closed.
#[track_caller]
fn check(line: &str, answer: Option<&str>) {
    let fixture = Fixture::new(ALL);
    let mut reader = fixture.reader();
    reader.send(line);
    assert_eq!(reader.line().as_deref(), answer, "{line}");
    // Others are still served.
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
}

#[test]
fn orders_are_answered() {
    check("METRICS-ADD\ta\tb\tc d\te f\tevent=x\t\t", Some("+"));
    check(
        "METRICS-ADD\tall\t\t\t\tevent=x\t\t",
        Some("-METRICS-ADD: Metric already exists"),
    );
    check("METRICS-REMOVE\tall2", Some("-metrics 'all2' not found"));
    check("REOPEN", Some("+"));
    check("METRICS-ADD\tall\tdesc", None);
    check("METRICS-REMOVE", None);
    check("", None);
    check(&"x".repeat(1_025), None);
}

/// An unknown exporter once made the stats process panic.
#[test]
fn bad_metrics_are_refused() {
    let refused = |line: &str, words: &str| {
        let fixture = Fixture::new(ALL);
        let answer = fixture.reader().ask(line).unwrap();
        assert!(answer.starts_with("-METRICS-ADD: "), "{answer}");
        assert!(answer.contains(words), "{answer}");
        assert_eq!(fixture.dump("count"), "all\t0\tx\t0");
    };
    refused(
        "METRICS-ADD\ta\t\t\t\tevent=x\tnobody\t",
        "no exporter is called `nobody`",
    );
    refused("METRICS-ADD\ta\t\t\t\tevent=(\t\t", "expected a value");
    refused("METRICS-ADD\ta\t\t\t\t\t\t", "no filter");
    refused("METRICS-ADD\t\t\t\t\tevent=x\t\t", "");
    refused("METRICS-ADD\ta\t\t\tx:nosuch:1\tevent=x\t\t", "nosuch");
}

#[test]
fn unknown_commands_have_no_answer() {
    let fixture = Fixture::new(ALL);
    let mut reader = fixture.reader();
    reader.send("NOSUCH\tx");
    assert_eq!(reader.dump("DUMP\tcount"), ["all\t0\tx\t0"]);
}

#[test]
fn clients_that_do_not_greet_are_closed() {
    let check = |line: &str| {
        let fixture = Fixture::new(ALL);
        let mut reader = Reader::ungreeted(&fixture.path("run/stats-reader"));
        assert_eq!(reader.ask(line), None);
    };
    check("DUMP\tcount");
    check("VERSION\tstats-reader-client\t3\t0");
    check("VERSION\tstats-client\t2\t0");
}

#[test]
fn dumps() {
    let fixture = Fixture::new(ALL);
    fixture.send(&(event("a", 10) + &event("b", 30)));
    let mut reader = fixture.reader();
    let all = ["all\t2\t0\t\t0\tx\t2\t40\t\t30"];
    assert_eq!(reader.dump("DUMP\tcount\tsum\tnosuch\tmax"), all);
    assert_eq!(reader.dump("DUMP"), ["all\tx"]);
    assert_eq!(reader.dump("DUMP-RESET\tcount"), ["all\t2\tx\t2"]);
    assert_eq!(reader.dump("DUMP\tcount\tmax"), ["all\t0\t0\tx\t0\t0"]);
}

#[test]
fn metrics_come_and_go() {
    let fixture = Fixture::new(ALL);
    let mut reader = fixture.reader();
    let line = "METRICS-ADD\tmine\tdesc\tx\tname:upper\tevent=a\t\t";
    assert!(
        reader.ask(line).unwrap().starts_with('-'),
        "a modifier of 2.4"
    );
    let line = "METRICS-ADD\tmine\tdesc\tx\tx:linear:0:10:5\tevent=a\t\t";
    assert_eq!(reader.ask(line).unwrap(), "+");
    fixture.send(&(event("a", 3) + &event("b", 3)));
    assert_eq!(
        fixture.dump("count"),
        "all\t2\tx\t2\nmine\t1\tx\t1\nmine_x_1_5\t1\tx\t1"
    );
    assert_eq!(reader.ask("METRICS-REMOVE\tmine").unwrap(), "+");
    assert_eq!(reader.ask("METRICS-REMOVE\tall").unwrap(), "+");
    assert_eq!(fixture.dump("count"), "");
    assert_eq!(fixture.writer().filter, "");
}

/// A hundred clients that send nothing once kept all others out. A client that
/// waits for events keeps its seat.
#[test]
fn idle_clients_make_way_for_others() {
    let fixture = Fixture::with(ALL, |options| options.limits.readers = 3);
    let mut tap = fixture.reader();
    let opened = tap.ask("FANTAIL-TAP\tevent=a\tlogfmt\t1\t60\t1000");
    assert_eq!(opened.unwrap(), "+");
    let asked = || {
        let mut reader = fixture.reader();
        assert_eq!(reader.ask("REOPEN").unwrap(), "+");
        reader
    };
    let idle = [asked(), asked()];
    let _more = [asked(), asked()];
    assert_eq!(idle.map(|mut reader| reader.line()), [None, None]);
    fixture.send(&event("a", 1));
    assert!(tap.line().unwrap().starts_with("E\t"));
}
