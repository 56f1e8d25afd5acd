//! Filters that end Dovecot's processes, which are never sent to them.
//!
//! Dovecot 2.3 dies where a filter compares a number with a text, such as
//! `bytes_in=1k`: each mail process that gets the filter ends with its next event.
//! The comparison never holds, so that a metric, or a tap, with such a filter is
//! refused instead of sent in another form.

use std::iter;

use fantail_config::{Loaded, Metric, MetricRequest};
use fantail_event::Dialect;
use fantail_lint::{Catalogue, Finding, check_crashes};

use crate::{ControlError, ControlErrorKind};

/// Refuses a configuration with a filter that ends processes of Dovecot.
pub(super) fn check_all(loaded: &Loaded) -> Result<(), ControlError> {
    let settings = &loaded.settings;
    let metrics = settings.metrics.iter();
    let mut suspects = metrics.filter(|metric| metric.filter.hazards().next().is_some());
    // The catalogue is read only if it is needed: that takes a millisecond.
    let Some(first) = suspects.next() else {
        return Ok(());
    };
    let suspects = iter::once(first).chain(suspects);
    let findings = check_crashes(suspects, settings.dialect, &Catalogue::new());
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| finding.to_line(&loaded.sources))
        .collect();
    refuse(&lines)
}

/// Refuses a metric with such a filter.
pub(super) fn check(metric: &Metric, dialect: Dialect) -> Result<(), ControlError> {
    let findings = check_crashes([metric], dialect, &Catalogue::new());
    let lines: Vec<String> = findings.iter().map(message).collect();
    refuse(&lines)
}

/// Refuses the filter of a tap.
pub(super) fn check_filter(filter: &[u8], dialect: Dialect) -> Result<(), ControlError> {
    let request = MetricRequest {
        name: b"tap".to_vec(),
        filter: filter.to_vec(),
        ..MetricRequest::default()
    };
    let metric = request.resolve(dialect, &[]);
    let metric = metric.map_err(|refused| ControlError::new(ControlErrorKind::Filter, refused))?;
    check(&metric, dialect)
}

fn message(finding: &Finding) -> String {
    let notes = finding.notes.iter().map(|note| note.text.as_str());
    let parts: Vec<&str> = iter::once(finding.message.as_str()).chain(notes).collect();
    parts.join("; ")
}

fn refuse(lines: &[String]) -> Result<(), ControlError> {
    match lines.is_empty() {
        true => Ok(()),
        false => {
            let kind = ControlErrorKind::CrashesDovecot;
            Err(ControlError::new(kind, lines.join("\n")))
        }
    }
}
