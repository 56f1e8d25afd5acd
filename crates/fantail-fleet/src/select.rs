//! The series of a host that answer a question.

use std::collections::{HashMap, HashSet};

use fantail_event::Dialect;
use fantail_metrics::{
    Label, MetricSnapshot, Snapshot,
    internal::{subset, write_text_key},
};

use crate::{LookUpQuestion, Question, TopQuestion, Wanted, rows};

/// The series that answer a question.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The dialect of the metrics.
    pub dialect: Dialect,
    /// The metrics; each has the selected series and their ancestors.
    pub metrics: Vec<MetricSnapshot>,
    /// The largest number that a value may have which is not in the answer to a
    /// [`TopQuestion`]; 0 if all values are in it.
    pub unseen: u128,
    /// Whether more values than the answer may have begin with the prefix.
    pub is_cut: bool,
}

/// Selects the series that answer a question.
#[must_use]
pub fn select(question: &Question, snapshot: &Snapshot) -> Selected {
    let mut selected = Selected {
        dialect: snapshot.dialect(),
        metrics: Vec::new(),
        unseen: 0,
        is_cut: false,
    };
    let named = |name: Option<&[u8]>| {
        let name = name.map(<[u8]>::to_vec);
        let metrics = snapshot.metrics().iter();
        metrics.filter(move |metric| {
            name.as_ref()
                .is_none_or(|name| *name == metric.settings().name)
        })
    };
    match question {
        Question::Metrics(name) => selected.metrics.extend(named(name.as_deref()).cloned()),
        Question::Scrape => selected.metrics.extend(snapshot.exposed_metrics().cloned()),
        Question::Top(top) => {
            for metric in named(Some(&top.metric)) {
                if let Some((largest, unseen)) = largest(metric, top) {
                    selected.metrics.push(largest);
                    selected.unseen = unseen;
                }
            }
        }
        Question::LookUp(wanted) => {
            let mut left = match wanted.wanted {
                Wanted::Values(_) => usize::MAX,
                Wanted::Prefix(_) => LookUpQuestion::MAX_VALUES,
            };
            for metric in named(wanted.metric.as_deref()) {
                let found = looked_up(metric, wanted, &mut left, &mut selected.is_cut);
                selected.metrics.extend(found);
            }
        }
    }
    selected
}

/// Returns the series of the values with the largest numbers, and those of `other`; and
/// the largest number of the other values.
fn largest(metric: &MetricSnapshot, question: &TopQuestion) -> Option<(MetricSnapshot, u128)> {
    let settings = metric.settings();
    let depth = rows::depth(&question.level, settings)?;
    let number = rows::Number::new(&question.rank, settings)?;
    let mut totals: HashMap<Label<'_>, u128> = HashMap::new();
    for series in metric.series().iter().filter(|one| one.depth() == depth) {
        let label = series.label();
        if label != Label::Missing && !rows::is_other(metric, label) {
            let total = totals.entry(label).or_default();
            *total = total.saturating_add(number.of(&series));
        }
    }
    let mut ranked: Vec<(u128, Label<'_>)> = totals.iter().map(|(l, n)| (*n, *l)).collect();
    let mut unseen = 0;
    if ranked.len() > question.count {
        let at = question.count.saturating_sub(1);
        let (_, last, _) = ranked.select_nth_unstable_by(at, |one, other| other.0.cmp(&one.0));
        unseen = last.0;
        ranked.truncate(question.count);
    }
    let chosen: HashSet<Label<'_>> = ranked.into_iter().map(|(_, label)| label).collect();
    let part = subset(metric, |_, series| {
        let label = series.label();
        let is_chosen = chosen.contains(&label) || rows::is_other(metric, label);
        series.depth() == depth && is_chosen
    });
    Some((part, unseen))
}

/// Returns the series of the values that are looked up, and those of `other`. `left` is
/// the number of series that the answer may still have.
fn looked_up(
    metric: &MetricSnapshot,
    question: &LookUpQuestion,
    left: &mut usize,
    is_cut: &mut bool,
) -> Option<MetricSnapshot> {
    let settings = metric.settings();
    let depth = rows::depth(&question.level, settings)?;
    let level = settings.group_by.get(depth - 1)?;
    let wanted = WantedKeys::new(&question.wanted);
    Some(subset(metric, |_, series| {
        let label = series.label();
        if series.depth() != depth || label == Label::Missing {
            return false;
        }
        if rows::is_other(metric, label) {
            return true;
        }
        if !wanted.has(&rows::key(label, level)) {
            return false;
        }
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        *is_cut |= !fits;
        fits
    }))
}

/// The keys of the values that are looked up.
pub(crate) enum WantedKeys<'q> {
    Keys(HashSet<Vec<u8>>),
    Prefix(&'q [u8]),
}

impl<'q> WantedKeys<'q> {
    pub(crate) fn new(wanted: &'q Wanted) -> Self {
        match wanted {
            Wanted::Prefix(prefix) => Self::Prefix(prefix),
            Wanted::Values(values) => {
                let long = values.iter().map(|value| {
                    let mut key = Vec::new();
                    write_text_key(value, &[], &mut key);
                    key
                });
                // A key that another answer had is looked up as it is.
                Self::Keys(values.iter().cloned().chain(long).collect())
            }
        }
    }

    pub(crate) fn has(&self, key: &[u8]) -> bool {
        match self {
            Self::Keys(keys) => keys.contains(key),
            Self::Prefix(prefix) => key.starts_with(prefix),
        }
    }
}
