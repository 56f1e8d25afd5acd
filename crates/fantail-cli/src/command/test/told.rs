//! Formats outcomes as text and as JSON.

use fantail::config::{Sources, Span};
use serde_json::{Value, json};

use super::{
    Tested, Warning,
    diff::{Diff, Side},
    outcome::{Failed, Outcome, What},
};
use crate::io::paint::Paint;

/// Returns a line for each warning and each test; failures follow their test.
pub(super) fn human(tested: &[Tested], paint: Paint) -> String {
    let mut text: String = tested.iter().map(|one| of_file(one, paint)).collect();
    let (passed, failed) = counts(tested);
    let Paint { yes, no, reset, .. } = paint;
    let colour = if failed == 0 { yes } else { no };
    text += &format!("{colour}{passed} passed, {failed} failed{reset}\n");
    text
}

fn of_file(tested: &Tested, paint: Paint) -> String {
    let sources = &tested.sources;
    let Paint {
        yes,
        no,
        doubt,
        strong,
        reset,
        ..
    } = paint;
    let mut text = String::new();
    for Warning { place: at, message } in &tested.warnings {
        let (file, line, column) = place(*at, sources);
        text += &format!("{file}:{line}:{column}: {doubt}warning{reset}: {message}\n");
    }
    for outcome in &tested.outcomes {
        let (colour, mark) = match outcome.passed() {
            true => (yes, "ok"),
            false => (no, "FAILED"),
        };
        text += &format!("{colour}{mark:6}{reset}  {}\n", printable(&outcome.name));
        for failed in &outcome.failures {
            let (file, line, column) = place(failed.place, sources);
            let words = failed.what.words();
            text += &format!("  {file}:{line}:{column}: {strong}{words}{reset}\n");
            match &failed.what {
                What::Match { explanation, .. } => {
                    text.extend(explanation.lines().map(|line| format!("    {line}\n")));
                }
                What::Export { diff, .. } => text += &drawn(diff, paint),
            }
        }
    }
    text
}

/// Returns the number of passed and of failed tests.
fn counts(tested: &[Tested]) -> (usize, usize) {
    let outcomes = tested.iter().flat_map(|one| &one.outcomes);
    let (passed, failed): (Vec<_>, Vec<_>) = outcomes.partition(|one| one.passed());
    (passed.len(), failed.len())
}

/// Renders a difference: `-` marks expected parts, `+` marks written parts.
fn drawn(diff: &Diff, paint: Paint) -> String {
    let head = match (diff.expected.is_empty(), diff.written.is_empty()) {
        (true, _) => "nothing is expected, + is written",
        (_, true) => "- is expected, nothing is written",
        _ => "- is expected, + is written",
    };
    let rows = diff.rows.iter();
    let rows = rows.map(|(side, part)| {
        let colour = match side {
            Side::Both => "",
            Side::Expected => paint.no,
            Side::Written => paint.yes,
        };
        let reset = if colour.is_empty() { "" } else { paint.reset };
        format!("      {colour}{} {}{reset}\n", side.mark(), printable(part))
    });
    format!("    {head}:\n{}", rows.collect::<String>())
}

/// Replaces control characters: the text of a file must not control the
/// terminal.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).collect()
}

/// Returns one JSON object.
pub(super) fn json(tested: &[Tested]) -> String {
    let tests = tested.iter().flat_map(|one| {
        let outcomes = one.outcomes.iter();
        outcomes.map(|outcome| test(outcome, &one.sources))
    });
    let tests: Vec<Value> = tests.collect();
    let (passed, failed) = counts(tested);
    let warnings = tested.iter().flat_map(|one| {
        let warnings = one.warnings.iter();
        warnings.map(|warning| {
            let (file, line, column) = place(warning.place, &one.sources);
            json!({
                "message": warning.message,
                "file": file,
                "line": line,
                "column": column,
            })
        })
    });
    let warnings: Vec<Value> = warnings.collect();
    let report = json!({
        "tests": tests,
        "warnings": warnings,
        "passed": passed,
        "failed": failed,
    });
    format!("{report:#}\n")
}

fn test(outcome: &Outcome, sources: &Sources) -> Value {
    let (file, line, column) = place(outcome.place, sources);
    let failures = outcome.failures.iter();
    let failures: Vec<Value> = failures.map(|one| failure(one, sources)).collect();
    json!({
        "name": text(&outcome.name),
        "file": file,
        "line": line,
        "column": column,
        "passed": outcome.passed(),
        "failures": failures,
    })
}

fn failure(failed: &Failed, sources: &Sources) -> Value {
    let (file, line, column) = place(failed.place, sources);
    let message = failed.what.words();
    match &failed.what {
        What::Match {
            metric,
            event,
            wanted,
            explanation,
        } => json!({
            "message": message,
            "file": file,
            "line": line,
            "column": column,
            "metric": text(metric),
            "event": event,
            "must_match": wanted,
            "explanation": explanation,
        }),
        What::Export { exporter, diff } => {
            let texts = |lines: &[Vec<u8>]| lines.iter().map(|line| text(line)).collect();
            let (expected, written): (Vec<String>, Vec<String>) =
                (texts(&diff.expected), texts(&diff.written));
            json!({
                "message": message,
                "file": file,
                "line": line,
                "column": column,
                "exporter": text(exporter),
                "expected": expected,
                "written": written,
            })
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn place(span: Span, sources: &Sources) -> (String, usize, usize) {
    let position = sources.position(span);
    (
        text(sources.name(span.file)),
        position.line,
        position.column,
    )
}
