//! The names of events and categories in filters.

use fantail_config::internal::similar;
use fantail_event::Dialect;
use fantail_filter::{Filter, Pattern, Test};

use super::{Subject, shown};
use crate::{Catalogue, Code, Finding, Version, catalogue::Event};

/// So many names are suggested at most.
const SUGGESTIONS: usize = 3;

/// Events that do not exist, and filters that leave none or all.
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
        let known = known(pattern, subject.scope.catalogue);
        if known.is_empty() {
            findings.push(unknown(subject, pattern, name, place));
        } else if subject.is_wanted(index)
            && let Some(finding) = wrong_version(&known, subject.scope.dialect, name, place)
        {
            findings.push(finding);
        }
    }
    let whole = subject.metric.filter_text.span();
    if subject.takes_all {
        let message = "every event that has a name matches this filter";
        findings.push(Finding::new(Code::MatchesEverything, message, whole));
    } else if subject.scope.events.is_empty() && !subject.scope.open && findings.len() == before {
        findings.push(
            Finding::new(Code::NeverMatches, "no event can match this filter", whole)
                .note("an event has one name, and only one of its fields of one name counts"),
        );
    }
}

/// Whether a filter asks for events that the catalogue does not have.
pub(super) fn names_unknown(filter: &Filter, wanted: &[bool], catalogue: &Catalogue) -> bool {
    let asked = filter.comparisons().iter().zip(wanted);
    asked
        .filter(|(_, wanted)| **wanted)
        .any(|(comparison, _)| match comparison.test() {
            Test::Name(pattern) => known(pattern, catalogue).is_empty(),
            _ => false,
        })
}

fn known<'a>(pattern: &Pattern, catalogue: &'a Catalogue) -> Vec<&'a Event> {
    let events = catalogue.events().iter();
    events
        .filter(|event| pattern.matches(event.name.as_bytes()))
        .collect()
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
        return Finding::new(Code::UnknownEvent, message, place);
    }
    let message = format!("Dovecot has no event `{name}`");
    let events = subject.scope.catalogue.events().iter();
    let names = events
        .filter(|event| event.is_in(subject.scope.dialect))
        .map(|event| event.name);
    let similar = similar(name.as_bytes(), names, SUGGESTIONS);
    let finding = Finding::new(Code::UnknownEvent, message, place);
    if similar.is_empty() {
        finding.note("it may be one of a plugin; `fantail events` lists those of Dovecot")
    } else {
        finding.suggest(&similar)
    }
}

/// A name, or a pattern, that fits only events of another series.
fn wrong_version(
    events: &[&Event],
    dialect: Dialect,
    name: &[u8],
    place: fantail_config::Span,
) -> Option<Finding> {
    if events.iter().any(|event| event.is_in(dialect)) {
        return None;
    }
    let event = events.first()?;
    let when = match (event.until, event.since) {
        (Some(until), _) if is_before(until, dialect) => format!("it was dropped in {until}"),
        (_, Some(since)) => format!("it came with {since}"),
        (Some(until), None) => format!("it was dropped in {until}"),
        (None, None) => return None,
    };
    let message = format!("Dovecot {dialect} does not send `{}`", shown(name));
    Some(Finding::new(Code::EventVersion, message, place).label(when))
}

fn is_before(version: Version, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V2_3 => version.minor < 3,
        Dialect::V2_4 => version.minor < 4 || version.patch == 0,
    }
}

/// Categories that do not exist.
pub(super) fn check_categories(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let written = subject.filter().tree().comparisons();
    for (comparison, written) in subject.filter().comparisons().iter().zip(written) {
        let Test::Category(name) = comparison.test() else {
            continue;
        };
        if subject.scope.catalogue.knows_category(name) {
            continue;
        }
        let place = subject.place(written.value_span.clone());
        let message = format!("Dovecot has no category `{}`", shown(name));
        let finding = Finding::new(Code::UnknownCategory, message, place);
        let categories = subject.scope.catalogue.categories().iter();
        let similar = similar(name, categories.map(|one| one.name), SUGGESTIONS);
        findings.push(if name.contains(&b'*') || name.contains(&b'?') {
            finding.note("categories are compared as they stand: there are no wildcards")
        } else {
            finding.suggest(&similar)
        });
    }
}
