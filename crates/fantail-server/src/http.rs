//! HTTP: scrapes, health, and the state of the server as JSON.
//!
//! Answers are rendered outside the workers; long answers while they are sent. A
//! client that does not read its answer, or does not finish its request, is cut
//! off. The number of connections is bounded. [`access`] decides who may ask.

pub(crate) mod access;
mod api;
mod scrape;
mod self_metrics;
mod snapshot;
mod stall_timeout;
mod streamed;

use std::{
    io, net::TcpListener as StdTcpListener, os::unix::net::UnixListener as StdUnixListener,
    sync::Arc, time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
    time::timeout,
};

use self::{
    access::{Access, Door, Via},
    stall_timeout::StallTimeout,
};
use crate::{
    ControlError, ControlErrorKind, Handle, Limits, Log,
    socket::{accept::pause, sockets::Bound},
};

/// The largest head of a request.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The state that all routes use.
#[derive(Debug, Clone)]
struct Context {
    handle: Handle,
    compat: bool,
}

/// The listening sockets of HTTP.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) tcp: Vec<StdTcpListener>,
    /// A Unix socket, and its path.
    pub(crate) socket: Option<(StdUnixListener, Bound)>,
}

/// Answers on all listeners until the runtime ends.
pub(crate) fn serve(
    listeners: Listeners,
    access: Access,
    (handle, compat): (&Handle, bool),
    limits: &Limits,
    log: &Log,
) -> io::Result<()> {
    let access = Arc::new(access);
    let router = |via| {
        let context = Context {
            handle: handle.clone(),
            compat,
        };
        let access = Arc::clone(&access);
        router(context).layer(from_fn_with_state(Door { access, via }, access::guard))
    };
    let served = Served {
        places: Arc::new(Semaphore::new(limits.scrapers)),
        stalled: limits.stalled,
        log: log.clone(),
    };
    for listener in listeners.tcp {
        let listener = TcpListener::from_std(listener)?;
        let (router, served) = (router(Via::Tcp), served.clone());
        tokio::spawn(async move {
            loop {
                let accepted = listener.accept().await;
                served
                    .take(accepted.map(|(stream, _)| stream), &router)
                    .await;
            }
        });
    }
    if let Some((listener, bound)) = listeners.socket {
        let listener = UnixListener::from_std(listener)?;
        let (router, served) = (router(Via::Socket), served);
        tokio::spawn(async move {
            // Removed with the task.
            let _bound = bound;
            loop {
                let accepted = listener.accept().await;
                served
                    .take(accepted.map(|(stream, _)| stream), &router)
                    .await;
            }
        });
    }
    Ok(())
}

/// The state of all listeners.
#[derive(Debug, Clone)]
struct Served {
    places: Arc<Semaphore>,
    stalled: Duration,
    log: Log,
}

impl Served {
    /// Serves an accepted connection, if there are not too many.
    async fn take<S>(&self, accepted: io::Result<S>, router: &Router)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => return pause(&error, &self.log).await,
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let (router, stalled) = (router.clone(), self.stalled);
        tokio::spawn(async move {
            converse(stream, router, stalled).await;
            drop(place);
        });
    }
}

/// Serves a connection until it ends.
async fn converse<S>(stream: S, router: Router, stalled: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    http.header_read_timeout(stalled);
    http.max_buf_size(MAX_HEAD_BYTES);
    let stream = TokioIo::new(StallTimeout::new(stream, stalled));
    let _ = http
        .serve_connection(stream, TowerToHyperService::new(router))
        .await;
}

fn router(context: Context) -> Router {
    Router::new()
        .route("/metrics", get(scrape::metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/snapshot", get(snapshot::answer))
        .route("/api/v1/metrics", get(api::metrics))
        .route("/api/v1/configuration", get(api::configuration))
        .route("/api/v1/exporters", get(api::exporters))
        .route("/api/v1/server", get(api::server))
        .with_state(context)
}

/// Answers whether all workers answer.
async fn ready(State(context): State<Context>) -> Response {
    const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
    match timeout(ANSWER_TIMEOUT, context.handle.all_answer()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        _ => unavailable(),
    }
}

/// The answer to a request that was not carried out.
fn refused(error: &ControlError) -> Response {
    if error.kind() != ControlErrorKind::Busy {
        return unavailable();
    }
    let later = [(header::RETRY_AFTER, "10")];
    (StatusCode::SERVICE_UNAVAILABLE, later, format!("{error}\n")).into_response()
}

/// The answer if there is no memory for an answer as a whole.
fn busy() -> Response {
    refused(&ControlErrorKind::Busy.into())
}

/// The answer if workers do not answer, or the server ends.
fn unavailable() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
}

/// An answer with this content type.
fn answer(content_type: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}
