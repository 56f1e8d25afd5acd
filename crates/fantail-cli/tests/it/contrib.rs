//! The files of `contrib`, read by the programs that they are for.

use std::{ffi::OsStr, process::Command};

use fantail_testkit::{checked, program};

use crate::program::test_data;

/// The program that these checks run.
const FANTAIL: &str = env!("CARGO_BIN_EXE_fantail");

/// Runs a script of `testdata/contrib`, which has to be content.
#[track_caller]
pub(crate) fn check(script: &str, arguments: &[&OsStr]) {
    let mut command = Command::new("python3");
    command.arg(test_data(&format!("contrib/{script}")));
    command.args(arguments);
    let verdict = checked(&mut command, b"");
    assert!(verdict.content, "{script}: {}", verdict.said);
}

#[test]
fn packs_are_clean_and_count_what_captures_have() {
    if program("python3").is_some() {
        check("packs.py", &[FANTAIL.as_ref()]);
    }
}

#[test]
fn dashboards_have_the_form_that_grafana_imports() {
    if program("python3").is_some() {
        check("dashboards.py", &[]);
    }
}

#[test]
fn prometheus_answers_all_rules_and_dashboards() {
    let needed = ["python3", "setpriv", "promtool", "prometheus"];
    if needed.iter().all(|name| program(name).is_some()) {
        check("prometheus.py", &[FANTAIL.as_ref()]);
    }
}
