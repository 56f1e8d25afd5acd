//! External checkers: promtool, and the OpenMetrics parser of
//! prometheus-client.

use std::{path::Path, process::Command};

use fantail_event::ValueRef;
use fantail_exposition::{ExpositionOptions, Format};
use fantail_metrics::{Limits, Linear, Method, Snapshot};
use fantail_testkit::{checked, program, python, skip};

use crate::{
    RECORDED, SMALL,
    exposition::{all_options, answer},
    hostile::{discrete, hostile_values, linear, metric, played},
};

/// Returns snapshots of all recordings, and of hostile events.
fn snapshots() -> Vec<(&'static str, Snapshot)> {
    let recorded = SMALL.iter().chain(&RECORDED);
    let mut all: Vec<_> = recorded.map(|case| (case.name, case.snapshot())).collect();
    let values = hostile_values();
    let events = values.iter().map(|v| vec![("v", ValueRef::from(v))]);
    let metrics = vec![
        metric("one", &["v"], &[("v", discrete())]),
        metric(
            "two",
            &[],
            &[("v", discrete()), ("duration", linear(2_000, 1_000))],
        ),
    ];
    all.push((
        "hostile",
        played(metrics, Limits::default(), events.collect()),
    ));
    let numbers = [-5, 0, 7, i64::MAX].map(|x| vec![("x", ValueRef::Int(x))]);
    let bounds = linear(1 << 62, 1 << 58);
    let metrics = vec![metric("wide", &["x"], &[("x", bounds)])];
    all.push((
        "numbers",
        played(metrics, Limits::default(), numbers.into()),
    ));
    all.push(("close bounds", close_bounds()));
    all
}

/// Returns a histogram with bounds above 2⁵³; some are equal as floating point
/// numbers.
pub(crate) fn close_bounds() -> Snapshot {
    let first = 1_u64 << 53;
    let events = (0..6).map(|n| vec![("x", ValueRef::Int((1 << 53) + n))]);
    let bounds = Method::Linear(Linear::new(first, first + 4, 1).unwrap());
    let metrics = vec![metric("close", &[], &[("x", bounds)])];
    played(metrics, Limits::default(), events.collect())
}

/// Runs a checker on a text; returns its complaints, if any.
pub(crate) fn complaints(mut command: Command, text: &str) -> Option<String> {
    let verdict = checked(&mut command, text.as_bytes());
    (!verdict.content).then_some(verdict.said)
}

/// A complaint about unusual names, which does not mean that the text is
/// invalid.
const ABOUT_NAMES: &str = "metric names should not contain abbreviated units";

#[test]
fn promtool_reads_all() {
    let Some(promtool) = program("promtool") else {
        return;
    };
    for (name, snapshot) in snapshots() {
        let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::Prometheus));
        let mut command = Command::new(&promtool);
        command.args(["check", "metrics"]);
        let complaints = complaints(command, &text).unwrap_or_default();
        let is_odd = |line: &&str| name.contains("values") && line.ends_with(ABOUT_NAMES);
        let grave: Vec<&str> = complaints.lines().filter(|line| !is_odd(line)).collect();
        assert!(grave.is_empty(), "{name}: {grave:?}");
    }
    // The checker does complain about an invalid text.
    let mut command = Command::new(&promtool);
    command.args(["check", "metrics"]);
    assert!(complaints(command, "a{b=\"\\u2028\"} 1\n").is_some());
}

const PARSE: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode('utf-8')
count = sum(len(family.samples) for family in text_string_to_metric_families(text))
assert count > 0
";

/// Returns the reference parser, if this Python has it.
pub(crate) fn parser_of(python: &Path) -> Option<impl Fn() -> Command> {
    let parser = move || {
        let mut command = Command::new(python);
        command.args(["-c", PARSE]);
        command
    };
    let said = complaints(parser(), "# EOF\n");
    let is_there = !said.is_some_and(|said| said.contains("No module"));
    is_there.then_some(parser)
}

#[test]
fn the_reference_parser_reads_all() {
    let Some(python) = python() else {
        return;
    };
    let Some(parser) = parser_of(&python) else {
        skip("Python has no prometheus_client");
        return;
    };
    let run = |text: &str| complaints(parser(), text);
    for (name, snapshot) in snapshots() {
        for options in all_options().filter(|o| o.format == Format::OpenMetrics) {
            let (text, _) = answer(&snapshot, options);
            assert_eq!(run(&text).unwrap_or_default(), "", "{name}");
        }
    }
    // The parser rejects the answer of Dovecot 2.3.
    let real = RECORDED[1].answer;
    assert!(run(str::from_utf8(real).unwrap()).is_some());
}
