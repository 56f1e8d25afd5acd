//! One test: its events through the configuration.

use fantail::{
    config::{Settings, TestCase},
    engine::{Engine, Exported, ExporterId},
    event::SentEvent,
    filter::Filter,
    format::{ExportContext, Format},
};

use super::{
    diff,
    events::Events,
    outcome::{Failed, Outcome, What},
};
use crate::{command::filter::explain::tree, exit::Failure, io::paint::Paint};

/// Runs a test in a separate engine.
pub(super) fn run(
    test: &TestCase,
    settings: &Settings,
    events: &mut Events,
    paint: Paint,
) -> Result<Outcome, Failure> {
    let mut engine = Engine::new(settings).map_err(|error| Failure::new(error.to_string()))?;
    let mut exported: Vec<(ExporterId, Vec<u8>)> = Vec::new();
    let mut failures = Vec::new();
    for (number, event) in (1..).zip(&test.events) {
        let mut observe = |sent: &SentEvent<'_>, context: ExportContext<'_>| {
            failures.extend(mismatches(test, settings, &engine, (number, paint), sent));
            engine.handle(sent, context, &mut |one: Exported<'_>| {
                exported.push((one.exporter, one.payload.to_vec()));
            });
        };
        if let Err(refused) = events.send(event, &mut observe)? {
            // All events were tried before, so a capture has changed.
            return Err(Failure::new(refused.message));
        }
    }
    failures.extend(other_exports(test, settings, &exported));
    Ok(Outcome {
        name: test.name.value.clone(),
        place: test.name.span,
        failures,
    })
}

/// Returns the exporters with other output.
fn other_exports(
    test: &TestCase,
    settings: &Settings,
    exported: &[(ExporterId, Vec<u8>)],
) -> Vec<Failed> {
    let mut failures = Vec::new();
    for export in &test.exports {
        let mut exporters = settings.exporters.iter().enumerate();
        let name = &export.exporter.value;
        let Some((id, exporter)) = exporters.find(|(_, one)| one.name == *name) else {
            continue;
        };
        let written = exported.iter().filter(|(to, _)| to.0 == id);
        let written: Vec<&[u8]> = written.map(|(_, payload)| payload.as_slice()).collect();
        let expected: Vec<&[u8]> = export.lines.iter().map(|line| &*line.value).collect();
        let tab_text = exporter.format == Format::TabText;
        if let Some(diff) = diff::compare(&expected, &written, tab_text) {
            failures.push(Failed {
                place: export.exporter.span,
                what: What::Export {
                    exporter: name.clone(),
                    diff,
                },
            });
        }
    }
    failures
}

/// Returns the metrics that should match an event and do not, or match and
/// should not.
fn mismatches(
    test: &TestCase,
    settings: &Settings,
    engine: &Engine,
    (number, paint): (usize, Paint),
    sent: &SentEvent<'_>,
) -> Vec<Failed> {
    let seen = engine.counts(sent);
    let wanted = test.matches.iter().map(|name| (name, true));
    let unwanted = test.not_matches.iter().map(|name| (name, false));
    let mut failures = Vec::new();
    for (name, wanted) in wanted.chain(unwanted) {
        let mut metrics = settings.metrics.iter();
        let Some(metric) = metrics.find(|metric| metric.settings.name == name.value) else {
            continue;
        };
        if (seen && metric.filter.matches(sent)) == wanted {
            continue;
        }
        failures.push(Failed {
            place: name.span,
            what: What::Match {
                metric: name.value.clone(),
                event: number,
                wanted,
                explanation: explain(&metric.filter, sent, (number, paint), seen),
            },
        });
    }
    failures
}

fn explain(
    filter: &Filter,
    sent: &SentEvent<'_>,
    (number, paint): (usize, Paint),
    seen: bool,
) -> String {
    if !seen {
        return "the event has no name, and such events are passed over here".to_owned();
    }
    let mut text = Vec::new();
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    // Writing to memory cannot fail.
    let _ = tree::write(&mut text, number, sent, &filter.explain(sent), paint);
    String::from_utf8_lossy(&text).trim_end().to_owned()
}
