//! `/api/v1/filter`: what is wrong with a filter, while it is written.

use axum::{
    extract::{Query, State},
    response::Response,
};
use fantail_config::{MetricRequest, NoteKind, Severity};
use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_lint::{Catalogue, LintCode, check};
use fantail_syntax::ParseOptions;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Context, api::json_answer};

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    filter: String,
}

/// Answers with the canonical form of a filter, and with its errors and warnings. Their
/// positions count bytes.
pub(super) async fn check_filter(
    State(context): State<Context>,
    Query(parameters): Query<Parameters>,
) -> Response {
    json_answer(&checked(&parameters.filter, context.handle.dialect()))
}

fn checked(text: &str, dialect: Dialect) -> Value {
    match Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)) {
        Err(errors) => {
            let errors = errors.iter().map(|error| {
                let advice = error
                    .suggestion()
                    .map(|suggestion| json!({ "kind": "help", "text": suggestion.message() }));
                let expected = error.expected().map(
                    |expected| json!({ "kind": "note", "text": format!("expected {expected}") }),
                );
                json!({
                    "code": error.code(),
                    "severity": "error",
                    "message": error.to_string(),
                    "at": [error.span().start, error.span().end],
                    "notes": expected.into_iter().chain(advice).collect::<Vec<_>>(),
                })
            });
            let findings: Vec<_> = errors.collect();
            json!({ "canonical": null, "findings": findings })
        }
        Ok(filter) => {
            let mut findings = warnings(&filter);
            findings.extend(lints(text, dialect));
            json!({
                "canonical": String::from_utf8_lossy(filter.canonical()),
                "findings": findings,
            })
        }
    }
}

/// The warnings of the language.
fn warnings(filter: &Filter) -> Vec<Value> {
    let warnings = filter.warnings();
    let warnings = warnings.iter().map(|warning| {
        json!({
            "code": warning.code(),
            "severity": "warning",
            "message": warning.to_string(),
            "at": [warning.span().start, warning.span().end],
            "notes": [],
        })
    });
    warnings.collect()
}

/// The findings of `fantail check` about the events, without positions: they are those of
/// a metric with the filter.
fn lints(text: &str, dialect: Dialect) -> Vec<Value> {
    let request = MetricRequest {
        name: b"filter".to_vec(),
        filter: text.as_bytes().to_vec(),
        ..MetricRequest::default()
    };
    let loaded = request.load(dialect);
    let findings = check(&loaded, &Catalogue::new(), &|_| false);
    let findings = findings.iter();
    let findings = findings.filter(|one| one.code != LintCode::OddFilter.as_str());
    let findings = findings.map(|one| {
        let notes = one.notes.iter().map(|note| {
            let kind = match note.kind {
                NoteKind::Note => "note",
                NoteKind::Help => "help",
            };
            json!({ "kind": kind, "text": note.text })
        });
        json!({
            "code": one.code,
            // Only fantail evaluates this filter.
            "severity": one.severity.min(Severity::Warning).as_str(),
            "message": one.message,
            "at": null,
            "notes": notes.collect::<Vec<_>>(),
        })
    });
    findings.collect()
}
