//! `/metrics`: scrapes.

use std::{io, sync::atomic::Ordering};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, Version, header},
    response::{IntoResponse, Response},
};
use fantail_exposition::{Exposition, ExpositionOptions, Format, dovecot, takes_gzip};
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;

use super::{Context, busy, refused, self_metrics, streamed};
use crate::{handle::Handle, worker::Report};

/// The query of a scrape.
#[derive(Debug, Deserialize)]
pub(crate) struct Parameters {
    /// `openmetrics`, `prometheus`, `protobuf` or `dovecot`; without it, `Accept` decides.
    format: Option<String>,
    /// `yes` adds `_created` to OpenMetrics. Prometheus 2 stores each as a series.
    created: Option<String>,
}

/// The layout of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Standard(Format),
    Dovecot,
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// Returns the layout that a scraper wants.
pub(crate) fn layout(parameters: &Parameters, headers: &HeaderMap, compat: bool) -> Layout {
    match parameters.format.as_deref() {
        Some("dovecot") => Layout::Dovecot,
        Some("openmetrics") => Layout::Standard(Format::OpenMetrics),
        Some("prometheus") => Layout::Standard(Format::Prometheus),
        Some("protobuf") => Layout::Standard(Format::Protobuf),
        _ if compat => Layout::Dovecot,
        _ => Layout::Standard(Format::negotiate(text(headers, header::ACCEPT))),
    }
}

pub(super) async fn metrics(
    State(context): State<Context>,
    Query(parameters): Query<Parameters>,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let layout = layout(&parameters, &headers, context.compat);
    let created = parameters.created.as_deref() == Some("yes");
    let zipped = takes_gzip(text(&headers, header::ACCEPT_ENCODING));
    let held = match context.handle.held_report(false).await {
        Ok(held) => held,
        Err(error) => return refused(&error),
    };
    let handle = context.handle.clone();
    handle.tally.scrapes.fetch_add(1, Ordering::Relaxed);
    let made = streamed::answer(version, &context.handle.answers, move |out| match zipped {
        false => render(&held, &handle, (layout, created), out),
        true => {
            let mut encoder = GzEncoder::new(out, Compression::fast());
            render(&held, &handle, (layout, created), &mut encoder)?;
            encoder.finish().map(drop)
        }
    });
    let Some(body) = made.await else {
        return busy();
    };
    let content_type = match layout {
        Layout::Standard(format) => format.content_type(),
        Layout::Dovecot => dovecot::CONTENT_TYPE,
    };
    let mut response = ([(header::CONTENT_TYPE, content_type)], body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Accept-Encoding"),
    );
    if zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn render(
    whole: &Report,
    handle: &Handle,
    (layout, created): (Layout, bool),
    out: &mut impl io::Write,
) -> io::Result<()> {
    match layout {
        Layout::Dovecot => {
            let process = dovecot::Process {
                started: handle.tally.started,
                version: concat!("fantail ", env!("CARGO_PKG_VERSION")),
                revision: None,
            };
            dovecot::write(&whole.snapshot, &process, out)
        }
        Layout::Standard(format) => {
            let is_created = created || format == Format::Protobuf;
            let options = ExpositionOptions::new(format);
            write_metrics(whole, handle, (options, is_created), out)
        }
    }
}

/// Writes the metrics of the server, and those of its configuration, if wanted with the times
/// when their counting began.
pub(crate) fn write_metrics(
    whole: &Report,
    handle: &Handle,
    (options, is_created): (ExpositionOptions, bool),
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut answer = Exposition::new(out, options);
    answer.count_since(Some(handle.tally.started).filter(|_| is_created));
    self_metrics::write(whole, handle, &mut answer)?;
    answer.count_since(whole.counted_since.filter(|_| is_created));
    answer.snapshot(&whole.snapshot)?;
    // Metrics with names such as `log/all` are left out without a message.
    answer.finish().map(drop)
}
