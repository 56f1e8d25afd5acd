//! HTTP: scrapes, health, and the state of the server as JSON.
//!
//! Answers are rendered outside the workers; long answers while they are sent. A
//! client that does not read its answer, or does not finish its request, is cut
//! off. The number of connections is bounded: one more takes the seat of the client
//! that has been idle for the longest time. [`access`] decides who may ask. All
//! of it has one thread, so that handshakes of TLS do not hold up control. Answers that grow
//! with the configuration or the counts are made on threads of their own.

pub(crate) mod access;
pub(crate) mod api;
pub(crate) mod error;
mod fleet;
mod kept;
mod own_names;
mod reread;
pub(crate) mod scrape;
mod self_metrics;
mod snapshot;
mod stall_timeout;
pub(crate) mod streamed;
mod tls;
mod web;

use std::{
    io, net::TcpListener as StdTcpListener, os::unix::net::UnixListener as StdUnixListener,
    sync::Arc, thread::JoinHandle, time::Duration,
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
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    runtime::{Builder, Runtime},
    sync::{Semaphore, oneshot},
    time::timeout,
};

use self::{
    access::{Access, Door, Via},
    stall_timeout::StallTimeout,
    web::{FanOut, MAX_PAGES},
};
use crate::{
    ControlError, ControlErrorKind, Handle, Limits, Log,
    control::Source,
    process::turn::Turns,
    socket::{
        accept::pause,
        seats::{Seat, Seats},
        sockets::Bound,
    },
};

/// Seats for clients of the Unix socket, which clients over TCP cannot take.
const SOCKET_SEATS: usize = 16;

/// The answer to a person who asks for the root.
const ROUTES: &str = "\
fantail serve

/metrics               a scrape, in OpenMetrics or Prometheus text
/healthz               the server runs
/readyz                all workers answer
/api/v1/server         version, limits, connections
/api/v1/snapshot       all metrics as JSON; ?metric=NAME for one
/api/v1/metrics        settings of metrics
/api/v1/exporters      queues, errors and numbers of exporters
/api/v1/configuration  the configuration in force
/api/v1/fleet          series for `fantail fleet`, binary
";

/// The largest head of a request.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The state that all routes use.
#[derive(Debug, Clone)]
struct Context {
    handle: Handle,
    compat: bool,
    log: Log,
    /// The configuration's file.
    source: Source,
    /// Held while the configuration is read for a page: one at a time.
    reading: Arc<Semaphore>,
    /// The streams of pages, if there is a page.
    pages: Option<FanOut>,
}

/// What HTTP answers about, besides the handle.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Whether `/metrics` has the layout of Dovecot by default.
    pub(crate) compat: bool,
    /// The configuration's file.
    pub(crate) source: Source,
}

/// The listening sockets of HTTP.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) tcp: Vec<StdTcpListener>,
    /// A Unix socket, and its path.
    pub(crate) socket: Option<(StdUnixListener, Bound)>,
}

/// The thread of HTTP; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Dropped to end the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It waits for no client.
            let _ = thread.join();
        }
    }
}

/// Answers on all listeners until the result is dropped.
///
/// # Errors
/// The system refuses a socket or the thread.
pub(crate) fn serve(
    listeners: Listeners,
    access: Access,
    (handle, subject): (&Handle, Subject),
    limits: &Limits,
    log: &Log,
) -> io::Result<Serving> {
    if listeners.tcp.is_empty() && listeners.socket.is_none() {
        return Ok(Serving {
            stop: None,
            thread: None,
        });
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let has_page = access.has_page();
    let context = Context {
        handle: handle.clone(),
        compat: subject.compat,
        log: log.clone(),
        source: subject.source,
        reading: Arc::new(Semaphore::new(1)),
        pages: has_page.then(|| {
            let _entered = runtime.enter();
            FanOut::start(handle.clone(), log.clone())
        }),
    };
    let turns = Arc::clone(&handle.http_turns);
    serve_on(
        runtime,
        listeners,
        access,
        router(context),
        limits,
        log,
        turns,
    )
}

/// Answers other routes on all listeners until the result is dropped.
///
/// # Errors
/// The system refuses a socket or the thread.
#[cfg(feature = "nats")]
pub(crate) fn serve_routes(
    listeners: Listeners,
    access: Access,
    routes: Router,
    limits: &Limits,
    log: &Log,
) -> io::Result<Serving> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let turns = Arc::new(Turns::new(Arc::default()));
    serve_on(runtime, listeners, access, routes, limits, log, turns)
}

fn serve_on(
    runtime: Runtime,
    listeners: Listeners,
    access: Access,
    router: Router,
    limits: &Limits,
    log: &Log,
    turns: Arc<Turns>,
) -> io::Result<Serving> {
    let addresses = listeners.tcp.iter().map(StdTcpListener::local_addr);
    let addresses: Vec<_> = addresses.filter_map(Result::ok).collect();
    access.warn_of_plain_tokens(&addresses, log);
    let has_page = access.has_page();
    let served = Served {
        router,
        access: Arc::new(access),
        // Pages take no seats from scrapers.
        page_seats: if has_page { MAX_PAGES } else { 0 },
        seats: Seats::new(limits.scrapers + if has_page { MAX_PAGES } else { 0 }),
        stalled: limits.stalled,
        log: log.clone(),
        turns,
    };
    accept_on(listeners, &served, &runtime)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("http".to_owned());
    let thread = thread.spawn(move || {
        // Its sender sends nothing.
        let _ = runtime.block_on(stopped);
        // A scraper that does not read must not delay the end.
        runtime.shutdown_background();
    })?;
    Ok(Serving {
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// Starts to accept, and to read the files of HTTP again.
fn accept_on(listeners: Listeners, served: &Served, runtime: &Runtime) -> io::Result<()> {
    let _entered = runtime.enter();
    for listener in listeners.tcp {
        let listener = TcpListener::from_std(listener)?;
        let served = served.clone();
        served.turns.clone().spawn(async move {
            loop {
                let accepted = listener.accept().await;
                let accepted = accepted.map(|(stream, _)| stream);
                served.take(accepted, Served::over_tcp).await;
            }
        });
    }
    if let Some((listener, bound)) = listeners.socket {
        let listener = UnixListener::from_std(listener)?;
        let served = Served {
            seats: Seats::new(SOCKET_SEATS + served.page_seats),
            ..served.clone()
        };
        served.turns.clone().spawn(async move {
            // Removed with the task.
            let _bound = bound;
            loop {
                let accepted = listener.accept().await;
                let accepted = accepted.map(|(stream, _)| stream);
                served.take(accepted, Served::over_socket).await;
            }
        });
    }
    let access = Arc::clone(&served.access);
    served.turns.spawn(access.keep_reading(served.log.clone()));
    Ok(())
}

/// The state of all listeners.
#[derive(Debug, Clone)]
struct Served {
    router: Router,
    access: Arc<Access>,
    seats: Seats,
    page_seats: usize,
    stalled: Duration,
    log: Log,
    /// Measures how long a task has the thread.
    turns: Arc<Turns>,
}

impl Served {
    /// Serves an accepted connection, if it gets a seat.
    async fn take<S, F>(&self, accepted: io::Result<S>, serve: impl FnOnce(Self, S, Arc<Seat>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => return pause(&error, &self.log).await,
        };
        let Some(seat) = self.seats.take().map(Arc::new) else {
            return;
        };
        let served = serve(self.clone(), stream, Arc::clone(&seat));
        self.turns.spawn(async move {
            tokio::select! {
                () = seat.lost() => {}
                () = served => {}
            }
        });
    }

    async fn over_tcp(self, stream: TcpStream, seat: Arc<Seat>) {
        let Some(tls) = self.access.tls() else {
            let stream = StallTimeout::new(stream, self.stalled);
            return self.converse(stream, Via::Tcp, seat).await;
        };
        if let Some(stream) = tls.accept(stream, self.stalled).await {
            self.converse(stream, Via::Tcp, seat).await;
        }
    }

    async fn over_socket(self, stream: UnixStream, seat: Arc<Seat>) {
        let stream = StallTimeout::new(stream, self.stalled);
        self.converse(stream, Via::Socket, seat).await;
    }

    /// Serves a connection until it ends.
    async fn converse<S>(&self, stream: S, via: Via, seat: Arc<Seat>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let access = Arc::clone(&self.access);
        let router = self.router.clone();
        let router = router
            .layer(from_fn_with_state(Door { access, via }, access::guard))
            .layer(from_fn_with_state(seat, kept::keep_seat));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        http.header_read_timeout(self.stalled);
        http.max_buf_size(MAX_HEAD_BYTES);
        let _ = http
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
            .await;
    }
}

fn router(context: Context) -> Router {
    let first = match context.pages {
        Some(_) => web::router(),
        None => Router::new().route("/", get(|| async { ROUTES })),
    };
    first
        .route("/metrics", get(scrape::metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/snapshot", get(snapshot::answer))
        .route("/api/v1/metrics", get(api::metrics))
        .route("/api/v1/configuration", get(api::configuration))
        .route("/api/v1/fleet", get(fleet::answer))
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
pub(crate) fn busy() -> Response {
    refused(&ControlErrorKind::Busy.into())
}

/// The answer if workers do not answer, or the server ends.
pub(crate) fn unavailable() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
}

/// An answer with this content type.
fn answer(content_type: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}
