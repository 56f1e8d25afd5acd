//! SARIF reports against the schema of SARIF 2.1.0.
//!
//! `FANTAIL_PYTHON` names a Python that has `jsonschema`, and the schema as
//! `share/sarif-schema-2.1.0.json` below its prefix.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use fantail_testkit::{checked, python, skip};

use super::program::{fantail, repository};

const VALIDATE: &str = "
import json, os, sys
path = os.path.join(sys.prefix, 'share', 'sarif-schema-2.1.0.json')
if not os.path.exists(path):
    sys.exit('No schema')
import jsonschema
validator = jsonschema.Draft7Validator(json.load(open(path)))
for error in validator.iter_errors(json.load(sys.stdin)):
    print(list(error.path), error.message)
";

/// What the schema says against a report.
fn complaints(python: &Path, report: &[u8]) -> String {
    checked(Command::new(python).args(["-c", VALIDATE]), report).said
}

fn configurations() -> Vec<PathBuf> {
    let folders = ["lint", "config/2.3/bad", "config/2.4/bad", "config/shapes"];
    let folders = folders.map(|folder| repository().join("testdata").join(folder));
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "conf"));
    paths.push("no such file.conf".into());
    paths
}

#[test]
fn reports_are_valid() {
    let Some(python) = python() else {
        return;
    };
    let said = complaints(&python, b"{\"version\":\"2.1.0\",\"runs\":[]}");
    if said.contains("No module") || said.contains("No schema") {
        skip("no jsonschema and schema of SARIF for Python");
        return;
    }
    assert_eq!(said, "");
    // All reports in one run of the validator: as the runs of one.
    let mut runs = Vec::new();
    for path in configurations() {
        let path = path.to_str().unwrap();
        let out = fantail(&["check", "--format", "sarif", path], b"").out;
        let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(report.as_object().unwrap().len(), 3, "{path}");
        runs.push(report["runs"][0].clone());
    }
    assert!(runs.len() > 30, "{}", runs.len());
    let all = |runs: &serde_json::Value| {
        let schema = "https://json.schemastore.org/sarif-2.1.0.json";
        let report = serde_json::json!({ "$schema": schema, "version": "2.1.0", "runs": runs });
        complaints(&python, report.to_string().as_bytes())
    };
    assert_eq!(all(&runs.clone().into()), "");
    // And it does complain about what is wrong.
    let results = runs[0]["results"].as_array_mut().unwrap();
    results[0]["level"] = "hint".into();
    assert!(all(&runs.into()).contains("'hint' is not one of"));
}
