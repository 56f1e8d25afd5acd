//! A server from its start to its end.

mod run;

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use fantail_engine::Plan;
use fantail_format::EventIds;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot, watch},
};

use self::run::Run;
use crate::{
    Exporters, FileLimit, Handle, Options, Site, StateFile,
    control::{Control, Source},
    handle::{Live, Order, Tally},
    http,
    process::clock,
    process::privileges,
    process::sd_notify::Manager,
    socket::accept::{Dispatcher, Purpose},
    socket::addresses::Addresses,
    socket::greeting::filter_line,
    socket::listeners::{Listeners, Sockets},
    worker::shard::Category,
    worker::{Message, Setup, Worker},
};

/// A server whose sockets are bound and whose workers wait.
#[derive(Debug)]
pub struct Server {
    options: Options,
    runtime: Runtime,
    control: Control,
    sockets: Sockets,
    handle: Handle,
    orders: mpsc::UnboundedReceiver<Order>,
    categories: mpsc::UnboundedReceiver<(usize, Vec<Category>)>,
    files: FileLimit,
}

impl Server {
    /// Reads the configuration, raises the limit of open files, binds the
    /// sockets, becomes the user that is wanted, opens the exporters' targets
    /// and reads the state.
    ///
    /// # Errors
    /// Any of it fails; whatever was there before still is.
    pub fn start(options: Options) -> Result<Self, ServerError> {
        let source = Source {
            path: options.config.clone(),
            dialect: options.dialect,
        };
        let settings = source.read().map_err(ServerError::new)?;
        let session_rules = options.session_rules.clone();
        let plan = Plan::with_sessions(&settings, session_rules.clone());
        let plan = Arc::new(plan.map_err(ServerError::new)?);
        let files = privileges::raise_file_limit()?;
        let places = Addresses::new(&options, &settings)?;
        let sockets = Sockets::open(&places, options.service_manager, &options.log)?;
        if let Some(user) = &options.user {
            privileges::become_user(user)?;
        }
        let site = Site {
            hostname: options.hostname.clone(),
            log: options.log.clone(),
        };
        let exporters = Exporters::open(&settings, site).map_err(ServerError::new)?;
        let live = Live {
            settings,
            added: 0,
            plan,
            exporters,
            observers: Arc::default(),
            session_rules,
        };
        Self::with(options, source, live, sockets, files)
    }

    fn with(
        options: Options,
        source: Source,
        live: Live,
        sockets: Sockets,
        files: FileLimit,
    ) -> Result<Self, ServerError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (filters, wanted) = watch::channel(filter_line(&live.handshake()));
        let (tell, categories) = mpsc::unbounded_channel();
        let count = options.workers.max(1);
        let hostname: Arc<[u8]> = options.hostname.as_slice().into();
        let (started, run) = (clock::now(), run_number());
        let workers = (0..count).map(|number| {
            let worker = u32::try_from(number).unwrap_or(u32::MAX);
            Worker::start(Setup {
                ids: EventIds::new(started, run, worker),
                number,
                plan: Arc::clone(&live.plan),
                exporters: live.exporters.clone(),
                hostname: Arc::clone(&hostname),
                limits: options.limits.clone(),
                memory: options.limits.memory / count,
                filters: wanted.clone(),
                categories: tell.clone(),
                recorder: options.recorder.clone(),
                log: options.log.clone(),
            })
        });
        let workers = workers.collect::<io::Result<Vec<_>>>()?;
        restore(&options, &workers);
        let (live, seen) = watch::channel(Arc::new(live));
        let (orders, taken) = mpsc::unbounded_channel();
        let tally = Arc::new(Tally::new(started));
        Ok(Self {
            runtime,
            control: Control {
                source,
                workers,
                live,
                filters,
                tally: Arc::clone(&tally),
                log: options.log.clone(),
                next_tap: 0,
            },
            sockets,
            handle: Handle {
                orders,
                live: seen,
                tally,
            },
            orders: taken,
            categories,
            options,
            files,
        })
    }

    /// A way to ask it while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The addresses that it answers scrapes on.
    #[must_use]
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.sockets.http_addresses()
    }

    /// How many files it may have open, [`start`](Self::start) having raised
    /// that as far as it may.
    #[must_use]
    pub const fn file_limit(&self) -> FileLimit {
        self.files
    }

    /// Serves until it is told to stop, by [`Handle::stop`] or a signal.
    ///
    /// At the end what clients have sent already is read, the exporters send
    /// what they have, each within the patience of the options, and the state
    /// is saved.
    ///
    /// # Errors
    /// The system fails it, or a worker is gone.
    pub fn run(self) -> Result<(), ServerError> {
        let Self {
            options,
            runtime,
            control,
            sockets,
            handle,
            orders,
            categories,
            ..
        } = self;
        let served = runtime.block_on(async {
            let (stop, stopped) = watch::channel(false);
            let mut run = Run {
                listeners: listen(&options, &control, &handle, sockets, &stopped)?,
                control,
                pings: Vec::new(),
                manager: Manager::new(options.service_manager),
                stop,
                orders,
                categories,
                options,
            };
            drop(handle);
            let served = run.serve().await;
            run.end().await;
            served
        });
        // A scraper that does not read must not keep us.
        runtime.shutdown_timeout(Duration::from_millis(100));
        served
    }
}

fn listen(
    options: &Options,
    control: &Control,
    handle: &Handle,
    mut sockets: Sockets,
    stop: &watch::Receiver<bool>,
) -> Result<Listeners, ServerError> {
    let limits = &options.limits;
    let tally = Arc::clone(&control.tally);
    let filters = control.filters.subscribe();
    let dispatcher = Dispatcher::new(&control.workers, limits.connections, tally, filters);
    let writer = Purpose::Writer(dispatcher);
    let reader = Purpose::Reader {
        handle: handle.clone(),
        log: options.log.clone(),
        open: Arc::new(AtomicUsize::new(0)),
        limit: limits.readers,
    };
    let scraped = std::mem::take(&mut sockets.http);
    http::serve(
        scraped,
        handle,
        options.compat_metrics,
        limits,
        &options.log,
    )?;
    Ok(sockets.serve(&writer, &reader, stop, &options.log)?)
}

/// A number that no other server has but by chance.
fn run_number() -> u32 {
    // A hasher is made with a seed of its own; half of a hash is one, too.
    let hash = RandomState::new().build_hasher().finish();
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// What was counted before goes to the first worker; it is all the same which.
fn restore(options: &Options, workers: &[Worker]) {
    let (Some(path), Some(worker)) = (&options.state, workers.first()) else {
        return;
    };
    let (log, shown) = (&options.log, path.display());
    let file = StateFile::new(path);
    match file.read() {
        Ok(None) => {}
        Ok(Some(state)) => {
            let (reply, restored) = oneshot::channel();
            let _ = worker.inbox.send(Message::Restore(Box::new(state), reply));
            if let Ok(restored) = restored.blocking_recv()
                && restored.left_out > 0
            {
                log.say(format_args!(
                    "{shown}: {} metrics changed or are gone: their counts are left out",
                    restored.left_out
                ));
            }
        }
        Err(error) => {
            log.say(format_args!("{shown}: {error}: counting begins anew"));
            match file.put_aside() {
                Ok(aside) => log.say(format_args!("{shown} is now {}", aside.display())),
                Err(error) => log.say(format_args!("{shown} cannot be put aside: {error}")),
            }
        }
    }
}

/// A server cannot start, or go on.
#[derive(Debug)]
pub struct ServerError {
    message: String,
}

impl ServerError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
        }
    }
}

impl From<io::Error> for ServerError {
    fn from(error: io::Error) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServerError {}
