//! The fixture itself: a Dovecot that serves, with its own stats process, and
//! leaves nothing behind.

use std::fs;

use fantail_testkit::dovecot::{Installation, Site, StatsService, Traffic, Users, Version};

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

/// The command lines that name something.
fn processes_with(name: &str) -> Vec<String> {
    #[allow(clippy::disallowed_methods, reason = "what the kernel tells")]
    let lines = fs::read_dir("/proc").unwrap().filter_map(|process| {
        // Most have no such file, or are gone by now.
        let line = fs::read(process.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    lines.filter(|line| line.contains(name)).collect()
}

#[test]
fn dovecot_2_3_serves() {
    check(Version::V2_3);
}

#[test]
fn dovecot_2_4_serves() {
    check(Version::V2_4);
}
