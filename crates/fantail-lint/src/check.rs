//! All checks of a configuration.

mod connections;
mod events;
mod exporters;
mod fields;
mod grouping;
mod language;
mod names;
pub(crate) mod readers;
mod secrets;
pub(crate) mod sockets;
mod values;

use std::ops::Range;

use fantail_config::{BrokenMetric, Loaded, Metric, MetricSpans, Span, Target, Text};
use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_format::Parts;
use fantail_metrics::{MetricRules, MetricSettings};

use crate::{
    Catalogue, Finding,
    candidates::{self, Candidates},
    catalogue::{CatalogueEvent, series::Series},
};

/// The reader of a configuration's first file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reader {
    /// Dovecot, if the file has a name of Dovecot's files; otherwise only
    /// fantail.
    #[default]
    ByName,
    /// Dovecot.
    Dovecot,
    /// Only fantail.
    Fantail,
}

/// The checks of a metric, in order. Each sees the whole metric, and reports on
/// one subject.
const METRIC_CHECKS: &[fn(&Subject<'_>, &mut Vec<Finding>)] = &[
    events::check,
    events::check_categories,
    connections::check,
    fields::check_filter,
    fields::check_lists,
    fields::check_texts,
    exporters::check_include,
    grouping::check_limit,
    values::check,
    values::check_crashes,
    grouping::check,
    language::check,
];

/// Finds errors in a configuration beyond its own
/// [diagnostics](Loaded::diagnostics), in the order of files and lines.
///
/// `is_public` returns whether all users of the machine can read a file; it
/// gets the name with which the file was opened.
#[must_use]
pub fn check(
    loaded: &Loaded,
    catalogue: &Catalogue,
    is_public: &dyn Fn(&[u8]) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let series = Series::new(catalogue, loaded.settings.target());
    for metric in &loaded.settings.metrics {
        check_metric(metric, &series, &mut findings);
    }
    for metric in &loaded.broken_metrics {
        check_broken(metric, &series, &mut findings);
    }
    names::check(&loaded.settings, &mut findings);
    exporters::check(loaded, &mut findings);
    exporters::check_tabs(loaded, &mut findings);
    secrets::check(loaded, is_public, &mut findings);
    findings.sort_by_key(|one| {
        let label = one.primary.as_ref();
        label.map(|label| (label.span.file, label.span.start))
    });
    findings
}

/// Finds comparisons in the filters of metrics that crash each process of
/// Dovecot 2.3 that evaluates them; [`check`] finds them, too.
#[must_use]
pub fn check_crashes<'m>(
    metrics: impl IntoIterator<Item = &'m Metric>,
    dialect: Dialect,
    catalogue: &Catalogue,
) -> Vec<Finding> {
    let series = Series::new(catalogue, Target::new(dialect, None));
    let mut findings = Vec::new();
    for metric in metrics {
        let mut hazards = metric.filter.hazards();
        if hazards.any(|hazard| series.may_be_number(hazard.key())) {
            values::check_crashes(&Subject::new(metric, &series), &mut findings);
        }
    }
    findings
}

/// Runs all checks of one metric; each sees the findings of the previous ones.
fn check_metric(metric: &Metric, series: &Series<'_>, findings: &mut Vec<Finding>) {
    let subject = Subject::new(metric, series);
    let mut own = Vec::new();
    for check in METRIC_CHECKS {
        check(&subject, &mut own);
    }
    findings.append(&mut own);
}

/// Checks a metric with errors: as if it had none if its filter is valid,
/// otherwise only for errors that concern every event.
fn check_broken(metric: &BrokenMetric, series: &Series<'_>, findings: &mut Vec<Finding>) {
    if let Some((filter, text)) = &metric.filter {
        check_metric(&repaired(metric, filter, text), series, findings);
        return;
    }
    let scope = Scope::all(series);
    for field in &metric.fields {
        fields::check_key(&scope, &field.value, field.span, findings);
    }
    for level in &metric.group_by {
        fields::check_key(&scope, &level.value.field, level.span, findings);
    }
}

/// Returns the metric without its invalid parts.
fn repaired(broken: &BrokenMetric, filter: &Filter, text: &Text) -> Metric {
    let (fields, levels) = (broken.fields.iter(), broken.group_by.iter());
    Metric {
        settings: MetricSettings {
            name: broken.name.clone(),
            description: Vec::new(),
            fields: fields.clone().map(|field| field.value.clone()).collect(),
            group_by: levels.clone().map(|level| level.value.clone()).collect(),
            top: None,
        },
        filter: filter.clone(),
        filter_text: text.clone(),
        exporters: Vec::new(),
        include: Parts::ALL,
        rules: MetricRules::default(),
        declare: Vec::new(),
        spans: MetricSpans {
            block: broken.block,
            name: broken.block,
            include: None,
            expose: None,
            series_limit: None,
            top: None,
            fields: fields.map(|field| field.span).collect(),
            group_by: levels.map(|level| level.span).collect(),
        },
    }
}

/// The events that a finding is about.
struct Scope<'a> {
    series: &'a Series<'a>,
    /// The possible events of the series.
    events: Vec<&'a CatalogueEvent>,
    /// Whether events outside the catalogue are possible.
    open: bool,
}

impl<'a> Scope<'a> {
    fn all(series: &'a Series<'a>) -> Self {
        Self {
            series,
            events: series.events.clone(),
            open: false,
        }
    }

    fn catalogue(&self) -> &'a Catalogue {
        self.series.catalogue
    }

    fn dialect(&self) -> Dialect {
        self.series.dialect()
    }

    /// Returns whether the events are all events of the series.
    fn is_whole(&self) -> bool {
        self.events.len() == self.series.events.len()
    }

    /// Returns whether the events are those of a filter, not all events.
    fn is_narrow(&self) -> bool {
        self.events.len() < self.catalogue().events().len() / 2
    }
}

/// A metric with the known facts about its filter.
struct Subject<'a> {
    metric: &'a Metric,
    scope: Scope<'a>,
    /// For each comparison whether the filter requires it, and not its
    /// negation.
    wanted: Vec<bool>,
    /// Whether every event of this series matches.
    takes_all: bool,
}

impl<'a> Subject<'a> {
    fn new(metric: &'a Metric, series: &'a Series<'a>) -> Self {
        let Candidates { events, takes_all } = Candidates::of(&metric.filter, series);
        let wanted = candidates::wanted(&metric.filter);
        let open = events::names_unknown(&metric.filter, &wanted, series.catalogue);
        Self {
            metric,
            scope: Scope {
                series,
                events,
                open,
            },
            wanted,
            takes_all,
        }
    }

    fn filter(&self) -> &'a Filter {
        &self.metric.filter
    }

    /// Returns the position of a part of the filter in its file.
    fn place(&self, span: Range<usize>) -> Span {
        self.metric.filter_text.locate(span)
    }

    fn is_wanted(&self, comparison: usize) -> bool {
        self.wanted.get(comparison).copied().unwrap_or(true)
    }
}

/// Formats a name for messages.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
