//! Findings as SARIF 2.1.0. Columns count characters, as the format requires.

use std::collections::BTreeMap;

use fantail::{
    config::{self, Severity, Sources, Span},
    lint::{self, Finding},
};
use serde_json::{Value, json};

use super::{Checked, json::end_of};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn write(checked: &[Checked]) -> String {
    let rules = rules(checked.iter().flat_map(|one| &one.findings));
    let results = checked.iter().flat_map(|one| {
        let findings = one.findings.iter();
        findings.map(|found| result(found, &rules, &one.loaded.sources))
    });
    let results: Vec<Value> = results.collect();
    let rules: Vec<Value> = rules
        .keys()
        .map(|code| json!({ "id": code, "shortDescription": { "text": explanation(code) } }))
        .collect();
    let report = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "fantail",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{report:#}\n")
}

/// Returns the kinds of the findings, each with its index in the list.
fn rules<'a>(findings: impl Iterator<Item = &'a Finding>) -> BTreeMap<&'static str, usize> {
    let mut rules: BTreeMap<&str, usize> = findings.map(|one| (one.code, 0)).collect();
    for (place, (_, index)) in rules.iter_mut().enumerate() {
        *index = place;
    }
    rules
}

fn explanation(code: &str) -> &'static str {
    let config = config::Code::ALL
        .iter()
        .map(|one| (one.as_str(), one.title()));
    let lint = lint::LintCode::ALL
        .iter()
        .map(|one| (one.as_str(), one.title()));
    let mut all = config.chain(lint);
    all.find(|(name, _)| *name == code)
        .map_or("", |(_, text)| text)
}

fn result(one: &Finding, rules: &BTreeMap<&str, usize>, sources: &Sources) -> Value {
    let level = match one.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "note",
    };
    let mut text = one.message.clone();
    if let Some(label) = one.primary.as_ref().filter(|label| !label.text.is_empty()) {
        text += ": ";
        text += &label.text;
    }
    for note in &one.notes {
        text += "\n";
        text += &note.text;
    }
    let mut result = json!({
        "ruleId": one.code,
        "ruleIndex": rules.get(one.code),
        "level": level,
        "message": { "text": text },
    });
    if let (Some(label), Some(object)) = (&one.primary, result.as_object_mut()) {
        let location = location(label.span, sources);
        object.insert("locations".to_owned(), json!([location]));
    }
    result
}

fn location(span: Span, sources: &Sources) -> Value {
    let (start_line, start_column) = place(span, sources);
    let (end_line, end_column) = place(end_of(span), sources);
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(sources.name(span.file)) },
        "region": {
            "startLine": start_line,
            "startColumn": start_column,
            "endLine": end_line,
            "endColumn": end_column,
        },
    } })
}

/// Returns line and column, in characters.
fn place(span: Span, sources: &Sources) -> (usize, usize) {
    let position = sources.position(span);
    let end = span.start as usize;
    let start = end.saturating_sub(position.column.saturating_sub(1));
    let before = sources.text(span.file).get(start..end).unwrap_or_default();
    let characters = String::from_utf8_lossy(before).chars().count();
    (position.line, characters + 1)
}

/// Converts a path to a URI: absolute ones have their scheme.
fn uri(path: &[u8]) -> String {
    let mut uri = String::new();
    if path.starts_with(b"/") {
        uri += "file://";
    }
    for byte in path {
        let plain = byte.is_ascii_alphanumeric() || b"/._-~".contains(byte);
        if plain {
            uri.push(char::from(*byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}
