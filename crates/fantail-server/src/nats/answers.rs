//! The routes of an aggregate: the sum of all hosts.
//!
//! An answer is made by a thread of its own. Until all messages were read, the answer is 503.

use std::{io, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Query, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, Version, header},
    response::{IntoResponse, Response},
    routing::get,
};
use fantail_exposition::{Exposition, ExpositionOptions, Family, Format, Kind};
use fantail_fleet::{Head, Question, Share, Summed, counts::PartRange, select};
use fantail_metrics::MetricSettings;
use serde_json::json;

use super::{
    publish::random_run,
    source::{Source, Status},
};
use crate::{
    handle::snapshot_bytes,
    http::{
        api::json_answer,
        busy,
        scrape::{Layout, Parameters, layout},
        streamed, unavailable,
    },
    memory::{Budget, Reservation},
    process::thread,
};

/// The answer to a person who asks for the root.
const ROUTES: &str = "\
fantail aggregate

/metrics           a scrape of the sum of all hosts
/healthz           the process runs
/readyz            all messages of the stream were read
/api/v1/aggregate  whether the sum is complete, and which hosts are behind
/api/v1/fleet      series for `fantail fleet`, binary
";

/// Says in each answer whether it has all that hosts have published.
const COMPLETE: &str = "fantail-complete";

#[derive(Debug, Clone)]
struct Context {
    source: Source,
    memory: Budget,
    host: Arc<[u8]>,
    cluster: Arc<[u8]>,
    since: Instant,
    instance: [u8; 16],
}

/// The sum of all hosts, and its memory.
struct Held {
    summed: Summed,
    status: Status,
    _memory: Reservation,
}

/// Returns the routes of an aggregate: `host` is its name, `cluster` that of the cluster.
pub(super) fn router(source: Source, memory: Budget, host: &[u8], cluster: &[u8]) -> Router {
    let context = Context {
        source,
        memory,
        host: host.into(),
        cluster: cluster.into(),
        since: Instant::now(),
        instance: random_run().to_be_bytes(),
    };
    Router::new()
        .route("/", get(|| async { ROUTES }))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/aggregate", get(status))
        .route("/api/v1/fleet", get(fleet))
        .with_state(context)
}

impl Context {
    /// Adds up the counts of all hosts.
    async fn held(&self) -> Result<Held, Response> {
        if !self.source.is_ready() {
            return Err(unavailable());
        }
        if self.memory.is_full() {
            return Err(busy());
        }
        let source = self.source.clone();
        let added = thread::run("totals", move || (source.status(), source.totals())).await;
        let (status, totals) = added.map_err(|_| unavailable())?;
        let bytes = snapshot_bytes(&totals.summed.snapshot);
        Ok(Held {
            summed: totals.summed,
            status,
            _memory: self.memory.reserve_anyway(bytes),
        })
    }
}

/// Says in each answer which parts it has.
const PARTS: &str = "fantail-parts";

/// Adds whether the answer is complete, and which parts it has.
fn marked(mut response: Response, status: (bool, PartRange)) -> Response {
    let (is_complete, parts) = status;
    let value = HeaderValue::from_static(if is_complete { "yes" } else { "no" });
    response.headers_mut().insert(COMPLETE, value);
    if let Ok(parts) = HeaderValue::from_str(&parts.to_string()) {
        response.headers_mut().insert(PARTS, parts);
    }
    response
}

async fn ready(State(context): State<Context>) -> Response {
    match context.source.is_ready() {
        true => "ready\n".into_response(),
        false => unavailable(),
    }
}

async fn status(State(context): State<Context>) -> Response {
    let status = context.source.status();
    let is_complete = status.is_complete() && context.source.is_ready();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let behind = status.completeness.behind.iter().map(|one| {
        json!({
            "host": text(&one.host),
            "run": format!("{:032x}", one.run),
            "part": one.part,
            "held": one.held,
            "wanted": one.wanted,
        })
    });
    let limited = status.completeness.limited.iter();
    let limited = limited.map(|(host, refused)| json!({ "host": text(host), "refused": refused }));
    let stale = status.completeness.stale.iter().map(|host| text(host));
    let [open, stale_runs, closed] = status.runs;
    let (folded, incomplete) = status.folded;
    json_answer(&json!({
        "complete": is_complete,
        "ready": context.source.is_ready(),
        "behind_the_broker": status.is_behind,
        "behind": behind.collect::<Vec<_>>(),
        "stale_hosts": stale.collect::<Vec<_>>(),
        "limited_hosts": limited.collect::<Vec<_>>(),
        "runs": { "open": open, "stale": stale_runs, "closed": closed },
        "folded_runs": { "all": folded, "incomplete": incomplete },
        "parts": status.parts.to_string(),
        "series": status.series,
        "sequence": status.sequence,
        "refused_messages": status.refused,
    }))
}

async fn metrics(
    State(context): State<Context>,
    Query(parameters): Query<Parameters>,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let format = match layout(&parameters, &headers, false) {
        Layout::Standard(format) => format,
        Layout::Dovecot => return (StatusCode::BAD_REQUEST, "no format=dovecot\n").into_response(),
    };
    let held = match context.held().await {
        Ok(held) => held,
        Err(refused) => return refused,
    };
    let status = (held.status.is_complete(), held.status.parts);
    let made = streamed::answer(version, &context.memory, move |out| {
        render(&held, format, out)
    });
    let Some(body) = made.await else {
        return busy();
    };
    let content_type = (header::CONTENT_TYPE, format.content_type());
    marked(([content_type], body).into_response(), status)
}

fn render(held: &Held, format: Format, out: &mut impl io::Write) -> io::Result<()> {
    let gauge = |name, help| Family {
        name,
        kind: Kind::Gauge,
        help,
        unit: None,
    };
    let status = &held.status;
    let mut answer = Exposition::new(out, ExpositionOptions::new(format));
    let complete = gauge(
        "fantail_aggregate_complete",
        "Whether the sum has all that hosts have published",
    );
    answer.family(&complete, |samples| {
        samples.add(&[], u64::from(status.is_complete()))
    })?;
    let runs = gauge("fantail_aggregate_runs", "Runs of hosts");
    answer.family(&runs, |samples| {
        for (state, count) in ["open", "stale", "closed"].iter().zip(status.runs) {
            samples.add(&[("state", state)], count)?;
        }
        Ok(())
    })?;
    for (name, help, number) in [
        (
            "fantail_aggregate_folded_runs",
            "Runs of hosts that have ended, and are kept as a sum",
            status.folded.0,
        ),
        (
            "fantail_aggregate_series",
            "Series of all runs",
            status.series as u64,
        ),
        (
            "fantail_aggregate_sequence",
            "The last message that was read",
            status.sequence,
        ),
        (
            "fantail_aggregate_refused_messages",
            "Messages that are damaged, of a later format, or not of their host",
            status.refused,
        ),
    ] {
        answer.family(&gauge(name, help), |samples| samples.add(&[], number))?;
    }
    answer.snapshot(&held.summed.snapshot)?;
    answer.finish().map(drop)
}

async fn fleet(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
    version: Version,
) -> Response {
    let question = match Question::parse(query.as_deref().unwrap_or_default()) {
        Ok(question) => question,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let held = match context.held().await {
        Ok(held) => held,
        Err(refused) => return refused,
    };
    let [open, ..] = held.status.runs;
    let head = Head {
        host: context.host.to_vec(),
        version: env!("CARGO_PKG_VERSION").into(),
        instance: context.instance,
        uptime_seconds: context.since.elapsed().as_secs(),
        connections: open,
        events: 0,
        share: Some(Share {
            cluster: context.cluster.to_vec(),
            parts: held.status.parts,
            is_complete: held.status.is_complete(),
        }),
    };
    let status = (held.status.is_complete(), held.status.parts);
    let made = streamed::answer(version, &context.memory, move |out| {
        let metrics = held.summed.snapshot.metrics().iter();
        let filters: std::collections::HashMap<&[u8], &[u8]> = metrics
            .zip(&held.summed.sources)
            .map(|(metric, (filter, _))| (metric.settings().name.as_slice(), filter.as_slice()))
            .collect();
        let filter = |metric: &MetricSettings| {
            let filter = filters.get(metric.name.as_slice());
            filter.copied().unwrap_or_default().to_vec()
        };
        let selected = select(&question, &held.summed.snapshot);
        let mut out = out;
        fantail_fleet::write(&head, &selected, filter, &mut out)
    });
    let Some(body) = made.await else {
        return busy();
    };
    let content_type = (header::CONTENT_TYPE, "application/x-fantail-fleet");
    marked(([content_type], body).into_response(), status)
}
