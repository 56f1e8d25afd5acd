//! Exporters: those that no metric uses, and what becomes of their text.

use std::collections::HashSet;

use fantail_config::{Exporter, Loaded, TransportSettings};
use fantail_format::Format;
use fantail_transport::{LogTarget, Tabs};

use super::{Subject, shown};
use crate::{Finding, LintCode};

/// `exporter_include` in a metric that exports nothing.
pub(super) fn check_include(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let metric = subject.metric;
    if let (Some(place), []) = (metric.spans.include, metric.exporters.as_slice()) {
        let message = "`exporter_include` has no effect in a metric without an `exporter`";
        findings.push(Finding::new(LintCode::NoEffect, message, place));
    }
}

/// TABs of tab-text on their way through syslog.
pub(super) fn check_tabs(loaded: &Loaded, findings: &mut Vec<Finding>) {
    for exporter in &loaded.settings.exporters {
        if exporter.format != Format::TabText || exporter.messages.tabs != Tabs::Keep {
            continue;
        }
        let Some(receiver) = syslog_receiver(exporter) else {
            continue;
        };
        let name = shown(&exporter.name);
        let message = format!("the TABs of `{name}` go to {receiver}, where rsyslog writes `#011`");
        findings.push(
            Finding::new(LintCode::TabsInSyslog, message, exporter.spans.format)
                .note("the journal of systemd keeps them")
                .help(
                    "use `format = json`; or set `message_tabs = replace` in a file that only \
                     fantail reads, or `$EscapeControlCharacterTab off` in rsyslog.conf",
                ),
        );
    }
}

/// What a text for syslog is sent to.
fn syslog_receiver(exporter: &Exporter) -> Option<&'static str> {
    match &exporter.transport {
        TransportSettings::Log(log) if log.target == LogTarget::Syslog => {
            Some("syslog (`log_path`, `info_log_path`)")
        }
        TransportSettings::Syslog(_) => Some("syslog"),
        _ => None,
    }
}

pub(super) fn check(loaded: &Loaded, findings: &mut Vec<Finding>) {
    // A mistyped name elsewhere may refer to one of these exporters.
    let mut codes = loaded.diagnostics.iter().map(|one| one.code);
    if codes.any(|code| code == fantail_config::Code::UnknownExporter) {
        return;
    }
    let settings = &loaded.settings;
    let metrics = settings.metrics.iter().map(|metric| &metric.exporters);
    let broken = loaded.broken_metrics.iter().map(|metric| &metric.exporters);
    let used = metrics.chain(broken).flatten();
    let used: HashSet<&[u8]> = used.map(|used| used.value.as_slice()).collect();
    for exporter in &settings.exporters {
        if used.contains(exporter.name.as_slice()) {
            continue;
        }
        let name = shown(&exporter.name);
        let message = format!("no metric uses the exporter `{name}`");
        findings.push(
            Finding::new(LintCode::UnusedExporter, message, exporter.spans.name).help(format!(
                "write `exporter = {name}` into the metrics to export"
            )),
        );
    }
}
