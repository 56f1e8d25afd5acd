//! Metrics that count no events.

use std::collections::{BTreeSet, HashSet};

use fantail_config::{Metric, Severity, write_metric};
use memchr::memmem;

use super::{DoctorCode, MetricCount, SocketRole, Subject, text};
use crate::{Finding, finding::enumerate};

/// The maximum number of metrics that a message names.
const MAX_NAMES: usize = 5;

const RELOAD_FANTAIL: &str = "let fantail read the configuration again:\n  fantail reload";

/// Reports a configuration without metrics.
pub(super) fn none(subject: &mut Subject<'_>) {
    let loaded = subject.loaded;
    if !loaded.settings.metrics.is_empty() || !loaded.broken_metrics.is_empty() {
        return;
    }
    if loaded.diagnostics.has_errors() {
        return;
    }
    subject.push(
        Finding::doctor(
            DoctorCode::NoMetrics,
            "the configuration has no metric: nothing is counted or exported",
        )
        .help(
            "begin with\nmetric logins {\n  filter = event=auth_request_finished\n}\nor the packs \
             of fantail, see docs/operate.md",
        ),
    );
}

/// Reports metrics whose events the running process does not request, or whose
/// settings differ from its own.
pub(super) fn reload(subject: &mut Subject<'_>) {
    let Some(in_force) = &subject.facts.filter_in_force else {
        return;
    };
    let server = subject.facts.server.as_ref();
    if let Some(running) = server.and_then(|server| server.metrics.as_ref()) {
        let mut blocks = Vec::new();
        for metric in &subject.loaded.settings.metrics {
            write_metric(metric, subject.loaded.settings.dialect, &mut blocks);
        }
        if !running.starts_with(&text(&blocks)) {
            let message = "fantail has other metrics than the configuration";
            let finding = Finding::doctor(DoctorCode::ReloadNeeded, message);
            subject.push(finding.help(RELOAD_FANTAIL));
            return;
        }
    }
    // Filters are joined in the order of the metrics: most lie behind the last one.
    let mut from = 0;
    let mut contains = |text: &[u8]| {
        let behind = in_force.get(from..).unwrap_or_default();
        match memmem::find(behind, text) {
            Some(at) => {
                from += at + text.len();
                true
            }
            None => memmem::find(in_force, text).is_some(),
        }
    };
    let mut is_missing =
        |metric: &&Metric| !contains(metric.filter.exact()) && !contains(metric.filter.canonical());
    let metrics = subject.loaded.settings.metrics.iter();
    let missing: Vec<&Metric> = metrics.filter(|metric| is_missing(metric)).collect();
    let Some(first) = missing.first() else {
        return;
    };
    let names = named(&missing);
    let message = format!("the running process does not know {names} as the configuration has it");
    let help = match subject.facts.server {
        Some(_) => RELOAD_FANTAIL,
        None => "let Dovecot read its configuration again:\n  doveadm reload",
    };
    let finding = Finding::doctor(DoctorCode::ReloadNeeded, message)
        .at(first.spans.name)
        .help(help);
    subject.push(finding);
}

/// Reports metrics that have counted no event.
pub(super) fn zero(subject: &mut Subject<'_>) {
    let Some(counts) = &subject.facts.counts else {
        return;
    };
    if subject.is_cut_off() || subject.has(&[DoctorCode::ReloadNeeded]) {
        return;
    }
    let is_zero = |one: &MetricCount| one.count == 0;
    if !counts.is_empty() && counts.iter().all(is_zero) {
        return all(subject);
    }
    let zero = counts.iter().filter(|one| is_zero(one));
    let zero: HashSet<&[u8]> = zero.map(|one| one.name.as_slice()).collect();
    let metrics = subject.loaded.settings.metrics.iter();
    let zero: Vec<&Metric> = metrics
        .filter(|metric| zero.contains(metric.settings.name.as_slice()))
        .collect();
    // Other findings already explain why some of these metrics match nothing.
    let warnings = subject.configuration.iter();
    let warnings = warnings.filter(|one| one.severity >= Severity::Warning);
    let spans = warnings.filter_map(|one| Some(one.primary.as_ref()?.span));
    let spans: BTreeSet<_> = spans
        .map(|span| (span.file, span.start, span.end))
        .collect();
    let explained = |metric: &&Metric| {
        let filter = metric.filter_text.span();
        let (from, to) = (
            (filter.file, filter.start, 0),
            (filter.file, filter.end, u32::MAX),
        );
        let mut within = spans.range(from..=to);
        within.any(|(_, _, end)| *end <= filter.end)
    };
    let (explained, others): (Vec<&Metric>, Vec<&Metric>) = zero.into_iter().partition(explained);
    let mut findings = Vec::new();
    for metric in explained {
        let name = text(&metric.settings.name);
        let message = format!("the metric `{name}` has counted no event");
        let mut finding = Finding::doctor(DoctorCode::NeverMatched, message).at(metric.spans.name);
        finding.severity = Severity::Warning;
        findings.push(finding.note("the reason is the finding about its filter"));
    }
    if let Some(first) = others.first() {
        let message = format!("no event was counted by {}", named(&others));
        let finding = Finding::doctor(DoctorCode::NeverMatched, message).at(first.spans.name);
        findings.push(finding.note(NOT_SENT).help(watch(subject)));
    }
    findings.into_iter().for_each(|one| subject.push(one));
}

const NOT_SENT: &str = "there may have been no such event. Dovecot's processes filter before they \
                        send: which term of a filter fails cannot be told from here";

/// Returns the advice on how to find the term that fails.
fn watch(subject: &Subject<'_>) -> &'static str {
    match subject.facts.server {
        Some(_) => {
            "`fantail doctor --watch 60s` asks for more events for that time, and says which term \
             fails"
        }
        None => {
            "with `fantail serve` in the place of Dovecot's stats process, `fantail doctor --watch \
             60s` says which term fails"
        }
    }
}

/// Reports that no metric has counted an event.
fn all(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    let clients = subject
        .socket(SocketRole::Writer)
        .and_then(|one| one.clients);
    let mail = facts.dovecot.mail_processes;
    let is_idle = clients == Some(0) && mail.unwrap_or_default() == 0;
    let message = "no metric has counted an event since the stats process started";
    let mut finding = Finding::doctor(DoctorCode::AllZero, message);
    subject.push(match is_idle {
        true => {
            finding.severity = Severity::Hint;
            finding
                .note("no process of Dovecot is connected, and no mail process runs: it is idle")
                .help("log in once, and look again")
        }
        false => finding.note(NOT_SENT).help(watch(subject)),
    });
}

/// Returns the names of at most [`MAX_NAMES`] metrics, and the number of others.
fn named(metrics: &[&Metric]) -> String {
    let names = metrics.iter().take(MAX_NAMES);
    let names: Vec<String> = names.map(|metric| text(&metric.settings.name)).collect();
    let told: Vec<&str> = names.iter().map(String::as_str).collect();
    match metrics.len().saturating_sub(MAX_NAMES) {
        0 => enumerate(&told, "and"),
        more => format!(
            "{} and {more} more",
            enumerate(&told, "or").replace(" or ", ", ")
        ),
    }
}
