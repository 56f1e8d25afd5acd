//! Tests of each finding, from facts.

mod server;

use fantail_config::{Loaded, Memory, load, load_text};

use super::*;

const METRIC: &str = "metric logins {\n  filter = event=imap_command_finished\n}\n";

const LEFT: &str = "service stats {\n  unix_listener stats-writer {\n    mode = 0\n  }\n  \
    unix_listener login/stats-writer {\n    mode = 0\n  }\n  unix_listener stats-reader {\n    \
    mode = 0\n  }\n}\n";

/// A `dovecot.conf` that only Dovecot reads.
fn dovecots(text: &str) -> Loaded {
    load_text("/etc/dovecot/dovecot.conf", text, &Default::default())
}

/// A `fantail.conf` that includes this `dovecot.conf`.
fn fantails(dovecot: &str) -> Loaded {
    let including = "!include /etc/dovecot/dovecot.conf\n";
    let files = Memory::new()
        .with("/etc/dovecot/dovecot.conf", dovecot)
        .with("/etc/fantail/fantail.conf", including);
    load(b"/etc/fantail/fantail.conf", &files, &Default::default())
}

fn socket(role: SocketRole, state: SocketState) -> SocketFacts {
    SocketFacts {
        role,
        path: format!("/run/dovecot/{}", role.name()),
        state,
        access: None,
        clients: None,
    }
}

fn served(program: SocketOwner) -> SocketState {
    let pid = if program == SocketOwner::Fantail {
        7
    } else {
        9
    };
    SocketState::Served { program, pid }
}

/// Returns the facts of a running Dovecot whose three sockets belong to one program.
fn healthy(program: &SocketOwner) -> Facts {
    let roles = [
        SocketRole::Writer,
        SocketRole::LoginWriter,
        SocketRole::Reader,
    ];
    let sockets = roles.map(|role| socket(role, served(program.clone())));
    let mut facts = Facts {
        sockets: sockets.to_vec(),
        ..Facts::default()
    };
    facts.dovecot.is_running = Some(true);
    facts
}

/// Returns the findings in order, such as `error doctor/stats-off`.
#[track_caller]
fn check_found(loaded: &Loaded, facts: &Facts, expected: &[&str]) -> Vec<Finding> {
    let findings = diagnose(facts, loaded, &|_| false);
    let told: Vec<String> = findings
        .iter()
        .map(|one| format!("{} {}", one.severity.as_str(), one.code))
        .collect();
    assert_eq!(told, expected, "{findings:#?}");
    findings
}

fn told(finding: &Finding) -> String {
    let notes = finding.notes.iter().map(|note| note.text.as_str());
    let all: Vec<&str> = std::iter::once(finding.message.as_str())
        .chain(notes)
        .collect();
    all.join("\n")
}

#[test]
fn nothing_is_found_where_nothing_was_seen_or_all_is_well() {
    check_found(&dovecots(METRIC), &Facts::default(), &[]);
    check_found(&dovecots(METRIC), &healthy(&SocketOwner::Dovecot), &[]);
    let text = format!("{LEFT}{METRIC}");
    check_found(&fantails(&text), &healthy(&SocketOwner::Fantail), &[]);
}

#[test]
fn an_empty_name_of_the_socket_switches_events_off() {
    let expected = &["error doctor/stats-off"];
    for written in ["", " ", "\"\""] {
        let text = format!("{METRIC}stats_writer_socket_path ={written}\n");
        let findings = check_found(&dovecots(&text), &Facts::default(), expected);
        assert!(findings[0].primary.is_some());
    }
    let again = "stats_writer_socket_path =\nstats_writer_socket_path = stats-writer\n";
    check_found(
        &dovecots(&format!("{again}{METRIC}")),
        &Facts::default(),
        &[],
    );
    // The output of doveconf takes precedence over the file.
    let mut facts = Facts::default();
    facts.dovecot.writer_path = Some(String::new());
    check_found(&dovecots(METRIC), &facts, expected);
}

#[test]
fn sockets_that_are_left_alone_need_fantail() {
    let text = format!("{LEFT}{METRIC}");
    for state in [SocketState::Missing, SocketState::Stale] {
        let mut facts = healthy(&SocketOwner::Fantail);
        facts.sockets = vec![socket(SocketRole::Writer, state)];
        for loaded in [dovecots(&text), fantails(&text)] {
            let findings = check_found(&loaded, &facts, &["error doctor/not-served"]);
            assert!(told(&findings[0]).contains("systemctl start fantail"));
        }
    }
}

#[test]
fn a_missing_socket_of_dovecot_is_an_error_while_dovecot_runs() {
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.sockets = vec![socket(SocketRole::Writer, SocketState::Missing)];
    check_found(&dovecots(METRIC), &facts, &["error doctor/not-served"]);
    facts.dovecot.is_running = Some(false);
    check_found(
        &dovecots(METRIC),
        &facts,
        &["warning doctor/dovecot-stopped"],
    );
}

#[test]
fn dovecot_must_not_bind_what_fantail_has() {
    let expected = &["error doctor/dovecot-binds"];
    let facts = healthy(&SocketOwner::Fantail);
    for loaded in [dovecots(METRIC), fantails(METRIC)] {
        let findings = check_found(&loaded, &facts, expected);
        let told = told(&findings[0]);
        assert!(
            told.contains("put this into /etc/dovecot/dovecot.conf"),
            "{told}"
        );
        assert!(told.contains("unix_listener login/stats-writer"), "{told}");
    }
    // fantail does not run yet.
    let facts = healthy(&SocketOwner::Dovecot);
    check_found(&fantails(METRIC), &facts, &["error lint/same-sockets"]);
}

#[test]
fn all_sockets_belong_to_one_process() {
    let mut facts = healthy(&SocketOwner::Fantail);
    facts.sockets[2] = socket(SocketRole::Reader, served(SocketOwner::Dovecot));
    let loaded = fantails(&format!("{LEFT}{METRIC}"));
    let findings = check_found(&loaded, &facts, &["error doctor/sockets-divided"]);
    assert!(told(&findings[0]).contains("/run/dovecot/stats-reader belongs to Dovecot"));
}

#[test]
fn a_socket_that_is_left_over_is_named() {
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.sockets[1] = socket(SocketRole::LoginWriter, SocketState::Stale);
    let findings = check_found(&dovecots(METRIC), &facts, &["error doctor/stale-socket"]);
    assert!(
        findings[0]
            .message
            .contains("/run/dovecot/login/stats-writer")
    );
}

#[test]
fn mail_processes_without_a_connection_are_an_error_and_an_idle_dovecot_is_not() {
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.sockets[0].clients = Some(0);
    facts.dovecot.mail_processes = Some(0);
    check_found(&dovecots(METRIC), &facts, &[]);
    facts.dovecot.mail_processes = Some(3);
    check_found(&dovecots(METRIC), &facts, &["error doctor/not-connected"]);
    facts.sockets[0].clients = Some(1);
    check_found(&dovecots(METRIC), &facts, &[]);
    // A relative name is the same socket; another path is not.
    facts.dovecot.writer_path = Some("stats-writer".to_owned());
    check_found(&dovecots(METRIC), &facts, &[]);
    facts.dovecot.writer_path = Some("/run/other".to_owned());
    check_found(&dovecots(METRIC), &facts, &["error doctor/not-connected"]);
}

#[test]
fn sockets_admit_the_accounts_that_dovecot_runs_as() {
    let access = |mode, user, group| SocketAccess {
        mode,
        user,
        group,
        needed: Some(5),
        needed_name: "five".to_owned(),
    };
    let check = |place: usize, access: SocketAccess, expected: &[&str]| {
        let mut facts = healthy(&SocketOwner::Dovecot);
        facts.sockets[place].access = Some(access);
        check_found(&dovecots(METRIC), &facts, expected)
    };
    let denied = &["warning doctor/socket-permissions"];
    check(0, access(0o660, 0, 5), &[]);
    check(0, access(0o666, 0, 0), &[]);
    check(0, access(0o600, 0, 5), denied);
    check(0, access(0o660, 0, 0), denied);
    check(1, access(0o600, 5, 0), &[]);
    let findings = check(1, access(0o600, 0, 0), denied);
    assert!(told(&findings[0]).contains("    user = five\n"));
    check(2, access(0o600, 0, 0), &[]);
}

fn logged(problem: LogProblem) -> LogFacts {
    LogFacts {
        file: "/var/log/mail.log".to_owned(),
        problem,
        lines: 2,
        last: "the line".to_owned(),
    }
}

#[test]
fn agents_that_may_not_open_the_socket_are_named() {
    let agent = |may_open| DeliveryAgent {
        place: "/etc/postfix/master.cf:9".to_owned(),
        user: "virtual".to_owned(),
        may_open,
    };
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.agents = vec![agent(true)];
    check_found(&dovecots(METRIC), &facts, &[]);
    facts.agents = vec![agent(false)];
    let expected = &["warning doctor/permission-denied"];
    let findings = check_found(&dovecots(METRIC), &facts, expected);
    assert!(told(&findings[0]).contains("group = virtual\n"));
    facts.agents.clear();
    facts.log = vec![logged(LogProblem::PermissionDenied)];
    let findings = check_found(&dovecots(METRIC), &facts, expected);
    assert!(told(&findings[0]).contains("/var/log/mail.log says: the line"));
}

#[test]
fn limits_of_connections_are_told_before_they_are_reached() {
    let expected = &["warning doctor/connection-limit"];
    let check = |connections, refused, expected: &[&str]| {
        let mut facts = healthy(&SocketOwner::Fantail);
        facts.server = Some(ServerFacts {
            connections: Some(connections),
            connection_limit: Some(1_000),
            refused: Some(refused),
            ..ServerFacts::default()
        });
        check_found(&fantails(&format!("{LEFT}{METRIC}")), &facts, expected);
    };
    check(899, 0, &[]);
    check(900, 0, expected);
    check(1, 1, expected);
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.sockets[0].clients = Some(899);
    facts.dovecot.client_limit = Some(1_000);
    check_found(&dovecots(METRIC), &facts, &[]);
    facts.sockets[0].clients = Some(950);
    check_found(&dovecots(METRIC), &facts, expected);
    facts.sockets[0].clients = Some(1);
    facts.log = vec![logged(LogProblem::LimitReached)];
    check_found(&dovecots(METRIC), &facts, expected);
}

const TWO: &str = "metric a {\n  filter = event=imap_command_finished\n}\nmetric b {\n  filter = \
    event=imap_command_finshed\n}\nmetric c {\n  filter = event=imap_command_finished AND \
    cmd_name=NOOP\n}\n";

fn counts(counts: &[(&str, u64)]) -> Option<Vec<MetricCount>> {
    let counts = counts.iter().map(|(name, count)| MetricCount {
        name: name.as_bytes().to_vec(),
        count: *count,
    });
    Some(counts.collect())
}

#[test]
fn metrics_that_count_nothing_are_warned_of_if_the_filter_is_to_blame() {
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.counts = counts(&[("a", 1), ("b", 0), ("c", 0)]);
    let expected = &[
        "warning doctor/never-matched",
        "warning lint/unknown-event",
        "hint doctor/never-matched",
    ];
    let findings = check_found(&dovecots(TWO), &facts, expected);
    assert!(findings[0].message.contains("`b`"));
    assert!(findings[2].message.contains("`c`"));
    facts.counts = counts(&[("a", 0), ("b", 0), ("c", 0)]);
    let expected = &["warning doctor/all-zero", "warning lint/unknown-event"];
    check_found(&dovecots(TWO), &facts, expected);
    // An idle installation has no connections.
    facts.sockets[0].clients = Some(0);
    let expected = &["warning lint/unknown-event", "hint doctor/all-zero"];
    check_found(&dovecots(TWO), &facts, expected);
    // Another finding already names the cause.
    let off = format!("stats_writer_socket_path =\n{TWO}");
    let expected = &["error doctor/stats-off", "warning lint/unknown-event"];
    check_found(&dovecots(&off), &facts, expected);
}

#[test]
fn a_filter_that_is_not_in_force_needs_a_reload() {
    let mut facts = healthy(&SocketOwner::Dovecot);
    facts.filter_in_force = Some(br#"(event="x") OR (event="imap_command_finished")"#.to_vec());
    check_found(&dovecots(METRIC), &facts, &[]);
    facts.filter_in_force = Some(br#"(event="imap_command_started")"#.to_vec());
    let expected = &["warning doctor/reload-needed"];
    check_found(&dovecots(METRIC), &facts, expected);
    facts.filter_in_force = Some(Vec::new());
    check_found(&dovecots(METRIC), &facts, expected);
    check_found(&dovecots(""), &facts, &["warning doctor/no-metrics"]);
}

#[test]
fn other_settings_of_a_metric_need_a_reload() {
    let loaded = fantails(&format!("{LEFT}{METRIC}"));
    let mut facts = healthy(&SocketOwner::Fantail);
    facts.filter_in_force = Some(br#"(event="imap_command_finished")"#.to_vec());
    let mut check = |running: &str, expected: &[&str]| {
        facts.server = Some(ServerFacts {
            metrics: Some(running.to_owned()),
            ..ServerFacts::default()
        });
        check_found(&loaded, &facts, expected);
    };
    let mut written = Vec::new();
    let metric = &loaded.settings.metrics[0];
    fantail_config::write_metric(metric, loaded.settings.dialect, &mut written);
    let written = String::from_utf8(written).unwrap();
    check(&written, &[]);
    check(&format!("{written}metric added {{\n}}\n"), &[]);
    let grouped = written.replace('}', "  group_by = user\n}");
    check(&grouped, &["warning doctor/reload-needed"]);
}

#[test]
fn codes_have_a_stable_order_and_different_names() {
    let names: std::collections::HashSet<&str> =
        DoctorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), DoctorCode::ALL.len());
}
