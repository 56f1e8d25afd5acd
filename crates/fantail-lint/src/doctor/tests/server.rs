//! Tests of findings about connections, exporters, scrapes, clocks, units, the state file and logs.

use super::*;

#[test]
fn exporters_that_fail_drop_or_fill_are_told() {
    let mut exporter = ExporterFacts {
        name: "bus".to_owned(),
        spool_bytes: 79,
        spool_limit: Some(100),
        dropped: vec![("queue_full".to_owned(), 0)],
        ..ExporterFacts::default()
    };
    let check = |exporter: &ExporterFacts, expected: &[&str]| {
        let mut facts = healthy(&SocketOwner::Fantail);
        facts.exporters = vec![exporter.clone()];
        check_found(&fantails(&format!("{LEFT}{METRIC}")), &facts, expected);
    };
    check(&exporter, &[]);
    exporter.spool_bytes = 80;
    check(&exporter, &["warning doctor/spool-near-limit"]);
    exporter.dropped = vec![("queue_full".to_owned(), 3)];
    exporter.last_error = Some("connection refused".to_owned());
    let expected = &[
        "error doctor/export-fails",
        "warning doctor/export-drops",
        "warning doctor/spool-near-limit",
    ];
    check(&exporter, expected);
}

#[test]
fn scrapes_fail_or_are_missing() {
    let scrape = |failure: Option<&str>| ScrapeFacts {
        address: "127.0.0.1:9900".to_owned(),
        failure: failure.map(str::to_owned),
    };
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.scrapes = vec![scrape(None)];
    check_found(&dovecots(METRIC), &facts, &[]);
    facts.scrapes = vec![scrape(Some("connection refused"))];
    check_found(&dovecots(METRIC), &facts, &["error doctor/scrape-fails"]);
    facts = healthy(&SocketOwner::Fantail);
    facts.server = Some(ServerFacts {
        scrapes: Some(0),
        uptime: Some(std::time::Duration::from_secs(301)),
        ..ServerFacts::default()
    });
    let loaded = fantails(&format!("{LEFT}{METRIC}"));
    check_found(&loaded, &facts, &[]);
    facts.scrapes = vec![scrape(None)];
    check_found(&loaded, &facts, &["hint doctor/not-scraped"]);
}

#[test]
fn clocks_units_states_and_logs_are_told() {
    let loaded = dovecots(METRIC);
    let check = |change: &dyn Fn(&mut Facts), expected: &[&str]| {
        let mut facts = healthy(&SocketOwner::Dovecot);
        change(&mut facts);
        check_found(&loaded, &facts, expected);
    };
    let clock = &["warning doctor/clock-moved"];
    check(&|facts| facts.dovecot.clock_step = Some(5), &[]);
    check(&|facts| facts.dovecot.clock_step = Some(-6), clock);
    let log = |problem| move |facts: &mut Facts| facts.log = vec![logged(problem)];
    check(&log(LogProblem::ClockMoved), clock);
    check(
        &log(LogProblem::StatsError),
        &["warning doctor/stats-errors"],
    );
    check(
        &log(LogProblem::SocketExists),
        &["error doctor/dovecot-binds"],
    );
    let refuse = |facts: &mut Facts| facts.dovecot.refusal = Some("unknown setting".to_owned());
    check(&refuse, &["error doctor/dovecot-refuses"]);
    let unit = |failure: Option<&'static str>| {
        move |facts: &mut Facts| {
            facts.units = vec![UnitFacts {
                name: "fantail.service".to_owned(),
                failure: failure.map(str::to_owned),
                is_active: failure.is_none(),
            }];
        }
    };
    check(&unit(None), &[]);
    check(&unit(Some("exit-code")), &["error doctor/unit-failed"]);
    let state = |facts: &mut Facts| {
        let problem = Some("no such folder".to_owned());
        facts.server = Some(ServerFacts {
            state: Some(("/state".to_owned(), problem)),
            ..ServerFacts::default()
        });
    };
    check(&state, &["error doctor/state-file"]);
}

#[test]
fn processes_that_are_not_connected_are_named() {
    let warning = &["warning doctor/not-connected"];
    let loaded = fantails(&format!("{LEFT}{METRIC}"));
    let mut facts = healthy(&SocketOwner::Fantail);
    facts.sockets[0].clients = Some(3);
    facts.dovecot.mail_processes = Some(4);
    facts.dovecot.unconnected = vec![("auth".to_owned(), 7), ("imap".to_owned(), 9)];
    let named = |findings: &[Finding]| findings[0].message.clone();
    let findings = check_found(&loaded, &facts, warning);
    assert_eq!(
        named(&findings),
        "2 processes of Dovecot send no events: auth (7), imap (9)"
    );
    // They are about to connect again.
    let uptime = |seconds| {
        Some(ServerFacts {
            uptime: Some(std::time::Duration::from_secs(seconds)),
            ..ServerFacts::default()
        })
    };
    facts.server = uptime(14);
    check_found(&loaded, &facts, &[]);
    facts.server = uptime(15);
    check_found(&loaded, &facts, warning);
    facts.dovecot.unconnected = (1..=8).map(|pid| ("imap".to_owned(), pid)).collect();
    let findings = check_found(&loaded, &facts, warning);
    assert!(
        named(&findings).ends_with("imap (5), 3 more"),
        "{findings:?}"
    );
    // None is connected: an error, without names.
    facts.sockets[0].clients = Some(0);
    check_found(&loaded, &facts, &["error doctor/not-connected"]);
}

#[test]
fn a_dovecot_that_was_not_restarted_still_has_its_sockets() {
    let text = format!("{LEFT}{METRIC}");
    for loaded in [dovecots(&text), fantails(&text)] {
        let facts = healthy(&SocketOwner::Dovecot);
        let findings = check_found(&loaded, &facts, &["error doctor/dovecot-binds"]);
        assert!(told(&findings[0]).contains("systemctl restart dovecot"));
    }
}
