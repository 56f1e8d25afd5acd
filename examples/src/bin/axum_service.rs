//! A web service whose requests are counted, logged and exported by a configuration.
//!
//! `axum_service EXPORT_FILE` prints its address, answers `/hello/NAME` and `/metrics`, and
//! ends after `/quit`.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::{env, error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use fantail::{
    exposition::Format,
    metrics::{Instruments, Recorder},
    tracing::{LayerBuilder, LayerHandle},
};
use tokio::{net::TcpListener, sync::Notify};
use tracing::{Instrument as _, field::Empty, info, info_span};
use tracing_subscriber::prelude::*;

/// Requests by status, with a histogram of their durations; greetings go to a file.
fn config(export_file: &str) -> String {
    format!(
        "
metric requests {{
  filter = event=request
  group_by status {{
  }}
}}
metric request_durations {{
  filter = event=request AND NOT path=\"/metrics\"
  group_by duration {{
    method exponential {{
      base = 10
      min_magnitude = 3
      max_magnitude = 7
    }}
  }}
}}
event_exporter greetings {{
  format = json
  driver = file
  file_path = {export_file}
}}
metric greeted {{
  filter = message=greeted AND NOT name=nobody
  exporter = greetings
}}
"
    )
}

#[derive(Clone)]
struct Service {
    handle: LayerHandle,
    quit: Arc<Notify>,
}

async fn hello(Path(name): Path<String>) -> impl IntoResponse {
    let span = info_span!("request", path = "/hello", status = Empty);
    let answer = async {
        info!(name, "greeted");
        metrics::counter!("greetings_total").increment(1);
        format!("hello {name}\n")
    };
    let answer = answer.instrument(span.clone()).await;
    span.record("status", StatusCode::OK.as_u16());
    answer
}

/// Answers a scrape of Prometheus.
async fn scrape(State(service): State<Service>, headers: HeaderMap) -> impl IntoResponse {
    let _span = info_span!("request", path = "/metrics", status = 200).entered();
    let accept = headers.get(header::ACCEPT);
    let format = Format::negotiate(accept.and_then(|it| it.to_str().ok()).unwrap_or(""));
    let content_type = [(header::CONTENT_TYPE, format.content_type())];
    match service.handle.scrape(format, Vec::new()) {
        Ok(text) => (content_type, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn quit(State(service): State<Service>) {
    service.quit.notify_one();
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let export_file = env::args()
        .nth(1)
        .ok_or("usage: axum_service EXPORT_FILE")?;
    let instruments = Instruments::new();
    metrics::set_global_recorder(Recorder::new(instruments.clone()))?;
    let text = config(&export_file);
    let (layer, handle) = LayerBuilder::new(&text).instruments(instruments).build()?;
    tracing_subscriber::registry().with(layer).init();

    let quits = Arc::new(Notify::new());
    let service = Service {
        handle: handle.clone(),
        quit: Arc::clone(&quits),
    };
    let router = Router::new()
        .route("/hello/{name}", get(hello))
        .route("/metrics", get(scrape))
        .route("/quit", get(quit))
        .with_state(service);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let until_quit = async move { quits.notified().await };
    axum::serve(listener, router)
        .with_graceful_shutdown(until_quit)
        .await?;
    // The exports that still wait.
    let flushed =
        tokio::task::spawn_blocking(move || handle.flush(Duration::from_secs(60))).await?;
    println!("exports flushed: {flushed}");
    Ok(())
}
