//! The description of the interface, and whether the server keeps to it.

use std::{collections::BTreeSet, process::Command};

use fantail_testkit::{checked, python, skip};

use super::{Page, TOKEN, safety::DATA};

const CONFIGURATION: &str = "\
metric commands {
  filter = event=imap_command_finished
  fields = bytes_out
  group_by = user
  exporter = archive
}
metric misspelt {
  filter = event=imap_comand_finished
}
event_exporter archive {
  transport = drop
  format = json
  format_args = time-rfc3339
}
";

#[test]
fn each_route_of_data_is_described() {
    let page = Page::new(CONFIGURATION);
    let cookie = page.sign_in();
    let document = page.json("/api/v1/openapi.json", &cookie);
    let described = document["paths"].as_object().unwrap().keys();
    let described: BTreeSet<_> = described.map(String::as_str).collect();
    let others = ["/api/v1/ask", "/api/v1/explain", "/api/v1/session"];
    let known = DATA.iter().map(|path| path.split('?').next().unwrap());
    assert_eq!(described, known.chain(others).collect());
}

/// Schemathesis sends requests that fit the description and some that do not, and
/// compares the answers with it. The stream, which has no end, is left out, and so is
/// that valid requests are carried out: a schema cannot say which filters are valid.
#[test]
fn answers_are_as_described() {
    let Some(python) = python() else { return };
    let mut import = Command::new(&python);
    import.args(["-c", "import schemathesis.cli"]);
    if !checked(&mut import, b"").content {
        return skip("FANTAIL_PYTHON has no schemathesis");
    }
    let page = Page::new(CONFIGURATION);
    let events = (0..20).map(|number| {
        format!(
            "EVENT\t0\t0\t0\t1795328118\t0\tnimap_command_finished\tSuser\tu{number}\t\
             Ibytes_out\t{number}\n"
        )
    });
    page.fixture.send(&events.collect::<String>());
    let url = format!("http://{}/api/v1/openapi.json", page.fixture.http.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&python);
    command.current_dir(folder.path());
    command.args(["-m", "schemathesis.cli", "run", &url]);
    command.args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    command.args(["--exclude-path", "/api/v1/stream", "--no-color"]);
    command.args(["--exclude-checks", "positive_data_acceptance"]);
    command.args(["--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", "20", "--generation-deterministic"]);
    let verdict = checked(&mut command, b"");
    assert!(verdict.content, "{}", verdict.said);
}
