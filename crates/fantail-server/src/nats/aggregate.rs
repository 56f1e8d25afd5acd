//! An aggregate: the counts of all hosts, read from the stream, with answers over HTTP.

use std::{io, net::SocketAddr, net::TcpListener, sync::Arc, time::Duration};

use fantail_fleet::counts::{Aggregator, AggregatorLimits, PartRange};
use tokio::runtime::{Builder, Runtime};

use super::{
    NatsOptions, answers,
    connection::Connection,
    folding::{FoldOptions, Folding},
    reader::{Reader, Shared},
    source::Source,
};
use crate::{
    HttpAccess, Limits, Log, ServerError, ServerErrorKind,
    http::{self, access::Access},
    memory::{Memory, Part},
    process::signals::{Caught, Signals},
    process::thread,
};

/// How long files of HTTP may take to read.
const FILES_TIMEOUT: Duration = Duration::from_secs(10);

/// The options of an aggregate.
#[derive(Debug, Clone)]
pub struct AggregateOptions {
    /// The broker and the cluster.
    pub nats: NatsOptions,
    /// The replicas of the stream, if it is created.
    pub replicas: u32,
    /// The address of HTTP.
    pub http: SocketAddr,
    /// Who may ask over HTTP.
    pub http_access: HttpAccess,
    /// The host name.
    pub hostname: Vec<u8>,
    /// The limits of what is read.
    pub limits: AggregatorLimits,
    /// The parts that are read.
    pub parts: PartRange,
    /// Whether, and when, ended runs are folded; only with all parts.
    pub fold: Option<FoldOptions>,
    /// The bytes that answers may take.
    pub memory: usize,
    /// Whether SIGTERM and SIGINT end it.
    pub signals: bool,
    /// The log.
    pub log: Log,
}

/// An aggregate whose socket is bound.
#[derive(Debug)]
pub struct Aggregate {
    options: AggregateOptions,
    runtime: Runtime,
    signals: Signals,
    listener: TcpListener,
    access: Access,
}

impl Aggregate {
    /// Binds the address of HTTP.
    ///
    /// # Errors
    /// The address cannot be bound, or a file of HTTP cannot be read.
    pub fn start(options: AggregateOptions) -> Result<Self, ServerError> {
        let system = |error| ServerError::new(ServerErrorKind::System, error);
        let settings = options.http_access.clone();
        let hostname = String::from_utf8_lossy(&options.hostname).into_owned();
        let access = thread::run_within("http-files", FILES_TIMEOUT, move || {
            Access::new(&settings, &hostname)
        })?;
        let access = access.map_err(|error| ServerError::new(ServerErrorKind::System, error))?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _runtime = runtime.enter();
            Signals::new(options.signals)?
        };
        let listener = TcpListener::bind(options.http).map_err(|error| {
            system(io::Error::new(
                error.kind(),
                format!("{}: {error}", options.http),
            ))
        })?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            options,
            runtime,
            signals,
            listener,
            access,
        })
    }

    /// Returns the address of HTTP.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Reads and answers until a signal ends it.
    ///
    /// # Errors
    /// The options of the broker are wrong, or the system refuses a socket or thread.
    pub fn run(self) -> Result<(), ServerError> {
        let Self {
            options,
            runtime,
            mut signals,
            listener,
            access,
        } = self;
        let mut aggregator = Aggregator::new(options.limits, options.parts);
        if options.fold.is_some() {
            aggregator.note_removable();
        }
        let shared = Shared::new(aggregator);
        let memory = Memory::new(options.memory).budget(Part::Answers);
        let listeners = http::Listeners {
            tcp: vec![listener],
            socket: None,
        };
        let source = Source::new(Arc::clone(&shared));
        let cluster = &options.nats.cluster;
        let routes = answers::router(source, memory, &options.hostname, cluster);
        let limits = Limits::default();
        let http = http::serve_routes(listeners, access, routes, &limits, &options.log)?;
        let served = runtime.block_on(async {
            let opened = Connection::open(&options.nats, &options.hostname, &options.log).await;
            let connection = opened?;
            let reader = Reader {
                options: options.nats.clone(),
                replicas: options.replicas,
                connection: connection.clone(),
                shared: Arc::clone(&shared),
                log: options.log.clone(),
            };
            let folding = options.fold.map(|fold| {
                let log = options.log.clone();
                Folding::new(options.nats, fold, (connection, shared), log)
            });
            tokio::select! {
                () = reader.run() => {}
                () = folded(folding) => {}
                () = stopped(&mut signals) => {}
            }
            Ok(())
        });
        drop(http);
        runtime.shutdown_timeout(Duration::from_millis(100));
        served
    }
}

/// Folds for ever, or waits.
async fn folded(folding: Option<Folding>) {
    match folding {
        Some(folding) => folding.run().await,
        None => std::future::pending().await,
    }
}

/// Waits for the signal to stop.
async fn stopped(signals: &mut Signals) {
    while signals.next().await != Caught::Stop {}
}
