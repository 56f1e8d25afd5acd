//! The series of some values on all hosts.

use fantail_metrics::{Label, MetricSnapshot};

use crate::{LookUpQuestion, rows, select::WantedKeys};

/// The series of a metric that were looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The fields of the levels from the metric down to the level of the question.
    pub fields: Vec<Vec<u8>>,
    /// The series, in the order of their labels.
    pub found: Vec<Found>,
    /// Events in series `other`, on all hosts: events of any value that found no room for
    /// a series of its own.
    pub other: u64,
    /// Whether series were dropped because they were idle: their events are missing, and
    /// the numbers have no upper bound.
    pub has_dropped: bool,
}

/// A series that was looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its labels, one for each level.
    pub labels: Vec<String>,
    /// Its events.
    pub at_least: u64,
    /// Its events, if all of `other` were its events; `None` without an upper bound.
    pub at_most: Option<u64>,
}

/// Returns the series of a [sum](crate::Summed) that were looked up; `None` if the metric
/// has no such level.
#[must_use]
pub fn look_up(metric: &MetricSnapshot, question: &LookUpQuestion) -> Option<LookUp> {
    let settings = metric.settings();
    let depth = rows::depth(&question.level, settings)?;
    let levels = settings.group_by.get(..depth)?;
    let wanted = WantedKeys::new(&question.wanted);
    let mut looked_up = LookUp {
        fields: levels.iter().map(|level| level.field.clone()).collect(),
        found: Vec::new(),
        other: 0,
        has_dropped: metric.dropped() > 0,
    };
    let mut labels: Vec<String> = Vec::new();
    for series in metric.series().iter() {
        labels.truncate(series.depth().saturating_sub(1));
        let Some(level) = series.level(settings) else {
            continue;
        };
        let label = series.label();
        labels.push(label.text(level));
        if series.depth() != depth || label == Label::Missing {
            continue;
        }
        let events = series.duration().count();
        if rows::is_other(metric, label) {
            looked_up.other = looked_up.other.saturating_add(events);
        } else if wanted.has(&rows::key(label, level)) {
            looked_up.found.push(Found {
                labels: labels.clone(),
                at_least: events,
                at_most: None,
            });
        }
    }
    for found in &mut looked_up.found {
        let most = found.at_least.saturating_add(looked_up.other);
        found.at_most = (!looked_up.has_dropped).then_some(most);
    }
    looked_up.found.sort();
    Some(looked_up)
}
