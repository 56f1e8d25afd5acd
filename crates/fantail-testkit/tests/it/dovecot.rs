//! The fixture itself: a Dovecot that serves, with its own stats process, and
//! leaves nothing behind.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use fantail_testkit::{
    dovecot::{Installation, Site, StatsService, Traffic, Users, Version},
    process::wait_until,
    processes_with, program,
};

const METRIC: &str = "metric commands {\n  filter = event=imap_command_finished\n}\n";

fn check(version: Version) {
    let Some(installation) = Installation::find(version) else {
        return;
    };
    if !Traffic::is_here() {
        return;
    }
    let mut site = Site::new(&installation, StatsService::Own, Users::Served, METRIC);
    site.start();
    let report = Traffic::visits(&site, 2);
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(report.commands > 60, "{report:?}");
    let dump = site.doveadm_output(&["stats", "dump", "-f", "count"]);
    let text = String::from_utf8_lossy(&dump.stdout).into_owned();
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("commands\tduration\t"));
    assert!(
        count.is_some_and(|count| count.parse::<u32>().unwrap() > 20),
        "{text}"
    );
    let folder = site.config().parent().unwrap().to_owned();
    // As a test that panics does it.
    drop(site);
    assert!(!folder.exists() && !folder.is_symlink());
    assert_eq!(processes_with(folder.to_str().unwrap()), [""; 0]);
}

/// Set for the test that is killed.
const KILLED: &str = "FANTAIL_TO_BE_KILLED";

#[allow(clippy::print_stdout, reason = "another process reads it")]
fn tell(line: &str) {
    println!("{line}");
}

/// A test that is killed ends its Dovecot, too: no other process would.
fn check_killed(version: Version, test: &str) {
    let Some(installation) = Installation::find(version) else {
        return;
    };
    if env::var_os(KILLED).is_some() {
        let mut site = Site::new(&installation, StatsService::Own, Users::Served, METRIC);
        site.start();
        let folder = site.config().parent().unwrap().display().to_string();
        tell(&format!("serving in {folder}"));
        loop {
            std::thread::park();
        }
    }
    if program("setpriv").is_none() {
        return;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(KILLED, "yes").stdout(Stdio::piped());
    let mut victim = command.spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let folder = lines.map_while(Result::ok).find_map(|line| {
        let (_, folder) = line.split_once("serving in ")?;
        Some(folder.to_owned())
    });
    let folder = folder.unwrap();
    assert!(!processes_with(&folder).is_empty());
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("Dovecot has ended", Duration::from_secs(20), || {
        processes_with(&folder).is_empty()
    });
    // What is left is this.
    let target = fs::canonicalize(&folder).unwrap();
    fs::remove_dir_all(&target).unwrap();
    let link = Path::new(&folder);
    if link.is_symlink() {
        fs::remove_file(link).unwrap();
    }
}

#[test]
fn a_killed_test_leaves_no_dovecot_2_3() {
    let test = "dovecot::a_killed_test_leaves_no_dovecot_2_3";
    check_killed(Version::V2_3, test);
}

#[test]
fn a_killed_test_leaves_no_dovecot_2_4() {
    let test = "dovecot::a_killed_test_leaves_no_dovecot_2_4";
    check_killed(Version::V2_4, test);
}

#[test]
fn dovecot_2_3_serves() {
    check(Version::V2_3);
}

#[test]
fn dovecot_2_4_serves() {
    check(Version::V2_4);
}
