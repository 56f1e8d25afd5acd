//! Findings as JSON: one object. Columns count bytes, as in the short form.

use fantail::{
    config::{NoteKind, Severity, Sources, Span},
    lint::Finding,
};
use serde_json::{Map, Value, json};

use super::Checked;

pub(super) fn write(checked: &[Checked]) -> String {
    let count = |level| {
        let all = checked.iter().flat_map(|one| &one.findings);
        all.filter(|one| one.severity == level).count()
    };
    let all = checked.iter().flat_map(|one| {
        let findings = one.findings.iter();
        findings.map(|found| finding(found, &one.loaded.sources))
    });
    let all: Vec<Value> = all.collect();
    let report = json!({
        "findings": all,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "hints": count(Severity::Hint),
    });
    format!("{report:#}\n")
}

/// A finding as an object.
pub(crate) fn finding(one: &Finding, sources: &Sources) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), one.code.into());
    object.insert("severity".to_owned(), one.severity.as_str().into());
    object.insert("message".to_owned(), one.message.as_str().into());
    if let Some(label) = &one.primary {
        place(&mut object, label.span, sources);
        if !label.text.is_empty() {
            object.insert("label".to_owned(), label.text.as_str().into());
        }
    }
    let notes = one.notes.iter().map(|note| {
        let mut object = Map::new();
        let kind = match note.kind {
            NoteKind::Note => "note",
            NoteKind::Help => "help",
        };
        object.insert("kind".to_owned(), kind.into());
        object.insert("text".to_owned(), note.text.as_str().into());
        if let Some(span) = note.span {
            place(&mut object, span, sources);
        }
        Value::Object(object)
    });
    object.insert("notes".to_owned(), notes.collect());
    Value::Object(object)
}

fn place(object: &mut Map<String, Value>, span: Span, sources: &Sources) {
    let (start, end) = (sources.position(span), sources.position(end_of(span)));
    let name = String::from_utf8_lossy(sources.name(span.file)).into_owned();
    object.insert("file".to_owned(), name.into());
    object.insert("line".to_owned(), start.line.into());
    object.insert("column".to_owned(), start.column.into());
    object.insert("end_line".to_owned(), end.line.into());
    object.insert("end_column".to_owned(), end.column.into());
}

/// The empty span behind the last byte.
pub(super) fn end_of(span: Span) -> Span {
    Span {
        start: span.end,
        ..span
    }
}
