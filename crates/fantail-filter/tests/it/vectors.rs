//! Thousands of filters and events with the answers of Dovecot 2.3.19 and
//! 2.4.1: whether the filter is one, its canonical text, whether it matches.

use std::path::Path;

use fantail_event::{CategoryTree, Dialect, EventView, Level, escape, text};
use fantail_filter::{
    CompiledComparison, Filter, Reason, Warning, WarningKind, internal::UnprocessedEvent,
};
use fantail_syntax::ParseOptions;

use crate::events;

/// What we answer to one case, in the words of the expectations:
/// `ERR TAB message`, or `OK TAB canonical text, escaped TAB 0 or 1`.
fn answer(case: &[u8], categories: &CategoryTree, dialect: Dialect) -> Vec<u8> {
    let mut arguments = case.splitn(3, |&byte| byte == b'\t');
    let mut argument = || arguments.next().expect("three arguments");
    let level = text::integer(argument()).expect("a log type");
    let level = Level::from_wire(level.unsigned_abs()).expect("a log type");
    let filter = escape::unescape(argument());
    let event = events::parse(argument(), categories, dialect);
    match Filter::parse(&filter, &ParseOptions::new(dialect)) {
        Err(errors) => format!("ERR\t{errors}").into_bytes(),
        Ok(filter) => {
            let mut answer = b"OK\t".to_vec();
            escape::escape_into(filter.canonical(), &mut answer);
            let sent = UnprocessedEvent(events::sent(&event, categories, level));
            let matches = filter.matches(&sent);
            assert!(is_explained(&filter, &sent), "{}", case.escape_ascii());
            answer.extend_from_slice(if matches { b"\t1" } else { b"\t0" });
            answer
        }
    }
}

/// Whether the explanation has the same answers, and no comparison holds that
/// is said to be never true.
fn is_explained(filter: &Filter, sent: &impl EventView) -> bool {
    let explanation = filter.explain(sent);
    let comparisons = filter.comparisons().iter();
    let mut each = comparisons.zip(explanation.findings());
    let warnings = filter.warnings();
    let is_never = |comparison: &CompiledComparison| {
        let is_this = |warning: &Warning| {
            warning.kind() == WarningKind::NeverTrue && warning.span() == comparison.span()
        };
        warnings.iter().any(is_this)
    };
    explanation.matches() == filter.matches(sent)
        && each.all(|(comparison, finding)| {
            finding.holds() == comparison.holds(sent) && !(finding.holds() && is_never(comparison))
        })
}

/// Whether the explanation says that 2.3 would crash.
fn foretells_crash(case: &[u8]) -> bool {
    let categories = events::categories();
    let mut arguments = case.splitn(3, |&byte| byte == b'\t').skip(1);
    let filter = escape::unescape(arguments.next().unwrap());
    let filter = Filter::parse(&filter, &ParseOptions::new(Dialect::V2_3)).unwrap();
    let event = events::parse(arguments.next().unwrap(), &categories, Dialect::V2_3);
    let explanation = filter.explain(&UnprocessedEvent(events::sent(
        &event,
        &categories,
        Level::Info,
    )));
    let mut findings = explanation.findings().iter();
    findings.any(|finding| finding.reason() == Reason::Crash)
}

pub(crate) fn read_lines(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/filter");
    #[allow(clippy::disallowed_methods, reason = "test data lies in files")]
    let text = std::fs::read(path.join(name)).expect(name);
    let lines = text.strip_suffix(b"\n").unwrap_or(&text);
    lines
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// Where Dovecot gave an error, any of ours will do; where it died, any
/// answer will, but we must be able to tell beforehand.
fn agrees(case: &[u8], expected: &[u8], answer: &[u8]) -> bool {
    let is_error = |line: &[u8]| line.starts_with(b"ERR\t");
    if expected == b"CRASH" {
        let filter = escape::unescape(case.split(|&byte| byte == b'\t').nth(1).unwrap());
        let filter = Filter::parse(&filter, &ParseOptions::new(Dialect::V2_3)).unwrap();
        return filter.hazards().next().is_some() && foretells_crash(case);
    }
    expected == answer || (is_error(expected) && is_error(answer))
}

/// What is expected of one case that is not so.
fn difference(number: usize, lines: [&[u8]; 3]) -> String {
    let [case, expected, answer] = lines.map(String::from_utf8_lossy);
    format!("{number}: {case}\n  expected {expected}\n  answered {answer}\n")
}

#[track_caller]
fn check(cases: &str, expectations: &str, count: usize, dialect: Dialect) {
    let categories = events::categories();
    let (cases, expected) = (read_lines(cases), read_lines(expectations));
    assert_eq!((cases.len(), expected.len()), (count, count));
    let mut differences = Vec::new();
    for (number, (case, expected)) in (1..).zip(cases.iter().zip(&expected)) {
        let answer = answer(case, &categories, dialect);
        if !agrees(case, expected, &answer) {
            differences.push(difference(number, [case, expected, &answer]));
        }
    }
    let (some, all) = (differences.iter().take(10), differences.len());
    let some: String = some.map(String::as_str).collect();
    assert_eq!(all, 0, "cases differ, the first of them:\n{some}");
}

#[test]
fn as_dovecot_2_3_19() {
    check("cases.tsv", "expect-2.3.19.tsv", 6_000, Dialect::V2_3);
}

#[test]
fn as_dovecot_2_4_1() {
    check("cases.tsv", "expect-2.4.1.tsv", 6_000, Dialect::V2_4);
}

#[test]
fn aimed_as_dovecot_2_3_19() {
    check(
        "aimed-cases.tsv",
        "aimed-expect-2.3.19.tsv",
        2_500,
        Dialect::V2_3,
    );
}

#[test]
fn aimed_as_dovecot_2_4_1() {
    check(
        "aimed-cases.tsv",
        "aimed-expect-2.4.1.tsv",
        2_500,
        Dialect::V2_4,
    );
}
