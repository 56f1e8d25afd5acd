//! The names of events and categories in filters.

use fantail_config::{Release, Target};
use fantail_filter::{Filter, Pattern, Test};

use super::{Subject, shown};
use crate::{
    Catalogue, Finding, LintCode,
    catalogue::{CatalogueEvent, series::known},
};

/// The maximum number of suggested names.
const SUGGESTIONS: usize = 3;

/// Reports events that do not exist, and filters that match none or all.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let before = findings.len();
    let written = subject.filter().tree().comparisons();
    let tests = subject.filter().comparisons().iter().zip(written);
    for (index, (comparison, written)) in tests.enumerate() {
        let Test::Name(pattern) = comparison.test() else {
            continue;
        };
        let name = written.value.written();
        let place = subject.place(written.value_span.clone());
        let known = known(subject.scope.catalogue(), pattern);
        if known.is_empty() {
            findings.push(unknown(subject, pattern, name, place));
        } else if subject.is_wanted(index)
            && let Some(finding) = wrong_version(&known, subject.scope.series.target, name, place)
        {
            findings.push(finding);
        }
    }
    let whole = subject.metric.filter_text.span();
    if subject.takes_all {
        let message = "every event that has a name matches this filter";
        findings.push(Finding::new(LintCode::MatchesEverything, message, whole));
    } else if subject.scope.events.is_empty() && !subject.scope.open && findings.len() == before {
        findings.push(
            Finding::new(
                LintCode::NeverMatches,
                "no event can match this filter",
                whole,
            )
            .note("an event has one name, and only one of its fields of one name counts"),
        );
    }
}

/// Returns whether a filter requires events that the catalogue does not have.
pub(super) fn names_unknown(filter: &Filter, wanted: &[bool], catalogue: &Catalogue) -> bool {
    let asked = filter.comparisons().iter().zip(wanted);
    asked
        .filter(|(_, wanted)| **wanted)
        .any(|(comparison, _)| match comparison.test() {
            Test::Name(pattern) => known(catalogue, pattern).is_empty(),
            _ => false,
        })
}

fn unknown(
    subject: &Subject<'_>,
    pattern: &Pattern,
    name: &[u8],
    place: fantail_config::Span,
) -> Finding {
    let name = shown(name);
    if pattern.literal().is_none() {
        let message = format!("no event of Dovecot has a name like `{name}`");
        return Finding::new(LintCode::UnknownEvent, message, place);
    }
    let message = format!("Dovecot has no event `{name}`");
    let series = subject.scope.series;
    let names = series.events.iter().map(|event| event.name);
    let similar = series.similar(name.as_bytes(), names, SUGGESTIONS);
    let finding = Finding::new(LintCode::UnknownEvent, message, place);
    if similar.is_empty() {
        finding.note("it may be one of a plugin; `fantail events` lists those of Dovecot")
    } else {
        finding.suggest(&similar)
    }
}

/// Reports a name, or a pattern, that fits only events of another release.
fn wrong_version(
    events: &[&CatalogueEvent],
    target: Target,
    name: &[u8],
    place: fantail_config::Span,
) -> Option<Finding> {
    if events.iter().any(|event| event.is_in(target)) {
        return None;
    }
    let event = events.first()?;
    let when = when(event.since, event.until, target)?;
    let message = format!("Dovecot {target} does not send `{}`", shown(name));
    Some(Finding::new(LintCode::EventVersion, message, place).label(when))
}

/// Explains why a Dovecot does not have what these releases added and removed.
pub(super) fn when(
    since: Option<Release>,
    until: Option<Release>,
    target: Target,
) -> Option<String> {
    match (until, since) {
        (Some(until), _) if until <= target.first_release() => {
            Some(format!("it was dropped in {until}"))
        }
        (_, Some(since)) => Some(format!("it came with {since}")),
        (Some(until), None) => Some(format!("it was dropped in {until}")),
        (None, None) => None,
    }
}

/// Reports categories that do not exist.
pub(super) fn check_categories(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let written = subject.filter().tree().comparisons();
    for (comparison, written) in subject.filter().comparisons().iter().zip(written) {
        let Test::Category(name) = comparison.test() else {
            continue;
        };
        if subject.scope.catalogue().knows_category(name) {
            continue;
        }
        let place = subject.place(written.value_span.clone());
        let message = format!("Dovecot has no category `{}`", shown(name));
        let finding = Finding::new(LintCode::UnknownCategory, message, place);
        let categories = subject.scope.catalogue().categories().iter();
        let names = categories.map(|one| one.name);
        let similar = subject.scope.series.similar(name, names, SUGGESTIONS);
        findings.push(if name.contains(&b'*') || name.contains(&b'?') {
            finding.note("categories are compared as they stand: there are no wildcards")
        } else {
            finding.suggest(&similar)
        });
    }
}
