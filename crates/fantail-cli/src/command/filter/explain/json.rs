//! An explanation as a line with one JSON object.
//!
//! The nodes are a flat list, not nested: filters may be deeper than parsers of
//! JSON allow.

use std::io::{self, Write};

use fantail::{
    event::{SentEvent, ValueOrigin},
    filter::{Explanation, Row, Seen, Term, TermResult},
};
use serde_json::{Map, Value, json};

/// Writes one explanation and a line end.
pub(super) fn write(
    out: &mut impl Write,
    number: u64,
    sent: &SentEvent<'_>,
    explanation: &Explanation,
) -> io::Result<()> {
    let nodes: Vec<Value> = explanation.rows().map(|row| node(&row)).collect();
    let filter = explanation.filter();
    let object = json!({
        "event": number,
        "name": sent.event.name().map(text),
        "dialect": filter.tree().dialect().to_string(),
        "filter": text(filter.canonical()),
        "matches": explanation.matches(),
        "skipped": explanation.is_skipped(),
        "nodes": nodes,
    });
    writeln!(out, "{object}")
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn node(row: &Row<'_>) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| _ = object.insert(key.to_owned(), value);
    put("depth", row.depth.into());
    put("holds", row.outcome.holds.into());
    put("decisive", row.outcome.is_decisive.into());
    match row.term {
        Term::All => put("kind", "all".into()),
        Term::Any => put("kind", "any".into()),
        Term::Not => put("kind", "not".into()),
        Term::Comparison(comparison, finding) => {
            put("kind", "comparison".into());
            put("text", comparison.to_string().into());
            put("at", json!([comparison.span.start, comparison.span.end]));
            put("seen", seen(finding));
            put("origin", origin(finding));
            put("reason", finding.reason().name().into());
            put("words", finding.words().to_string().into());
        }
    }
    Value::Object(object)
}

/// Returns an object with one key, which is the type; `null` for a missing
/// value.
fn seen(finding: &TermResult) -> Value {
    match finding.seen() {
        Seen::Text(bytes) => json!({ "text": text(bytes) }),
        Seen::Number(number) => json!({ "number": number }),
        Seen::Duration(micros) => json!({ "duration_micros": micros }),
        Seen::Time(time) => json!({ "unix_micros": time.unix_micros() }),
        Seen::Address(ip) => json!({ "address": ip.to_string() }),
        Seen::List { elements, count } => {
            let elements: Vec<Value> = elements.iter().map(|element| text(element)).collect();
            json!({ "list": elements, "count": count })
        }
        Seen::Level(level) => json!({ "level": level.name() }),
        Seen::Source { file, line } => json!({ "file": text(file), "line": line }),
        _ => Value::Null,
    }
}

/// Returns `{"own": 0}`, `{"parent": 1}` for the parent, `{"global": 0}` for
/// the global event, and so on upward.
fn origin(finding: &TermResult) -> Value {
    match finding.origin() {
        None => Value::Null,
        Some(ValueOrigin::Own) => json!({ "own": 0 }),
        Some(ValueOrigin::Parent(n)) => json!({ "parent": n }),
        Some(ValueOrigin::Global(n)) => json!({ "global": n }),
    }
}
