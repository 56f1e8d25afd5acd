//! The cases of real Dovecots through sets of 1, 10 and 1,000 filters.
//!
//! A case's own filter has to answer as that Dovecot did; the others of its
//! set, which that Dovecot never saw with this event, as they do alone.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use fantail_event::{CategoryTree, Dialect, Event, Level, escape, text};
use fantail_filter::{Filter, FilterId, FilterSet, Matcher, internal::UnprocessedEvent};
use fantail_syntax::ParseOptions;

use crate::{events, sets::check_set, vectors::read_lines};

/// A case whose filter is one.
struct Case {
    level: Level,
    filter: Filter,
    event: Event,
    /// None where that Dovecot died.
    matches: Option<bool>,
}

fn read(line: &[u8], expected: &[u8], known: &CategoryTree, dialect: Dialect) -> Option<Case> {
    let mut arguments = line.splitn(3, |&byte| byte == b'\t');
    let mut argument = || arguments.next().expect("three arguments");
    let level = text::integer(argument()).expect("a log type");
    let filter = escape::unescape(argument());
    let filter = Filter::parse(&filter, &ParseOptions::new(dialect)).ok()?;
    Some(Case {
        level: Level::from_wire(level.unsigned_abs()).expect("a log type"),
        filter,
        event: events::parse(argument(), known, dialect),
        matches: match expected {
            [b'O', b'K', .., b'\t', answer] => Some(*answer == b'1'),
            _ => None,
        },
    })
}

/// Each case's event against a set of its filter and of those around it.
/// `per_set`: how many events each set sees.
fn check_sets(cases: &[Case], size: usize, per_set: usize, categories: &CategoryTree) {
    let mut matcher = Matcher::new();
    for (round, part) in cases.chunks(size).enumerate() {
        let set: FilterSet = part.iter().map(|case| &case.filter).collect();
        let pairs = set.ids().zip(part.iter().map(|case| case.filter.clone()));
        let filters: Vec<(FilterId, Filter)> = pairs.collect();
        let step = (part.len() / per_set).max(1);
        let seen = (0..part.len()).skip(round % step).step_by(step);
        for (id, case) in seen.map(|at| (filters[at].0, &part[at])) {
            let sent = UnprocessedEvent(events::sent(&case.event, categories, case.level));
            let found = check_set(&set, &filters, &mut matcher, &sent);
            // What Dovecot said is of a set of one; see `FilterSet`.
            let is_skipped =
                case.event.as_event_ref().name().is_none() && case.filter.requires_name();
            let matches = found.contains(&id) && !is_skipped;
            if let Some(expected) = case.matches {
                assert_eq!(matches, expected, "{}", case.filter);
            }
        }
    }
}

#[track_caller]
fn check(cases: &str, expectations: &str, dialect: Dialect) {
    let categories = events::categories();
    let (lines, expected) = (read_lines(cases), read_lines(expectations));
    let both = lines.iter().zip(&expected);
    let read = both.filter_map(|(line, expected)| read(line, expected, &categories, dialect));
    let cases: Vec<_> = read.collect();
    assert!(cases.len() * 2 > lines.len());
    check_sets(&cases, 1, 1, &categories);
    check_sets(&cases, 10, 10, &categories);
    check_sets(&cases, 1_000, 250, &categories);
}

#[test]
fn as_dovecot_2_3_19() {
    check("cases.tsv", "expect-2.3.19.tsv", Dialect::V2_3);
}

#[test]
fn as_dovecot_2_4_1() {
    check("cases.tsv", "expect-2.4.1.tsv", Dialect::V2_4);
}

#[test]
fn aimed_as_dovecot_2_3_19() {
    check("aimed-cases.tsv", "aimed-expect-2.3.19.tsv", Dialect::V2_3);
}

#[test]
fn aimed_as_dovecot_2_4_1() {
    check("aimed-cases.tsv", "aimed-expect-2.4.1.tsv", Dialect::V2_4);
}
