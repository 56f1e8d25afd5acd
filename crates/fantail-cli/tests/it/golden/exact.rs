//! The exact median, percentile and deviation over all values of a row, from
//! the capture itself: the sketch must be within 1 % of them.

use std::collections::BTreeSet;

use fantail::{
    config::{self, LoadOptions, Settings},
    event::{Activity, Dialect, EventView, SentEvent, ValueRef},
    filter::Filter,
    wire::{Connection, Intake, Limits, capture::Capture},
};
use fantail_testkit::golden::DumpRow;

use crate::program::{contents, test_data};

/// Checks one row of our dump.
#[track_caller]
pub(crate) fn check(set: &str, capture: &str, row: &DumpRow) {
    assert_eq!(
        row.field, "duration",
        "only durations have that many values here"
    );
    let mut values = durations(set, capture, &row.metric);
    values.sort_unstable();
    assert_eq!(row.count(), values.len() as u64, "values of {}", row.metric);
    let (middle, n) = (values.len() / 2, values.len());
    let median = if n % 2 == 1 {
        values[middle]
    } else {
        values[middle - 1].midpoint(values[middle])
    };
    // The rule of the real one: the value at n·p, one lower where that is whole.
    let percentile = values[if (n * 95) % 100 == 0 {
        n * 95 / 100 - 1
    } else {
        n * 95 / 100
    }];
    let printed = |column: usize| -> f64 { row.values[column].parse().unwrap() };
    close(row, "median", printed(5), median as f64, 0.01);
    close(row, "%95", printed(7), percentile as f64, 0.01);
    let mean = values.iter().map(|&v| v as f64).sum::<f64>() / n as f64;
    let variance = values
        .iter()
        .map(|&v| (v as f64 - mean).powi(2))
        .sum::<f64>()
        / n as f64;
    close(row, "stddev", printed(6), variance.sqrt(), 0.000_01);
}

#[track_caller]
fn close(row: &DumpRow, what: &str, got: f64, exact: f64, relative: f64) {
    // Dumps have whole quantiles, and deviations of two decimals.
    let allowed = exact * relative + if what == "stddev" { 0.01 } else { 0.5 };
    assert!(
        (got - exact).abs() <= allowed,
        "{what} of {}: {got} instead of {exact}",
        row.metric
    );
}

/// The durations of the events that a metric, or one of its sub-metrics of
/// one discrete level, counts.
fn durations(set: &str, capture: &str, metric_or_sub: &str) -> Vec<i64> {
    let settings = settings(set);
    let metric = settings
        .metrics
        .iter()
        .filter(|m| metric_or_sub.as_bytes().starts_with(&m.settings.name))
        .max_by_key(|m| m.settings.name.len())
        .unwrap();
    let label = metric_or_sub.as_bytes()[metric.settings.name.len()..].strip_prefix(b"_");
    let unnamed_too = set.starts_with("2.4");
    let bytes = contents(test_data(capture));
    let mut durations = Vec::new();
    let mut intake = Intake::new();
    for recorded in Capture::parse(&bytes).connections {
        let mut connection = Connection::new(settings.dialect, Limits::default());
        for line in recorded.lines {
            let handled = connection.handle(line.line, &mut intake, |activity| {
                let Activity::Sent { event: sent, .. } = activity else {
                    return;
                };
                let seen = sent.name().is_some() || unnamed_too;
                if seen
                    && counted(
                        &metric.filter,
                        metric.settings.group_by.first().map(|g| g.field.as_slice()),
                        label,
                        &sent,
                    )
                {
                    durations.push(sent.event.duration_micros());
                }
            });
            handled.unwrap();
        }
        connection.close(&mut intake, |_| {});
    }
    durations
}

fn counted(
    filter: &Filter,
    group: Option<&[u8]>,
    label: Option<&[u8]>,
    sent: &SentEvent<'_>,
) -> bool {
    if !filter.evaluate(sent) {
        return false;
    }
    let (Some(group), Some(label)) = (group, label) else {
        return label.is_none();
    };
    let elements: BTreeSet<Vec<u8>> = match sent.field(group) {
        Some(ValueRef::List(list)) => list.to_vec().into_iter().collect(),
        _ => BTreeSet::new(),
    };
    if elements.is_empty() {
        label.is_empty()
    } else {
        elements.contains(label)
    }
}

fn settings(set: &str) -> Settings {
    let text = contents(test_data(&format!("captures/{set}/dovecot.conf")));
    let options = LoadOptions {
        dialect: Dialect::from_version(&set[..3]),
        ..LoadOptions::default()
    };
    config::load_text("dovecot.conf", text, &options).settings
}
