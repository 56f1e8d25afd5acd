//! `/api/v1/…`: the state of the server as JSON.
//!
//! Bytes that are not UTF-8 are replaced. Targets of exporters are left out: URLs may have
//! passwords.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use axum::{
    extract::State,
    http::{Version, header},
    response::{IntoResponse, Response},
};
use fantail_config::{Metric, write_metric};
use fantail_metrics::Top;
use fantail_transport::DropReason;
use serde_json::{Value, json};

use super::{Context, answer, busy, streamed, unavailable};
use crate::{Handle, exporters::TOO_LARGE, handle::Live, worker::Report};

/// Answers with JSON.
pub(crate) fn json_answer(value: &Value) -> Response {
    answer("application/json", json_text(value))
}

/// Returns the text of JSON, with a line end.
pub(crate) fn json_text(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn texts(all: &[Vec<u8>]) -> Vec<String> {
    all.iter().map(|bytes| text(bytes)).collect()
}

fn live(context: &Context) -> Arc<Live> {
    Arc::clone(&context.handle.live.borrow())
}

/// Returns the answer that `write` writes on a thread of its own: the answer grows with
/// the configuration or the counts.
async fn streamed_json(
    context: &Context,
    version: Version,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()> + Send + 'static,
) -> Response {
    let made = streamed::answer(version, &context.handle.answers, |mut out| {
        write(&mut out)?;
        out.write_all(b"\n")
    });
    match made.await {
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => busy(),
    }
}

/// The metrics of the configuration in force.
pub(super) async fn metrics(State(context): State<Context>, version: Version) -> Response {
    let live = live(&context);
    let write = move |out: &mut dyn io::Write| {
        let configured = live.settings.metrics.len() - live.added;
        out.write_all(b"{\"metrics\":[")?;
        for (at, metric) in live.settings.metrics.iter().enumerate() {
            if at > 0 {
                out.write_all(b",")?;
            }
            write!(out, "{}", metric_value(metric, at >= configured))?;
        }
        out.write_all(b"]}")
    };
    streamed_json(&context, version, write).await
}

fn metric_value(metric: &Metric, was_added: bool) -> Value {
    let settings = &metric.settings;
    let levels = settings.group_by.iter();
    let exporters = metric.exporters.iter();
    let exporters: Vec<_> = exporters.map(|name| text(&name.value)).collect();
    json!({
        "name": text(&settings.name),
        "description": text(&settings.description),
        "filter": metric.filter.to_string(),
        "fields": texts(&settings.fields),
        "group_by": levels.map(|level| text(&level.field)).collect::<Vec<_>>(),
        "top": settings.top.as_ref().map(top_value),
        "exporter": (!exporters.is_empty()).then(|| exporters.join(" ")),
        "exporters": exporters,
        "expose": metric.rules.exposed,
        "series_limit": metric.rules.series_limit,
        "added_at_run_time": was_added,
    })
}

/// The settings of heavy hitters.
fn top_value(top: &Top) -> Value {
    json!({
        "field": text(top.field()),
        "weight": top.weight().map(text),
        "shown": top.shown(),
        "counters": top.counters(),
    })
}

/// The configuration in force.
pub(super) async fn configuration(State(context): State<Context>, version: Version) -> Response {
    let live = live(&context);
    let write = move |out: &mut dyn io::Write| {
        let settings = &live.settings;
        let mut blocks = Vec::new();
        for metric in &settings.metrics {
            write_metric(metric, settings.dialect, &mut blocks);
        }
        let exporters = settings.exporters.iter();
        let value = json!({
            "dialect": settings.dialect.to_string(),
            "base_dir": settings.base_dir.as_ref().map(|dir| text(&dir.value)),
            "filter_sent_to_clients": text(&live.handshake()),
            "metrics_as_text": text(&blocks),
            "exporters": exporters.map(|exporter| text(&exporter.name)).collect::<Vec<_>>(),
        });
        write!(out, "{value}")
    };
    streamed_json(&context, version, write).await
}

fn unix_micros(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

/// The exporters, and the counts of their events.
pub(super) async fn exporters(State(context): State<Context>) -> Response {
    json_answer(&json!({ "exporters": exporters_value(&live(&context)) }))
}

/// Returns a list of the exporters.
pub(super) fn exporters_value(live: &Live) -> Vec<Value> {
    let exporters = live.exporters.iter().zip(live.exporters.too_large());
    let exporters = live.settings.exporters.iter().zip(exporters);
    let exporters = exporters.map(|(settings, ((name, queue), too_large))| {
        let status = queue.status();
        let last_error = status.last_error.as_ref();
        let counters = status.counters;
        let dropped = DropReason::ALL.map(|reason| (reason.name(), counters.dropped(reason)));
        let mut dropped: BTreeMap<_, _> = dropped.into_iter().collect();
        dropped.insert(TOO_LARGE, too_large);
        json!({
            "name": name,
            "transport": settings.transport.name(),
            "queued": counters.queued,
            "recovered": counters.recovered,
            "sent": counters.sent,
            "sent_bytes": counters.sent_bytes,
            "shortened": status.shortened,
            "retried": counters.retried,
            "failures": counters.failures,
            "dropped": dropped,
            "waiting": status.waiting,
            "spool_bytes": status.spool_bytes,
            "spool_limit_bytes": settings.queue.level.spool().map(|spool| spool.bytes),
            "oldest_seconds": status.oldest.map(|age| age.as_secs_f64()),
            "last_error": last_error.map(|error| &error.message),
            "last_error_unix_us": last_error.map(|error| unix_micros(error.time)),
        })
    });
    exporters.collect()
}

/// The server itself.
pub(super) async fn server(State(context): State<Context>, version: Version) -> Response {
    let Ok(whole) = context.handle.report(false).await else {
        return unavailable();
    };
    let handle = context.handle.clone();
    // The thread frees the snapshot, too.
    let write = move |out: &mut dyn io::Write| write!(out, "{}", server_value(&handle, &whole));
    streamed_json(&context, version, write).await
}

/// Returns the state of the server.
pub(super) fn server_value(handle: &Handle, whole: &Report) -> Value {
    let tally = &handle.tally;
    let errors: BTreeMap<_, _> = whole.intake.errors.iter().collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started_unix_us": tally.started.unix_micros(),
        "uptime_seconds": tally.since.elapsed().as_secs(),
        "workers": whole.workers,
        "connections": whole.connections,
        "accepted": whole.intake.accepted,
        "refused": tally.refused.load(Ordering::Relaxed),
        "scrapes": tally.scrapes.load(Ordering::Relaxed),
        "held_bytes": whole.held,
        "read_bytes": whole.intake.bytes,
        "read_lines": whole.intake.lines,
        "events": whole.engine.events,
        "matched_events": whole.engine.matched,
        "protocol_errors": errors,
    })
}
