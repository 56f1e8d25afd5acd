//! Exporters that no metric uses.

use std::collections::HashSet;

use fantail_config::Loaded;

use super::shown;
use crate::{Finding, LintCode};

pub(super) fn check(loaded: &Loaded, findings: &mut Vec<Finding>) {
    // A name that was mistyped elsewhere may have meant one of these.
    let mut codes = loaded.diagnostics.iter().map(|one| one.code);
    if codes.any(|code| code == fantail_config::Code::UnknownExporter) {
        return;
    }
    let settings = &loaded.settings;
    let metrics = settings.metrics.iter().map(|metric| &metric.exporter);
    let broken = loaded.broken_metrics.iter().map(|metric| &metric.exporter);
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
