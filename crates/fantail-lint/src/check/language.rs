//! Warnings about a filter that need no knowledge of events.

use std::ops::Range;

use fantail_config::{Span, internal::advice_text};
use fantail_filter::{Warning, WarningKind};

use super::Subject;
use crate::{Finding, LintCode};

/// Reports [`Filter::warnings`](fantail_filter::Filter::warnings), except for
/// comparisons with a finding of an earlier check, which is more specific.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let told: Vec<Span> = findings.iter().filter_map(place).collect();
    for warning in subject.metric.filter.warnings() {
        // Only some fields crash Dovecot, and the catalogue knows the numeric ones.
        if warning.kind() == WarningKind::Crash {
            continue;
        }
        let found = finding(&warning, subject);
        let is_told = place(&found).is_some_and(|at| told.iter().any(|told| overlap(at, *told)));
        match warning.kind() {
            // These concern the combination of comparisons.
            WarningKind::MixedConnectives | WarningKind::NotNot => findings.push(found),
            _ if is_told => {}
            _ => findings.push(found),
        }
    }
}

/// Returns the language's advice on a comparison at this position, with the
/// corrected filter.
pub(super) fn advice_at(subject: &Subject<'_>, span: &Range<usize>) -> Option<String> {
    let text = subject.metric.filter_text.bytes();
    let warnings = subject.metric.filter.warnings();
    let mut here = warnings
        .iter()
        .filter(|warning| warning.span().start < span.end && span.start < warning.span().end);
    here.find_map(|warning| {
        let advice = warning.advice().first()?;
        Some(advice_text(advice, text))
    })
}

fn place(found: &Finding) -> Option<Span> {
    found.primary.as_ref().map(|label| label.span)
}

fn overlap(a: Span, b: Span) -> bool {
    a.file == b.file && a.start < b.end && b.start < a.end
}

fn finding(warning: &Warning, subject: &Subject<'_>) -> Finding {
    let message = format!("filter: {warning} ({})", warning.code());
    let found = Finding::new(LintCode::OddFilter, message, subject.place(warning.span()));
    let found = match warning.explanation() {
        Some(words) => found.note(words),
        None => found,
    };
    let advice = warning.advice().iter();
    let text = subject.metric.filter_text.bytes();
    advice.fold(found, |found, advice| found.help(advice_text(advice, text)))
}
