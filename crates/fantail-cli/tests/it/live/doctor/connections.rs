//! Processes that are not connected, and what the journal says of them.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use fantail_testkit::{
    dovecot::{Traffic, Version},
    process::wait_until,
    program, skip,
};

use super::{MAIL_USER, METRIC, Patient, append, codes, put_program, told};

/// Processes and fantail are old enough to have found each other after 15 seconds.
const OLD_ENOUGH: Duration = Duration::from_secs(60);

fn check_started_before(version: Version) {
    let Some(mut patient) = Patient::with_fantail(version, METRIC) else {
        return;
    };
    patient.start();
    let mut early = Traffic::hold(&patient.site, 2);
    assert_eq!(early.ask("NOOP"), 2);
    let _serve = patient.serve(&[]);
    // None is connected.
    patient.wait_for("doctor/not-connected", OLD_ENOUGH);
    let mut late = Traffic::hold(&patient.site, 1);
    assert_eq!(late.ask("NOOP"), 1);
    // Some are.
    wait_until("the processes are named", OLD_ENOUGH, || {
        let report = patient.report(&[]);
        codes(&report).contains(&"doctor/not-connected".to_owned())
            && told(&report, "doctor/not-connected").contains("send no events")
    });
    let report = patient.report(&[]);
    let told = told(&report, "doctor/not-connected");
    assert_eq!(told.matches("imap (").count(), 2, "{told}");
    assert!(told.contains("systemctl restart dovecot"), "{told}");
    assert_eq!(report["findings"][0]["severity"], "warning");
    for held in [early, late] {
        assert_eq!(held.finish().failures, Vec::<String>::new());
    }
}

#[test]
fn processes_of_2_3_that_started_before_fantail_send_nothing() {
    check_started_before(Version::V2_3);
}

#[test]
fn processes_of_2_4_that_started_before_fantail_send_nothing() {
    check_started_before(Version::V2_4);
}

/// What Dovecot's delivery agent says if it may not open the socket.
fn denial(patient: &Patient) -> String {
    let mut agent = Command::new("/usr/lib/dovecot/dovecot-lda");
    let config = patient.site.config();
    agent.arg("-c").arg(config).args(["-d", "anna"]);
    agent.uid(MAIL_USER).gid(MAIL_USER).stdin(Stdio::null());
    let said = agent.output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    said.lines()
        .find(|line| line.contains("ermission denied"))
        .unwrap()
        .to_owned()
}

/// Stores messages in a journal; `None` if the test is skipped.
fn journal(folder: &Path, messages: &[(&str, &str)]) -> Option<PathBuf> {
    let mut places = ["/lib/systemd", "/usr/lib/systemd"].iter();
    let remote = places.find_map(|place| {
        let path = Path::new(place).join("systemd-journal-remote");
        path.is_file().then_some(path)
    });
    let Some(remote) = remote else {
        skip("systemd-journal-remote is not installed");
        return None;
    };
    let [export, journal] = ["export", "test.journal"].map(|name| folder.join(name));
    drop(fs::File::create(&export).unwrap());
    for (at, (program, message)) in messages.iter().enumerate() {
        let entry = format!(
            "__REALTIME_TIMESTAMP={}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
             _HOSTNAME=mx\nSYSLOG_IDENTIFIER={program}\nMESSAGE={message}\n\n",
            1_795_328_705_000_000 + at
        );
        append(&export, &entry);
    }
    let mut store = Command::new(remote);
    let stored = store.arg("-o").arg(&journal).arg(&export).status();
    assert!(stored.unwrap().success());
    Some(journal)
}

#[test]
fn a_delivery_agent_that_complains_in_the_journal() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let Some(journalctl) = program("journalctl") else {
        return;
    };
    let _serve = patient.serve(&[]);
    patient.start();
    patient.visit();
    let denial = denial(&patient);
    let folder = tempfile::tempdir().unwrap();
    let show = |messages: &[(&str, &str)]| {
        let place = tempfile::tempdir_in(folder.path()).unwrap().keep();
        let journal = journal(&place, messages)?;
        let script = format!(
            "#!/bin/sh\nexec {} --file {} \"$@\"\n",
            journalctl.display(),
            journal.display()
        );
        put_program(&patient.programs.path().join("journalctl"), &script);
        Some(patient.report(&[]))
    };
    // The log of this Dovecot is a file.
    let messages = [("postfix/pipe", denial.as_str()), ("other", "nothing")];
    let Some(report) = show(&messages) else {
        return;
    };
    assert_eq!(codes(&report), Vec::<String>::new(), "{report:#}");
    append(&patient.config(), "log_path = syslog\n");
    let report = show(&messages).unwrap();
    assert_eq!(codes(&report), ["doctor/permission-denied"], "{report:#}");
    let told = told(&report, "doctor/permission-denied");
    assert!(
        told.contains("the journal says: net_connect_unix("),
        "{told}"
    );
    let report = show(&[("other", &denial)]).unwrap();
    assert_eq!(codes(&report), Vec::<String>::new(), "{report:#}");
}
