//! Faults of exporters and of the state file.

use std::{fs, net::TcpListener, time::Duration};

use fantail_testkit::{
    dovecot::{Traffic, Version},
    make_certificates,
};

use super::{METRIC, Patient, codes, told};
use crate::live::serve::Serve;

const SOON: Duration = Duration::from_secs(20);

/// An exporter whose target does not answer, for all events of commands.
fn unanswered(more: &str) -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    format!(
        "event_exporter away {{\n  format = json\n  format_args = time-rfc3339\n  transport = http-post\n  transport_args = \
         http://{address}/\n{more}}}\nmetric exported {{\n  filter = event=imap_command_finished\n  \
         exporter = away\n}}\n"
    )
}

/// A site whose fantail exports; Dovecot does not see the exporter.
fn exporting(settings: &str, flags: &[&str]) -> Option<(Patient, Serve)> {
    let mut patient = Patient::with_fantail(Version::V2_3, METRIC)?;
    let serve = Serve::start_with(&patient.site, settings, flags);
    patient.start();
    patient.visit();
    Some((patient, serve))
}

#[test]
fn a_target_that_does_not_answer() {
    let Some((patient, _serve)) = exporting(&unanswered(""), &[]) else {
        return;
    };
    patient.wait_for("doctor/export-fails", SOON);
    let report = patient.report(&[]);
    let told = told(&report, "doctor/export-fails");
    assert!(
        told.contains("`away`") && told.contains("refused"),
        "{told}"
    );
}

#[test]
fn events_that_an_exporter_lost() {
    let Some((patient, _serve)) = exporting(&unanswered(""), &["--max-payload", "16"]) else {
        return;
    };
    patient.wait_for("doctor/export-drops", SOON);
    let report = patient.report(&[]);
    assert!(told(&report, "doctor/export-drops").contains("too_large"));
}

#[test]
fn a_spool_that_is_nearly_full() {
    let folder = tempfile::tempdir().unwrap();
    let spool = format!(
        "  delivery = spool\n  spool_path = {}\n  spool_size = 64K\n",
        folder.path().display()
    );
    let Some((patient, _serve)) = exporting(&unanswered(&spool), &[]) else {
        return;
    };
    let press = Traffic::press(&patient.site, 2);
    patient.wait_for("doctor/spool-near-limit", Duration::from_secs(60));
    drop(press);
}

fn check_own_exporter(version: Version, settings: &str) {
    let settings = format!("{METRIC}{settings}");
    let Some(mut patient) = Patient::with_own_stats(version, &settings) else {
        return;
    };
    patient.start();
    patient.visit();
    patient.wait_for("doctor/stats-errors", SOON);
    let report = patient.report(&[]);
    let told = told(&report, "doctor/stats-errors");
    // A busy Dovecot may give up a request before its connection is refused.
    let log = String::from_utf8(patient.site.log()).unwrap();
    let errors = log
        .lines()
        .filter_map(|line| line.split_once(" stats: Error: "));
    let mut errors = errors.map(|(_, message)| message);
    assert!(
        errors.any(|message| told.contains(message)),
        "{told}\n{log}"
    );
}

#[test]
fn an_exporter_of_dovecot_2_3_that_logs_errors() {
    check_own_exporter(Version::V2_3, &unanswered(""));
}

#[test]
fn an_exporter_of_dovecot_2_4_that_logs_errors() {
    let settings = unanswered("").replace("format_args = time-", "time_format = ");
    let settings = settings.replace("transport = ", "driver = ");
    let settings = settings.replace("transport_args", "http_post_url");
    check_own_exporter(Version::V2_4, &settings);
}

#[test]
fn a_state_file_whose_folder_is_gone() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let folder = patient.site.path("state-of-fantail");
    fs::create_dir(&folder).unwrap();
    let state = folder.join("counts");
    let _serve = patient.serve(&["--state", state.to_str().unwrap()]);
    patient.start();
    patient.visit();
    patient.check(&[]);
    fs::remove_dir_all(&folder).unwrap();
    let report = patient.check(&["doctor/state-file"]);
    assert_eq!(codes(&report).len(), 1);
}

#[test]
fn numbers_that_need_a_token_are_seen_with_it() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let token = patient.site.path("token");
    std::io::Write::write_all(&mut fs::File::create(&token).unwrap(), b"a-secret-token\n").unwrap();
    let flags = ["--http-token", token.to_str().unwrap(), "--http-private"];
    let _serve = patient.serve(&flags);
    patient.start();
    patient.visit();
    let report = patient.check(&[]);
    let unseen = report["unseen"].to_string();
    assert!(!unseen.contains("exporters"), "{unseen}");
    fs::remove_file(&token).unwrap();
    let report = patient.check(&[]);
    let unseen = report["unseen"].to_string();
    assert!(unseen.contains("HTTP 401"), "{unseen}");
}

#[test]
fn numbers_behind_tls_are_not_seen_but_by_the_socket() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    if !make_certificates(folder.path()) {
        return;
    }
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key, socket) = (path("server.pem"), path("server.key"), path("http"));
    let tls = ["--http-tls-cert", &certificate, "--http-tls-key", &key];
    let serve = patient.serve(&tls);
    patient.start();
    patient.visit();
    let report = patient.check(&[]);
    let unseen = report["unseen"].to_string();
    assert!(unseen.contains("without TLS"), "{unseen}");
    drop(serve);
    let with_socket = [&tls[..], &["--http-socket", &socket]].concat();
    let _serve = patient.serve(&with_socket);
    patient.visit();
    let report = patient.check(&[]);
    let unseen = report["unseen"].to_string();
    assert!(!unseen.contains("exporters"), "{unseen}");
}
