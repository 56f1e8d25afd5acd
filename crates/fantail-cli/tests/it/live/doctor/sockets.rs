//! Faults of sockets and processes.

use std::{
    fs,
    os::unix::{net::UnixListener, process::CommandExt as _},
    process::Stdio,
    time::{Duration, SystemTime},
};

use fantail_testkit::dovecot::{Traffic, Version};
use rustix::process::Signal;

use super::{MAIL_USER, METRIC, Patient, append, codes, put_program, told};
use crate::{
    live::serve::counted,
    program::{contents, repository},
};

/// Processes are old enough to have connected after 15 seconds.
const OLD_ENOUGH: Duration = Duration::from_secs(60);

fn check_stats_off(version: Version) {
    let settings = format!("stats_writer_socket_path =\n{METRIC}");
    let Some(mut patient) = Patient::with_own_stats(version, &settings) else {
        return;
    };
    patient.start();
    assert_eq!(
        Traffic::visits(&patient.site, 2).failures,
        Vec::<String>::new()
    );
    // This is how it looks to users.
    assert_eq!(counted(&patient.site, "commands"), 0);
    let report = patient.check(&["doctor/stats-off"]);
    assert!(told(&report, "doctor/stats-off").contains("doveadm reload"));
}

/// The example of docs/operate.md, with the path and the line of this site.
#[test]
fn the_report_is_that_of_the_documentation() {
    let settings = format!("stats_writer_socket_path =\n{METRIC}");
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, &settings) else {
        return;
    };
    patient.start();
    let page = String::from_utf8(contents(repository().join("docs/operate.md"))).unwrap();
    let example = page.split("$ fantail doctor\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let finding = &example[example.find("error[").unwrap()..];
    let text = String::from_utf8(contents(patient.site.config())).unwrap();
    let written = text
        .lines()
        .position(|line| line.starts_with("stats_writer"));
    let line = written.unwrap() + 1;
    let place = format!("{}:{line}:", patient.site.config().display());
    let expected = finding
        .replace("/etc/dovecot/dovecot.conf:14:", &place)
        .replace("14 |", &format!("{line} |"));
    let output = patient.output(&[]);
    let report = String::from_utf8(output.stdout).unwrap();
    let unseen = report.split_once("not seen:").unwrap();
    assert!(
        unseen
            .0
            .ends_with(expected.split("1 error;").next().unwrap()),
        "{report}"
    );
    assert!(
        report.ends_with("1 error; `fantail explain CODE` tells more\n"),
        "{report}"
    );
    assert!(report.starts_with("Dovecot 2.3."), "{report}");
}

#[test]
fn stats_that_are_switched_off_in_2_3() {
    check_stats_off(Version::V2_3);
}

#[test]
fn stats_that_are_switched_off_in_2_4() {
    check_stats_off(Version::V2_4);
}

#[test]
fn sockets_that_are_left_to_a_fantail_that_does_not_run() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let serve = patient.serve(&[]);
    assert!(!serve.scrape().is_empty());
    drop(serve);
    patient.start();
    let report = patient.check(&["doctor/not-served"]);
    assert!(told(&report, "doctor/not-served").contains("systemctl start fantail"));
}

#[test]
fn sockets_that_a_killed_fantail_left_over() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let mut serve = patient.serve(&[]);
    patient.start();
    serve.process.signal(Signal::KILL);
    serve.process.wait(Duration::from_secs(5));
    let stale = [
        "doctor/not-served",
        "doctor/stale-socket",
        "doctor/stale-socket",
    ];
    patient.check(&stale);
}

#[test]
fn a_dovecot_that_does_not_start_because_fantail_has_its_sockets() {
    let Some(patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    let _serve = patient.serve(&["--ignore-dovecot"]);
    let mut command = patient.site.installation().command("dovecot");
    command.arg("-F").arg("-c").arg(patient.site.config());
    let ended = command.stderr(Stdio::null()).status().unwrap();
    assert_eq!(ended.code(), Some(89));
    let report = patient.report(&[]);
    let found = codes(&report);
    assert!(
        found.contains(&"doctor/dovecot-stopped".to_owned()),
        "{report:#}"
    );
    let told = told(&report, "doctor/dovecot-binds");
    assert!(told.contains("unix_listener stats-writer {"), "{told}");
}

#[test]
fn processes_that_may_not_open_the_socket_are_not_connected() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let first = patient.serve(&[]);
    patient.start();
    let mut held = Traffic::hold(&patient.site, 2);
    assert_eq!(held.ask("NOOP"), 2);
    drop(first);
    let _second = patient.serve(&["--writer-mode", "0600"]);
    // The doctor knows the owner by the name of the group, which the configuration of
    // these tests replaces by its number.
    let config = patient.config();
    let own = fs::File::create(&config).unwrap();
    drop(own);
    append(
        &config,
        &format!("!include {}\n", patient.site.config().display()),
    );
    patient.wait_for("doctor/not-connected", OLD_ENOUGH);
    let report = patient.report(&[]);
    let found = codes(&report);
    assert!(
        found.contains(&"doctor/socket-permissions".to_owned()),
        "{report:#}"
    );
    assert_eq!(held.finish().failures, Vec::<String>::new());
}

/// Dovecot 2.3 complains; 2.4 goes on in silence.
#[test]
fn a_delivery_agent_that_complains_about_the_socket() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let _serve = patient.serve(&[]);
    patient.start();
    patient.visit();
    let log = patient.site.path("mta.log");
    let mut agent = std::process::Command::new("/usr/lib/dovecot/dovecot-lda");
    agent
        .arg("-c")
        .arg(patient.site.config())
        .args(["-d", "anna"]);
    agent.uid(MAIL_USER).gid(MAIL_USER);
    let errors = fs::File::create(&log).unwrap();
    agent.stdin(Stdio::null()).stderr(errors).status().unwrap();
    patient.check(&[]);
    let report = patient.report(&["--log", log.to_str().unwrap()]);
    assert_eq!(codes(&report), ["doctor/permission-denied"], "{report:#}");
    let told = told(&report, "doctor/permission-denied");
    assert!(
        told.contains("Permission denied") && !told.contains("anna"),
        "{told}"
    );
}

fn check_delivery_agent(version: Version) {
    let Some(mut patient) = Patient::with_fantail(version, METRIC) else {
        return;
    };
    let _serve = patient.serve(&[]);
    patient.start();
    patient.visit();
    let services = patient.site.path("master.cf");
    let check = |user: &str, expected: &[&str]| {
        let service = format!(
            "dovecot unix - n n - - pipe\n  flags=DRhu user={user} \
             argv=/usr/lib/dovecot/dovecot-lda -f ${{sender}}\n"
        );
        drop(fs::File::create(&services).unwrap());
        append(&services, &service);
        let report = patient.report(&["--master-cf", services.to_str().unwrap()]);
        assert_eq!(codes(&report), expected, "{report:#}");
        report
    };
    check("root", &[]);
    let report = check("nobody", &["doctor/permission-denied"]);
    let told = told(&report, "doctor/permission-denied");
    assert!(
        told.contains("master.cf:1 runs a delivery agent as nobody"),
        "{told}"
    );
}

#[test]
fn delivery_agents_of_2_3_that_may_not_open_the_socket() {
    check_delivery_agent(Version::V2_3);
}

#[test]
fn delivery_agents_of_2_4_that_may_not_open_the_socket() {
    check_delivery_agent(Version::V2_4);
}

#[test]
fn a_socket_of_another_process_beside_those_of_dovecot() {
    let alone = "service stats {\n  unix_listener stats-reader {\n    mode = 0\n  }\n}\n";
    let settings = format!("{alone}{METRIC}");
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, &settings) else {
        return;
    };
    let _listener = UnixListener::bind(patient.site.path("run/stats-reader")).unwrap();
    patient.start();
    let report = patient.report(&[]);
    let found = codes(&report);
    assert_eq!(found[0], "doctor/sockets-divided", "{report:#}");
    let told = told(&report, "doctor/sockets-divided");
    assert!(told.contains("stats-writer belongs to Dovecot"), "{told}");
}

#[test]
fn a_dovecot_that_was_killed() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.start();
    let pid = fs::File::open(patient.site.path("run/master.pid")).unwrap();
    let pid = std::io::read_to_string(pid).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    patient.wait_for("doctor/dovecot-stopped", Duration::from_secs(10));
    patient.wait_for("doctor/stale-socket", Duration::from_secs(10));
}

#[test]
fn a_configuration_that_dovecot_refuses() {
    let Some(patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.configure_more("no_such_setting = yes\n");
    let report = patient.report(&[]);
    let told = told(&report, "doctor/dovecot-refuses");
    assert!(told.contains("no_such_setting"), "{told}");
}

#[test]
fn a_clock_that_was_set_since_dovecot_started() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.start();
    patient.visit();
    // The file has the time of the start.
    let file = fs::File::options();
    let file = file
        .clone()
        .write(true)
        .open(patient.site.path("run/master.pid"));
    #[allow(clippy::disallowed_methods, reason = "it is about this clock")]
    let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
    file.unwrap().set_modified(hour_ago).unwrap();
    let report = patient.check(&["doctor/clock-moved"]);
    assert!(told(&report, "doctor/clock-moved").contains("set forwards by 3"));
}

#[test]
fn a_unit_that_failed() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.start();
    patient.visit();
    let said = "LoadState=loaded\\nActiveState=failed\\nResult=exit-code\\n";
    let script = format!("#!/bin/sh\nprintf '{said}'\n");
    put_program(&patient.programs.path().join("systemctl"), &script);
    patient.check(&["doctor/unit-failed", "doctor/unit-failed"]);
}

#[test]
fn a_user_who_may_see_little_is_told_what() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.start();
    patient.visit();
    let mut command = patient.command(&["--format", "json"]);
    let output = command.uid(MAIL_USER).gid(MAIL_USER).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(codes(&report), Vec::<String>::new(), "{report:#}");
    let unseen = report["unseen"].to_string();
    assert!(unseen.contains("run/stats-reader"), "{unseen}");
    assert!(unseen.contains("Permission denied"), "{unseen}");
}
