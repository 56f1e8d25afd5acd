//! Metrics that are watched.

use fantail_testkit::dovecot::{Traffic, Version};

use super::{METRIC, Patient, codes, told};

fn check(version: Version) {
    let never = "metric never {\n  filter = event=imap_command_finished AND \
        cmd_name=GENURLAUTH\n}\nmetric rare {\n  filter = event=mail_cache_corrupted\n}\n";
    let Some(mut patient) = Patient::with_fantail(version, &format!("{METRIC}{never}")) else {
        return;
    };
    let _serve = patient.serve(&[]);
    patient.start();
    patient.visit();
    let press = Traffic::press(&patient.site, 1);
    let report = patient.report(&["--watch", "3s"]);
    drop(press);
    let found = codes(&report);
    assert_eq!(
        found,
        ["doctor/term-fails", "doctor/never-matched"],
        "{report:#}"
    );
    let fails = told(&report, "doctor/term-fails");
    assert!(fails.contains("`never` matched none of "), "{fails}");
    assert!(told(&report, "doctor/never-matched").contains("`rare`"));
}

#[test]
fn the_term_that_fails_is_named_for_2_3() {
    check(Version::V2_3);
}

#[test]
fn the_term_that_fails_is_named_for_2_4() {
    check(Version::V2_4);
}

#[test]
fn the_own_stats_process_of_dovecot_cannot_be_watched() {
    let Some(mut patient) = Patient::with_own_stats(Version::V2_3, METRIC) else {
        return;
    };
    patient.start();
    let output = patient.output(&["--watch", "1s"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("Dovecot's own stats process cannot be watched"),
        "{said}"
    );
}
