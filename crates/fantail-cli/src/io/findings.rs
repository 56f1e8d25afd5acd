//! Findings of `fantail check` for a single filter or metric.

use std::ops::ControlFlow;

use fantail::{
    config::{Loaded, MetricRequest, Severity, render, render_reports},
    event::Dialect,
    lint::{self, Catalogue, Finding, LintCode, Trial},
};

use crate::{
    exit::{Failure, say},
    io::{
        capture::{Player, Recording},
        terminal,
    },
};

/// Reports warnings about a metric, but not errors that Dovecot reports.
///
/// # Errors
/// The filter would crash Dovecot's processes, which get it.
pub(crate) fn say_of_metric(metric: &MetricRequest, dialect: Dialect) -> Result<(), Failure> {
    let (loaded, findings) = findings(metric, dialect, |_| true);
    let drawn = render_reports(
        findings.iter().map(Finding::report),
        &loaded.sources,
        terminal::style(),
    );
    if findings.iter().any(|one| one.severity == Severity::Error) {
        return Err(Failure::drawn(&drawn));
    }
    say_drawn(&drawn);
    Ok(())
}

/// Reports findings about a filter, in addition to the language's own warnings.
pub(crate) fn say_of_filter(filter: &str, dialect: Dialect) {
    let metric = metric_of(filter);
    let (loaded, mut findings) = findings(&metric, dialect, |one| {
        one.code != LintCode::OddFilter.as_str()
    });
    // Only fantail evaluates this filter.
    for one in &mut findings {
        one.severity = one.severity.min(Severity::Warning);
    }
    let reports = findings.iter().map(Finding::report);
    say_drawn(&render_reports(reports, &loaded.sources, terminal::style()));
}

/// Reports the term of a filter that excludes all events of a capture.
pub(crate) fn say_why_none(
    filter: &str,
    dialect: Dialect,
    recording: &mut Recording,
) -> Result<(), Failure> {
    let loaded = metric_of(filter).load(dialect);
    let mut trial = Trial::new(&loaded.settings.metrics, dialect);
    // Invalid lines are reported already.
    Player::silent(dialect).play_events(recording, |sent, _| {
        trial.observe(sent);
        ControlFlow::Continue(())
    })?;
    let findings = trial.findings();
    let reports = findings.iter().map(Finding::report);
    say_drawn(&render_reports(reports, &loaded.sources, terminal::style()));
    Ok(())
}

/// Returns a metric that has only a filter.
fn metric_of(filter: &str) -> MetricRequest {
    MetricRequest {
        name: b"filter".to_vec(),
        filter: filter.as_bytes().to_vec(),
        ..MetricRequest::default()
    }
}

/// Renders the errors of a metric; returns `None` without errors.
pub(crate) fn errors_of_metric(metric: &MetricRequest, dialect: Dialect) -> Option<String> {
    let loaded = metric.load(dialect);
    let has_errors = loaded.diagnostics.has_errors();
    has_errors.then(|| render(&loaded.diagnostics, &loaded.sources, terminal::style()))
}

fn findings(
    metric: &MetricRequest,
    dialect: Dialect,
    counts: impl Fn(&Finding) -> bool,
) -> (Loaded, Vec<Finding>) {
    let loaded = metric.load(dialect);
    let mut findings = lint::check(&loaded, &Catalogue::new(), &|_| false);
    findings.retain(|one| one.severity >= Severity::Warning && counts(one));
    (loaded, findings)
}

fn say_drawn(drawn: &str) {
    if !drawn.is_empty() {
        say(format_args!("{}", drawn.trim_end()));
    }
}
