//! The fixture itself: a Dovecot that serves, with its own stats process, and
//! leaves nothing behind.

use std::process::Command;

use fantail_testkit::dovecot::{Installation, Site, StatsService, Traffic, Users, Version};

const METRIC_2_3: &str = "metric commands {\n  filter = event=imap_command_finished\n}\n";

fn check(version: Version) {
    let Some(installation) = Installation::find(version) else {
        return;
    };
    if !Traffic::is_here() {
        return;
    }
    let mut site = Site::new(&installation, StatsService::Own, Users::Served, METRIC_2_3);
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
    let folder = site.path("");
    // As a test that panics does it.
    drop(site);
    assert!(!folder.exists() && !folder.is_symlink());
    let left = Command::new("pgrep")
        .arg("-f")
        .arg(&folder)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn dovecot_2_3_serves() {
    check(Version::V2_3);
}

#[test]
fn dovecot_2_4_serves() {
    check(Version::V2_4);
}
