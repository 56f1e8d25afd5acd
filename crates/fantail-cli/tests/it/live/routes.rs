//! Where events and counts go: exporters and scrapes of a metric.

use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use fantail_testkit::{
    dovecot::{Site, Traffic, Version},
    golden,
    process::wait_until,
};
use serde_json::Value;

use super::serve::{Serve, counted, site};
use crate::program::contents;

/// In Dovecot's configuration; Dovecot reads it as well.
const METRIC: &str = "metric commands {\n  filter = event=imap_command_finished\n}\n";

/// In fantail's own file: two exporters, and the second block of a metric.
fn routes(version: Version, folder: &Path) -> String {
    let exporter = |name: &str, format: &str, more: &str| {
        let (driver, time) = match version {
            Version::V2_3 => ("transport", "format_args = time-unix"),
            Version::V2_4 => ("driver", "time_format = unix"),
        };
        let path = folder.join(name);
        format!(
            "event_exporter {name} {{\n  format = {format}\n  {time}\n  {driver} = file\n  \
             file_path = {}\n{more}}}\n",
            path.display()
        )
    };
    let audit = exporter("audit", "ndjson", "  fields_allow = user\n");
    let plain = exporter("plain", "tab-text", "  file_mode = 0644\n");
    let group_by = match version {
        Version::V2_3 => "group_by = cmd_name",
        Version::V2_4 => "group_by cmd_name {\n  }",
    };
    let metric =
        format!("metric by_name {{\n  filter = event=imap_command_finished\n  {group_by}\n");
    format!(
        "{audit}{plain}metric commands {{\n  exporter = audit plain\n  expose = no\n}}\n\
         {metric}  series_limit = 6\n}}\n"
    )
}

fn lines(path: &Path) -> usize {
    match path.exists() {
        true => golden::lines(&contents(path)).len(),
        false => 0,
    }
}

/// Adds a metric at run time that exports to both files, as two more lines show.
fn added_at_run_time(site: &Site, [audit, plain]: [&Path; 2]) {
    let arguments = ["stats", "add", "--exporter", "audit plain", "more"];
    let arguments = [
        &arguments[..],
        &["event=imap_command_finished AND cmd_name=SELECT"],
    ]
    .concat();
    let output = site.doveadm_output(&arguments);
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(counted(site, "more"), 0);
    let before = [lines(audit), lines(plain)];
    assert_eq!(before[0], before[1]);
    let report = Traffic::visits(site, 1);
    assert_eq!(report.failures, Vec::<String>::new());
    // All of a visit, and the commands of the new metric once more.
    wait_until("all is exported", Duration::from_secs(20), || {
        let exported = counted(site, "commands") + counted(site, "more");
        let expected = usize::try_from(exported).unwrap();
        counted(site, "more") > 0 && [lines(audit), lines(plain)] == [expected; 2]
    });
}

fn check(version: Version) {
    let Some(mut site) = site(version, METRIC) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start_with(&site, &routes(version, folder.path()), &[]);
    site.start();
    let report = Traffic::visits(&site, 1);
    assert_eq!(report.failures, Vec::<String>::new());
    let [audit, plain] = ["audit", "plain"].map(|name| folder.path().join(name));
    wait_until(
        "both files have each event",
        Duration::from_secs(20),
        || {
            let events = usize::try_from(counted(&site, "commands")).unwrap();
            events > 10 && [lines(&audit), lines(&plain)] == [events; 2]
        },
    );
    let first = contents(&audit);
    let first: Value = serde_json::from_slice(golden::lines(&first)[0]).unwrap();
    assert_eq!(first["event"], "imap_command_finished");
    assert!(
        first["user"].is_string() && first["cmd_name"].is_null(),
        "{first}"
    );
    assert!(contents(&plain).starts_with(b"event:imap_command_finished\t"));
    let modes = [&audit, &plain].map(|path| path.metadata().unwrap().permissions().mode());
    assert_eq!(modes.map(|mode| mode & 0o777), [0o600, 0o644]);
    // The dump has both metrics, a scrape has one, with the series of its limit.
    let scrape = String::from_utf8(serve.scrape()).unwrap();
    assert!(!scrape.contains("dovecot_commands"), "{scrape}");
    let names = scrape
        .lines()
        .filter(|line| line.starts_with("dovecot_by_name_total{"));
    assert_eq!(names.count(), 4, "{scrape}");
    assert!(counted(&site, "by_name_other") > 0);
    added_at_run_time(&site, [&audit, &plain]);
}

#[test]
fn a_metric_of_dovecot_2_3_exports_twice_and_hides() {
    check(Version::V2_3);
}

#[test]
fn a_metric_of_dovecot_2_4_exports_twice_and_hides() {
    check(Version::V2_4);
}
