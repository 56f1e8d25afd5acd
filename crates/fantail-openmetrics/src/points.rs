//! Which series of a metric are samples, and with which labels.
//!
//! Only series with nothing below them are: their sum is that of the metric,
//! and nothing is counted twice.
//!
//! A label without a value is the same as no label. So a path that ends in
//! empty values and one that ends in a missing one can have
//! the same labels; such series are one sample together.

use std::collections::HashMap;

use fantail_metrics::{Label, MetricSnapshot, Series};

use crate::{exposition::push_label, name::label_names};

/// A sample: its labels as they are written, and the series that make it.
#[derive(Debug)]
pub(crate) struct Point<'a> {
    pub(crate) labels: String,
    /// Each with all that is below it.
    pub(crate) series: Vec<&'a [Series]>,
}

/// The samples of a metric in the order of its series, when those `levels`
/// levels below it are taken for the last.
pub(crate) fn points(metric: &MetricSnapshot, levels: usize) -> impl Iterator<Item = Point<'_>> {
    let mut together: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut walk = Walk::new(metric, false);
    for (at, series) in metric.series().iter().enumerate() {
        walk.enter(at, series);
        if is_point(series, levels) && walk.home() != at {
            together.entry(walk.home()).or_default().push(at);
        }
    }
    let all = metric.series();
    let mut walk = Walk::new(metric, true);
    all.iter().enumerate().filter_map(move |(at, series)| {
        walk.enter(at, series);
        if !is_point(series, levels) {
            return None;
        }
        let members = match together.get(&walk.home()) {
            Some(members) if walk.home() != at => members.as_slice(),
            _ => &[at],
        };
        (members.first() == Some(&at)).then(|| Point {
            labels: walk.labels.clone(),
            series: members.iter().filter_map(|at| branch(all, *at)).collect(),
        })
    })
}

/// A series and all below it.
fn branch(all: &[Series], at: usize) -> Option<&[Series]> {
    let from = all.get(at..)?;
    let (first, rest) = from.split_first()?;
    let below = rest
        .iter()
        .take_while(|series| series.depth() > first.depth());
    from.get(..=below.count())
}

fn is_point(series: &Series, levels: usize) -> bool {
    let missing = series.label() == Label::Missing && series.depth() < levels;
    series.depth() == levels || missing
}

/// The path to a series.
struct Walk<'a> {
    metric: &'a MetricSnapshot,
    names: Vec<String>,
    /// Of each series from the metric down: the last with a value on its
    /// path, and how long the labels are there.
    path: Vec<(usize, usize)>,
    labels: String,
    /// The labels are wanted; else only who is at home where.
    written: bool,
}

impl<'a> Walk<'a> {
    fn new(metric: &'a MetricSnapshot, written: bool) -> Self {
        Self {
            metric,
            names: label_names(&metric.settings().group_by),
            path: Vec::new(),
            labels: String::new(),
            written,
        }
    }

    fn enter(&mut self, at: usize, series: &Series) {
        self.path.truncate(series.depth());
        let (home, length) = self.path.last().copied().unwrap_or((at, 0));
        self.labels.truncate(length);
        // Only these two have an empty text.
        let has_value = match series.label() {
            Label::Value(value) => !value.is_empty(),
            Label::Bucket(_) | Label::Other => true,
            Label::Missing => false,
        };
        let level = series.level(self.metric.settings());
        if let (true, true, Some(level)) = (has_value, self.written, level)
            && let Some(name) = self.names.get(series.depth() - 1)
        {
            push_label(name, &series.label().text(level), &mut self.labels);
        }
        let home = if has_value { at } else { home };
        self.path.push((home, self.labels.len()));
    }

    /// The last series on the path that has a value; the metric if none has.
    fn home(&self) -> usize {
        self.path.last().map_or(0, |(home, _)| *home)
    }
}
