//! HTTP: scrapes, health, and what is going on as JSON.
//!
//! Everything is rendered off the workers; scrapes, which can be long, while
//! they are sent. A client that does not take its answer, or does not finish
//! its request, is cut off; there are only so many at a time.

mod api;
mod paced;
mod scrape;
mod self_metrics;
mod streamed;

use std::{io, net::TcpListener as StdTcpListener, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use self::paced::Paced;
use crate::{Handle, Limits, Log, socket::accept::pause};

/// The longest head of a request.
const HEAD: usize = 16 * 1024;

/// What all answers are made from.
#[derive(Debug, Clone)]
struct Context {
    handle: Handle,
    compat: bool,
}

/// Answers on all listeners until the runtime ends.
pub(crate) fn serve(
    listeners: Vec<StdTcpListener>,
    handle: &Handle,
    compat: bool,
    limits: &Limits,
    log: &Log,
) -> io::Result<()> {
    let router = router(Context {
        handle: handle.clone(),
        compat,
    });
    let room = Arc::new(Semaphore::new(limits.scrapers));
    for listener in listeners {
        let listener = TcpListener::from_std(listener)?;
        let (router, room, log) = (router.clone(), Arc::clone(&room), log.clone());
        let stalled = limits.stalled;
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                            continue;
                        };
                        let router = router.clone();
                        tokio::spawn(async move {
                            converse(stream, router, stalled).await;
                            drop(place);
                        });
                    }
                    Err(error) => pause(&error, &log).await,
                }
            }
        });
    }
    Ok(())
}

/// Serves a connection. That it breaks off is its own affair.
async fn converse(stream: TcpStream, router: Router, stalled: Duration) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    http.header_read_timeout(stalled);
    http.max_buf_size(HEAD);
    let stream = TokioIo::new(Paced::new(stream, stalled));
    let _ = http
        .serve_connection(stream, TowerToHyperService::new(router))
        .await;
}

fn router(context: Context) -> Router {
    Router::new()
        .route("/metrics", get(scrape::metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/snapshot", get(api::snapshot))
        .route("/api/v1/metrics", get(api::metrics))
        .route("/api/v1/configuration", get(api::configuration))
        .route("/api/v1/exporters", get(api::exporters))
        .route("/api/v1/server", get(api::server))
        .with_state(context)
}

/// Whether all workers can be asked.
async fn ready(State(context): State<Context>) -> Response {
    const PATIENCE: Duration = Duration::from_secs(2);
    match timeout(PATIENCE, context.handle.is_whole()).await {
        Ok(Some(true)) => "ready\n".into_response(),
        _ => unavailable(),
    }
}

/// The server is about to end.
fn unavailable() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
}

/// An answer with this type.
fn answer(content_type: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}
