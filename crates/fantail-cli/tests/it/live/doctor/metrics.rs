//! Faults of metrics and of scrapes.

use std::{net::TcpListener, time::Duration};

use fantail_testkit::dovecot::{Traffic, Version};

use super::{METRIC, Patient, append, codes, told};

#[test]
fn a_misspelt_event_is_why_a_metric_counts_nothing() {
    let misspelt = "metric misspelt {\n  filter = event=imap_command_finshed\n}\n";
    let settings = format!("{METRIC}{misspelt}");
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, &settings) else {
        return;
    };
    patient.start();
    patient.visit();
    let report = patient.check(&["doctor/never-matched", "lint/unknown-event"]);
    assert!(told(&report, "doctor/never-matched").contains("`misspelt`"));
    assert!(told(&report, "lint/unknown-event").contains("imap_command_finished"));
}

#[test]
fn without_a_look_it_cannot_be_told_why_a_metric_counts_nothing() {
    let never = "metric never {\n  filter = event=imap_command_finished AND \
        cmd_name=GENURLAUTH\n}\n";
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, &format!("{METRIC}{never}"))
    else {
        return;
    };
    let _serve = patient.serve(&[]);
    patient.start();
    patient.visit();
    let report = patient.check(&["doctor/never-matched"]);
    let told = told(&report, "doctor/never-matched");
    assert!(told.contains("cannot be told"), "{told}");
    assert!(told.contains("doctor --watch"), "{told}");
}

#[test]
fn no_metric_counts_while_clients_are_connected() {
    let never = "metric never {\n  filter = event=mail_expunged\n}\n";
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, never) else {
        return;
    };
    patient.start();
    patient.check(&["doctor/all-zero"]);
    let mut held = Traffic::hold(&patient.site, 1);
    assert_eq!(held.ask("NOOP"), 1);
    let report = patient.check(&["doctor/all-zero"]);
    assert_eq!(report["warnings"], 1);
}

#[test]
fn a_name_that_prometheus_does_not_see() {
    let hidden = "metric hidden-one {\n  filter = event=imap_command_finished\n}\n";
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, &format!("{METRIC}{hidden}"))
    else {
        return;
    };
    patient.start();
    patient.visit();
    let report = patient.check(&["lint/hidden-metric"]);
    assert_eq!(report["hints"], 1);
}

fn check_reload(mut patient: Patient, more: &str) {
    patient.start();
    patient.visit();
    patient.configure_more(more);
    patient.check(&["doctor/reload-needed"]);
}

/// Another metric.
const MORE: &str = "metric more {\n  filter = event=mail_expunged\n}\n";

/// More of the metric that is there.
const GROUPED: &str = "metric commands {\n  group_by = cmd_name\n}\n";

#[test]
fn a_metric_that_dovecot_has_not_read() {
    for version in [Version::V2_3, Version::V2_4] {
        if let Some(patient) = Patient::with_own_stats(version, METRIC) {
            check_reload(patient, MORE);
        }
    }
}

#[test]
fn a_metric_that_fantail_has_not_read() {
    for more in [MORE, GROUPED] {
        if let Some(patient) = Patient::with_fantail(Version::V2_3, METRIC) {
            let _serve = patient.serve(&[]);
            check_reload(patient, more);
        }
    }
}

#[test]
fn a_scrape_that_nobody_answers() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.start();
    patient.visit();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    // Dovecot opens ports at its start.
    append(
        &patient.site.config(),
        &format!("service stats {{\n  inet_listener http {{\n    port = {port}\n  }}\n}}\n"),
    );
    let report = patient.check(&["doctor/scrape-fails"]);
    assert!(told(&report, "doctor/scrape-fails").contains("refused"));
}

#[test]
fn limits_of_connections() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let _serve = patient.serve(&["--max-connections", "2"]);
    patient.start();
    let held = Traffic::hold(&patient.site, 4);
    patient.wait_for("doctor/connection-limit", Duration::from_secs(20));
    drop(held);
    let limit = "service stats {\n  client_limit = 4\n}\n";
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, &format!("{limit}{METRIC}"))
    else {
        return;
    };
    patient.start();
    let mut held = Traffic::hold(&patient.site, 6);
    assert_eq!(held.ask("NOOP"), 6);
    patient.wait_for("doctor/connection-limit", Duration::from_secs(20));
}

#[test]
fn an_installation_without_metrics() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, "") else {
        return;
    };
    patient.start();
    let report = patient.report(&[]);
    assert_eq!(codes(&report), ["doctor/no-metrics"], "{report:#}");
}
