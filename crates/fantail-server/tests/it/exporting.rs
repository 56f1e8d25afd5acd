//! Exporters whose targets cannot be opened.

use std::fs;

use crate::fixture::{Fixture, event, eventually};

/// A configuration with an exporter to a file.
fn exporting(path: &std::path::Path) -> String {
    format!(
        "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
         event_exporter out {{\n  format = json\n  driver = file\n  file_path = {}\n  \
         retry_first = 10 ms\n  retry_longest = 50 ms\n}}\n\
         metric all {{\n  filter = event=*\n  fields = x\n  exporter = out\n  \
         exporter_include = name fields\n}}\n",
        path.display()
    )
}

fn exporter(fixture: &Fixture) -> serde_json::Value {
    let (_, body) = fixture.get("/api/v1/exporters", "");
    let mut answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    answer["exporters"][0].take()
}

fn is_up(fixture: &Fixture) -> bool {
    let (_, body) = fixture.get("/metrics", "");
    let text = String::from_utf8(body).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("fantail_export_up{exporter=\"out\"}"));
    line.unwrap().ends_with(" 1")
}

#[test]
fn a_target_that_cannot_be_opened_does_not_keep_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/out");
    let fixture = Fixture::within(folder, &exporting(&path), |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    let why = format!("cannot open {}: No such file or directory", path.display());
    assert!(fixture.logged().contains(&why), "{}", fixture.logged());
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
    eventually("the event waits", || exporter(&fixture)["waiting"] == 1);
    let status = exporter(&fixture);
    let error = status["last_error"].as_str().unwrap();
    assert!(error.starts_with(&why), "{error}");
    assert!(status["last_error_unix_us"].as_u64().unwrap() > 0);
    assert!(!is_up(&fixture));

    fs::create_dir(path.parent().unwrap()).unwrap();
    eventually("the event arrives", || exporter(&fixture)["sent"] == 1);
    let status = exporter(&fixture);
    assert!(status["last_error"].is_null() && status["last_error_unix_us"].is_null());
    assert!(is_up(&fixture));
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    let out = fs::read_to_string(path).unwrap();
    assert_eq!(out, "{\"event\":\"a\",\"fields\":{\"x\":1}}\n");
}

#[test]
fn a_reload_to_a_target_that_cannot_be_opened_is_refused() {
    let fixture = Fixture::new(crate::fixture::ALL);
    let path = fixture.path("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    fixture.configure(&exporting(&path));
    let answer = fixture.reader().ask("FANTAIL-RELOAD").unwrap();
    let why = format!("cannot open {}: it is not a regular file", path.display());
    assert!(answer.starts_with('-') && answer.contains(&why), "{answer}");
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
}
