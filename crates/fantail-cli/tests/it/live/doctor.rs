//! Faults in the installation of a real Dovecot, each found by `fantail doctor`.

mod bundle;
mod connections;
mod exporters;
mod metrics;
mod sockets;
mod watch;

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use fantail_testkit::{
    dovecot::{Installation, Site, StatsService, Traffic, Users, Version},
    process::wait_until,
};
use serde_json::Value;
use tempfile::TempDir;

use super::serve::{self, Serve};

const METRIC: &str = "metric commands {\n  filter = event=imap_command_finished\n}\n";

/// The user and the group that mail of a site belongs to.
const MAIL_USER: u32 = 5_000;

/// Counts arrive within moments of the traffic.
const COUNTED: Duration = Duration::from_secs(10);

/// A program that fails: there is no systemd that could be asked of this machine's units.
const NO_SYSTEMD: &str = "#!/bin/sh\necho 'no systemd' >&2\nexit 1\n";

/// Whose sockets they are: the configuration to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Dovecot,
    Fantail,
}

/// A site, and a folder with the programs of its Dovecot.
struct Patient {
    site: Site,
    /// Outside the site: what runs in a chroot must not find these programs.
    programs: TempDir,
    reader: Reader,
}

impl Patient {
    /// One with Dovecot's own stats process; `None` if the test is skipped.
    fn with_own_stats(version: Version, settings: &str) -> Option<Self> {
        let installation = Installation::find(version)?;
        let (own, users) = (StatsService::Own, Users::Served);
        let site = Traffic::is_here().then(|| Site::new(&installation, own, users, settings))?;
        Some(Self::new(site, Reader::Dovecot))
    }

    /// One that leaves its sockets to fantail; `None` if the test is skipped.
    fn with_fantail(version: Version, settings: &str) -> Option<Self> {
        Some(Self::new(serve::site(version, settings)?, Reader::Fantail))
    }

    fn new(site: Site, reader: Reader) -> Self {
        // Its password is not for everybody; delivery agents read it, too.
        let config = site.config();
        std::os::unix::fs::chown(&config, None, Some(MAIL_USER)).unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o640)).unwrap();
        let programs = tempfile::tempdir().unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(programs.path(), open).unwrap();
        for name in ["dovecot", "doveconf"] {
            let command = site.installation().command(name);
            let mut script = "#!/bin/sh\nexec".to_owned();
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            for word in words {
                let word = match word.to_str().unwrap() {
                    // Not this script again.
                    "dovecot" | "doveconf" if command.get_program() == name => {
                        fantail_testkit::program(name).unwrap()
                    }
                    word => PathBuf::from(word),
                };
                write!(script, " {}", word.display()).unwrap();
            }
            put_program(&programs.path().join(name), &format!("{script} \"$@\"\n"));
        }
        put_program(&programs.path().join("systemctl"), NO_SYSTEMD);
        Self {
            site,
            programs,
            reader,
        }
    }

    /// Starts Dovecot, and waits for its `master.pid`, which comes after its sockets.
    fn start(&mut self) {
        self.site.start();
        let path = self.site.path("run/master.pid");
        let has_number = || fs::metadata(&path).is_ok_and(|file| file.len() > 0);
        wait_until("Dovecot writes its number", COUNTED, has_number);
    }

    /// Starts fantail for it; the same configuration is looked at.
    fn serve(&self, more: &[&str]) -> Serve {
        Serve::start(&self.site, more)
    }

    fn config(&self) -> PathBuf {
        match self.reader {
            Reader::Dovecot => self.site.config(),
            Reader::Fantail => self.site.path("fantail.conf"),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.programs.path().display()));
        command.arg("doctor").arg("--config").arg(self.config());
        command.args(arguments);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The report.
    fn report(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        let output = self.output(&all);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let is_wrong = report["errors"] != 0 || report["warnings"] != 0;
        assert_eq!(
            output.status.code(),
            Some(i32::from(is_wrong)),
            "{report:#}"
        );
        report
    }

    /// Checks the codes that are found, in order.
    #[track_caller]
    fn check(&self, expected: &[&str]) -> Value {
        let report = self.report(&[]);
        assert_eq!(codes(&report), expected, "{report:#}");
        report
    }

    /// Waits until a code is found.
    #[track_caller]
    fn wait_for(&self, code: &str, patience: Duration) {
        let is_found = || codes(&self.report(&[])).contains(&code.to_owned());
        wait_until(&format!("{code} is found"), patience, is_found);
    }

    /// Lets users visit, and waits until their commands are counted.
    fn visit(&self) {
        assert_eq!(
            Traffic::visits(&self.site, 2).failures,
            Vec::<String>::new()
        );
        let counted = || serve::counted(&self.site, "commands") > 0;
        wait_until("commands are counted", COUNTED, counted);
    }

    /// Adds lines to Dovecot's configuration.
    fn configure_more(&self, lines: &str) {
        append(&self.site.config(), lines);
    }
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn put_program(path: &Path, script: &str) {
    let mut file = fs::File::create(path).unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let mode = fs::Permissions::from_mode(0o755);
    file.set_permissions(mode).unwrap();
}

fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let codes = findings.map(|one| one["code"].as_str().unwrap().to_owned());
    codes.collect()
}

/// All that a report says of a code.
fn told(report: &Value, code: &str) -> String {
    let mut findings = report["findings"].as_array().unwrap().iter();
    findings
        .find(|one| one["code"] == code)
        .unwrap()
        .to_string()
}

fn check_healthy_with_fantail(version: Version) {
    let Some(mut patient) = Patient::with_fantail(version, METRIC) else {
        return;
    };
    let _serve = patient.serve(&[]);
    patient.start();
    patient.visit();
    let report = patient.check(&[]);
    let sockets = report["installation"]["sockets"].as_array().unwrap();
    assert!(sockets.iter().all(|socket| socket["program"] == "fantail"));
    let release = report["installation"]["dovecot"].as_str().unwrap();
    assert!(release.starts_with(version.series()), "{release}");
}

#[test]
fn nothing_is_wrong_with_fantail_under_2_3() {
    check_healthy_with_fantail(Version::V2_3);
}

#[test]
fn nothing_is_wrong_with_fantail_under_2_4() {
    check_healthy_with_fantail(Version::V2_4);
}

fn check_healthy_with_own_stats(version: Version) {
    let Some(mut patient) = Patient::with_own_stats(version, METRIC) else {
        return;
    };
    patient.start();
    patient.visit();
    let report = patient.check(&[]);
    let sockets = report["installation"]["sockets"].as_array().unwrap();
    assert!(sockets.iter().all(|socket| socket["program"] == "dovecot"));
    // Its stats process has no complaint about the connections of the doctor.
    let log = String::from_utf8(patient.site.log()).unwrap();
    assert!(!log.contains("stats: "), "{log}");
}

#[test]
fn nothing_is_wrong_with_the_own_stats_process_of_2_3() {
    check_healthy_with_own_stats(Version::V2_3);
}

#[test]
fn nothing_is_wrong_with_the_own_stats_process_of_2_4() {
    check_healthy_with_own_stats(Version::V2_4);
}
