//! Bundles for support requests hold nothing of an installation but numbers.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use fantail_testkit::{dovecot::Version, process::wait_until};

use super::{COUNTED, METRIC, Patient, put_program};
use crate::live::serve::{Serve, counted};

/// In each name, label, path, address and error.
const CANARY: &str = "canary";

/// Metrics and exporters with canaries.
fn settings(folder: &Path) -> String {
    format!(
        "event_exporter canary-exporter {{\n  format = json\n  format_args = time-rfc3339\n  \
         transport = http-post\n  transport_args = http://canary:canary@canary.invalid/canary\n  \
         delivery = spool\n  spool_path = {}/canary-spool\n}}\nmetric canary-metric {{\n  \
         description = canary words\n  filter = event=imap_command_finished AND NOT user=canary \
         AND NOT event=canary_event\n  fields = canary_field\n  group_by = user\n  exporter = \
         canary-exporter\n}}\n",
        folder.display()
    )
}

/// A log and a unit whose messages hold canaries; returns the log.
fn plant_errors(patient: &Patient) -> PathBuf {
    let log = patient.site.path("canary.log");
    fs::File::create(&log).unwrap();
    let denied = "lda(canary): Error: net_connect_unix(RUN/stats-writer) failed: Permission \
        denied by canary\n";
    let run = patient.site.path("run").display().to_string();
    super::append(&log, &denied.replace("RUN", &run));
    let said = "LoadState=loaded\\nActiveState=failed\\nResult=canary\\n";
    let script = format!("#!/bin/sh\nprintf '{said}'\n");
    put_program(&patient.programs.path().join("systemctl"), &script);
    log
}

#[test]
fn a_bundle_has_no_word_of_the_installation() {
    let Some(mut patient) = Patient::with_fantail(Version::V2_3, METRIC) else {
        return;
    };
    let folder = patient.site.path("canary-folder");
    fs::create_dir(&folder).unwrap();
    let settings = settings(&folder);
    let state = folder.join("canary-state");
    let flags = [
        "--state",
        state.to_str().unwrap(),
        "--hostname",
        "canary.example",
    ];
    let _serve = Serve::start_with(&patient.site, &settings, &flags);
    // From here on the configuration is broken, too.
    super::append(
        &patient.config(),
        "metric canary-broken {\n  filter = canary_field=(\n}\n",
    );
    patient.start();
    patient.visit();
    let metric = || counted(&patient.site, "canary-metric") > 0;
    wait_until("the metric with a canary counts", COUNTED, metric);
    let log = plant_errors(&patient);
    let bundle = patient.site.path("bundle.json");
    let arguments = [
        "--bundle",
        bundle.to_str().unwrap(),
        "--log",
        log.to_str().unwrap(),
    ];
    let report = patient.report(&arguments).to_string();
    // The report has them.
    for name in [
        "canary-metric",
        "canary-exporter",
        "canary.log",
        "canary_event",
    ] {
        assert!(report.contains(name), "{name} is not in {report}");
    }
    let file = fs::File::open(&bundle).unwrap();
    let mode = file.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let text = std::io::read_to_string(file).unwrap();
    assert!(!text.contains(CANARY), "{text}");
    let root = patient.site.path("");
    for word in [root.to_str().unwrap(), "127.0.0.1", "example.net", "@"] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
    let contents: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(contents["metrics"][0]["events"][0], "imap_command_finished");
    assert_eq!(contents["exporters"][0]["transport"], "http-post");
    // A file that is there is not replaced.
    let again = patient.output(&["--bundle", bundle.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
}
