//! The parts of a series that questions are about.

use std::borrow::Cow;

use fantail_metrics::{
    GroupBy, Label, MetricSettings, MetricSnapshot, Series,
    internal::{MAX_VALUE_BYTES, OTHER},
};

use crate::{GroupLevel, Rank};

/// Returns the number of levels from the metric down to the level of a question.
pub(crate) fn depth(level: &GroupLevel, settings: &MetricSettings) -> Option<usize> {
    let levels = settings.group_by.len();
    let depth = match level {
        GroupLevel::Last => levels,
        GroupLevel::Number(number) => *number,
        GroupLevel::Field(field) => {
            let has_field = |level: &GroupBy| level.field == *field;
            settings.group_by.iter().rposition(has_field)? + 1
        }
    };
    (1..=levels).contains(&depth).then_some(depth)
}

/// Whether a series counts events whose own series the limits refused. A value `other`
/// of a metric that refused none is a value like any other.
pub(crate) fn is_other(metric: &MetricSnapshot, label: Label<'_>) -> bool {
    match label {
        Label::Other => true,
        Label::Value(value) => value == OTHER && metric.overflowed() > 0,
        Label::Bucket(_) | Label::Missing => false,
    }
}

/// Returns the key of a value: its bytes, or the text of a bucket.
pub(crate) fn key<'a>(label: Label<'a>, level: &GroupBy) -> Cow<'a, [u8]> {
    match label {
        Label::Value(value) => Cow::Borrowed(value),
        label => Cow::Owned(label.text(level).into_bytes()),
    }
}

/// Returns the text of a key.
pub(crate) fn key_text(key: &[u8], level: &GroupBy) -> String {
    match str::from_utf8(key) {
        Ok(text) if key.len() <= MAX_VALUE_BYTES => text.to_owned(),
        _ => Label::Value(key).text(level),
    }
}

/// The number of a series by which it is ranked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Events,
    /// The sum of the distribution at this index.
    Sum(usize),
}

impl Number {
    /// Returns `None` if the metric has no such field.
    pub(crate) fn new(rank: &Rank, settings: &MetricSettings) -> Option<Self> {
        let Rank::Sum(field) = rank else {
            return Some(Self::Events);
        };
        let at = settings.fields.iter().position(|known| known == field);
        match at {
            Some(at) => Some(Self::Sum(at + 1)),
            None => (field == b"duration").then_some(Self::Sum(0)),
        }
    }

    pub(crate) fn of(self, series: &Series<'_>) -> u128 {
        match self {
            Self::Events => series.duration().count().into(),
            Self::Sum(at) => {
                let distribution = series.distributions().get(at);
                distribution.map_or(0, fantail_metrics::Distribution::sum)
            }
        }
    }
}
