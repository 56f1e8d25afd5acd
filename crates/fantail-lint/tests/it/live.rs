//! Against what the Dovecots of this machine send.

use std::collections::{BTreeMap, BTreeSet};

use fantail_config::{LoadOptions, Release, load_text};
use fantail_lint::{Catalogue, check};
use fantail_testkit::dovecot::{Installation, Site, StatsService, Traffic, Users, Version};

/// Exports every event with a name to Dovecot's log.
fn settings(version: Version) -> String {
    let transport = match version {
        Version::V2_3 => "format_args = time-rfc3339\n  transport",
        Version::V2_4 => "driver",
    };
    format!(
        "event_exporter all {{\n  format = json\n  {transport} = log\n}}\n\
         metric every {{\n  filter = event=*\n  exporter = all\n}}\n"
    )
}

/// The events of a log, with the keys of all their fields.
fn exported(log: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut events: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let objects = log
        .lines()
        .filter_map(|line| line.find('{').map(|at| &line[at..]));
    for object in objects {
        let Ok(object) = serde_json::from_str::<serde_json::Value>(object) else {
            continue;
        };
        let (Some(name), Some(fields)) = (object["event"].as_str(), object["fields"].as_object())
        else {
            continue;
        };
        let keys = fields.keys().cloned();
        events.entry(name.to_owned()).or_default().extend(keys);
    }
    events
}

/// No event or field that a release sends is called a mistake for this release.
fn compare(version: Version) {
    let Some(installation) = Installation::find(version) else {
        return;
    };
    if !Traffic::is_here() {
        return;
    }
    let settings = settings(version);
    let mut site = Site::new(&installation, StatsService::Own, Users::Served, &settings);
    site.start();
    let report = Traffic::visits(&site, 2);
    assert_eq!(report.failures, Vec::<String>::new());
    site.stop();
    let events = exported(&String::from_utf8_lossy(&site.log()));
    assert!(events.len() > 20, "{events:?}");
    let text = installation.version_text();
    let release = Release::parse(text.split(' ').next().unwrap());
    assert!(release.is_some(), "{text}");
    let catalogue = Catalogue::new();
    let mut doubted = Vec::new();
    for (name, keys) in events {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let dialect = release.and_then(Release::dialect).unwrap();
        let text = crate::exporting(dialect, &name, &keys);
        let options = LoadOptions {
            release,
            ..LoadOptions::default()
        };
        let loaded = load_text("x", text, &options);
        let findings = check(&loaded, &catalogue, &|_| false);
        doubted.extend(findings.iter().map(|one| one.to_line(&loaded.sources)));
    }
    assert_eq!(doubted, [""; 0]);
}

#[test]
fn nothing_that_2_3_sends_is_doubted() {
    compare(Version::V2_3);
}

#[test]
fn nothing_that_2_4_sends_is_doubted() {
    compare(Version::V2_4);
}
