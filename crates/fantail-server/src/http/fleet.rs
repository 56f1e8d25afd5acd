//! `/api/v1/fleet`: the series that answer a question about many hosts.
//!
//! The answer is binary and has only the series of the question, so that a question to
//! thousands of hosts moves little; `fantail-fleet` has its form.

use std::io;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use fantail_exposition::takes_gzip;
use fantail_fleet::{Head, Question, select};
use flate2::{Compression, write::GzEncoder};

use super::{Context, busy, refused, streamed};
use crate::handle::metric_bytes;

pub(super) async fn answer(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let question = match Question::parse(query.as_deref().unwrap_or_default()) {
        Ok(question) => question,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let handle = context.handle;
    let held = match handle.held_report(false).await {
        Ok(held) => held,
        Err(error) => return refused(&error),
    };
    let plan = handle.live.borrow().plan.clone();
    let tally = &handle.tally;
    let head = Head {
        host: tally.hostname.to_vec(),
        version: env!("CARGO_PKG_VERSION").into(),
        instance: tally.instance,
        uptime_seconds: tally.since.elapsed().as_secs(),
        connections: held.connections as u64,
        share: None,
        events: held.engine.events,
    };
    // One metric at a time is selected and encoded.
    let metrics = held.snapshot.metrics().iter().map(metric_bytes);
    let working = handle
        .answers
        .reserve_anyway(metrics.max().unwrap_or_default());
    let accepted = headers.get(header::ACCEPT_ENCODING);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    let zipped = takes_gzip(accepted.unwrap_or_default());
    let made = streamed::answer(version, &handle.answers, move |out| {
        let _working = working;
        let selected = select(&question, &held.snapshot);
        let write = |out: &mut dyn io::Write| {
            let mut out = out;
            let filter = |metric: &fantail_metrics::MetricSettings| plan.filter_text(&metric.name);
            fantail_fleet::write(&head, &selected, filter, &mut out)
        };
        match zipped {
            false => write(out),
            true => {
                let mut encoder = GzEncoder::new(out, Compression::fast());
                write(&mut encoder)?;
                encoder.finish().map(drop)
            }
        }
    });
    let Some(body) = made.await else {
        return busy();
    };
    let content_type = (header::CONTENT_TYPE, "application/x-fantail-fleet");
    let vary = (header::VARY, "Accept-Encoding");
    let mut response = ([content_type, vary], body).into_response();
    if zipped {
        let gzip = HeaderValue::from_static("gzip");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, gzip);
    }
    response
}
