//! `/api/v1/findings`: what `fantail check` finds in the configuration, and what `fantail
//! doctor` finds as far as the server knows it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use fantail_config::{FileSystem, Loaded, NoteKind, Severity, Sources};
use fantail_lint::{ExporterFacts, Facts, Finding, MetricCount, ServerFacts, diagnose};
use fantail_transport::DropReason;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::refuse;
use crate::{
    control::Source,
    exporters::TOO_LARGE,
    handle::Live,
    http::{Context, api::json_text, refused},
    process::thread,
    worker::Report,
};

/// How long the files of the configuration may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers with the findings, the most important first.
pub(super) async fn answer(State(context): State<Context>) -> Response {
    let held = match context.handle.held_report(false).await {
        Ok(held) => held,
        Err(error) => return refused(&error),
    };
    let live = Arc::clone(&context.handle.live.borrow());
    let source = context.source.clone();
    let reading = Arc::clone(&context.reading);
    let found = async {
        let turn = reading.acquire_owned().await;
        debug_assert!(turn.is_ok(), "the semaphore is never closed");
        // A thread that waits for a file keeps the turn.
        thread::run("findings", move || {
            let _turn = turn;
            let facts = facts(&context, &held, &live);
            drop(held);
            // Thousands of findings take too long to write for the thread of HTTP.
            json_text(&find(&source, &facts))
        })
        .await
    };
    match timeout(READ_TIMEOUT, found).await {
        Ok(Ok(found)) => ([(header::CONTENT_TYPE, "application/json")], found).into_response(),
        Ok(Err(error)) => refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "a file of the configuration does not answer\n",
        )
            .into_response(),
    }
}

/// What the server knows of the installation.
fn facts(context: &Context, report: &Report, live: &Live) -> Facts {
    let tally = &context.handle.tally;
    let mut server = ServerFacts::default();
    server.uptime = Some(tally.since.elapsed());
    server.connections = u64::try_from(report.connections).ok();
    server.refused = Some(tally.refused.load(Ordering::Relaxed));
    server.events = Some(report.engine.events);
    let mut facts = Facts::default();
    facts.server = Some(server);
    let counts = report.snapshot.metrics().iter().map(|metric| MetricCount {
        name: metric.settings().name.to_vec(),
        count: metric
            .series()
            .get(0)
            .map_or(0, |series| series.duration().count()),
    });
    facts.counts = Some(counts.collect());
    facts.filter_in_force = Some(live.handshake());
    facts.exporters = exporters(live);
    facts
}

fn exporters(live: &Live) -> Vec<ExporterFacts> {
    let exporters = live.exporters.iter().zip(live.exporters.too_large());
    let exporters = live.settings.exporters.iter().zip(exporters);
    let exporters = exporters.map(|(settings, ((name, queue), too_large))| {
        let status = queue.status();
        let counters = &status.counters;
        let dropped = DropReason::ALL.map(|reason| (reason.name(), counters.dropped(reason)));
        let dropped = dropped.into_iter().chain([(TOO_LARGE, too_large)]);
        let dropped = dropped.filter(|(_, count)| *count > 0);
        let mut facts = ExporterFacts::default();
        facts.name = name.to_string();
        facts.last_error = status.last_error.map(|error| error.message.to_string());
        facts.dropped = dropped
            .map(|(reason, count)| (reason.to_owned(), count))
            .collect();
        facts.waiting = status.waiting;
        facts.spool_bytes = status.spool_bytes;
        facts.spool_limit = settings.queue.level.spool().map(|spool| spool.bytes);
        facts
    });
    exporters.collect()
}

fn find(source: &Source, facts: &Facts) -> Value {
    let path = source.path.as_os_str().as_bytes();
    let loaded: Loaded = fantail_config::load(path, &FileSystem, &source.options());
    let findings = diagnose(facts, &loaded, &is_public);
    let count = |level| findings.iter().filter(|one| one.severity == level).count();
    let told: Vec<Value> = findings
        .iter()
        .map(|one| finding(one, &loaded.sources))
        .collect();
    json!({
        "findings": told,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "hints": count(Severity::Hint),
    })
}

/// Whether all users of this machine can read a file.
fn is_public(path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

fn finding(one: &Finding, sources: &Sources) -> Value {
    let place = one.primary.as_ref().map(|label| {
        let position = sources.position(label.span);
        json!({
            "file": String::from_utf8_lossy(sources.name(label.span.file)),
            "line": position.line,
            "column": position.column,
        })
    });
    let notes = one.notes.iter().map(|note| {
        let kind = match note.kind {
            NoteKind::Note => "note",
            NoteKind::Help => "help",
        };
        json!({ "kind": kind, "text": note.text })
    });
    json!({
        "code": one.code,
        "severity": one.severity.as_str(),
        "message": one.message,
        "at": place,
        "notes": notes.collect::<Vec<_>>(),
    })
}
