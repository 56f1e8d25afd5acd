//! A server from its start to its end.

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
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    Exporters, Handle, Options, Site,
    accept::{Dispatcher, Purpose},
    clock,
    control::{Control, Source},
    greeting::filter_line,
    handle::{Live, Order, Tally},
    http,
    listeners::{Listeners, Sockets},
    manager::Manager,
    onlookers::Onlookers,
    places::Places,
    privileges,
    sessions::SessionRules,
    shard::Category,
    signals::{Caught, Signals},
    state_file,
    worker::{Message, Setup, Worker},
};

/// How often sockets and workers are looked after.
const ROUND: Duration = Duration::from_secs(1);

/// How long a socket that Dovecot swept away is missing at most.
const MEND: Duration = Duration::from_millis(100);

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
}

impl Server {
    /// Reads the configuration, binds the sockets, becomes the user that is
    /// wanted, opens the exporters' targets and reads the state.
    ///
    /// # Errors
    /// Any of it fails; whatever was there before still is.
    pub fn start(options: Options) -> Result<Self, ServerError> {
        let source = Source {
            path: options.config.clone(),
            dialect: options.dialect,
        };
        let settings = source.read().map_err(ServerError::new)?;
        let plan = Arc::new(Plan::new(&settings).map_err(ServerError::new)?);
        privileges::raise_file_limit(&options.log);
        let places = Places::new(&options, &settings)?;
        let sockets = Sockets::open(&places, options.service_manager, &options.log)?;
        if let Some(user) = &options.user {
            privileges::become_user(user)?;
        }
        let site = Site {
            hostname: options.hostname.clone(),
            log: options.log.clone(),
        };
        let exporters = Exporters::open(&settings, site).map_err(ServerError::new)?;
        let onlookers = Arc::new(Onlookers {
            taps: Vec::new(),
            sessions: SessionRules::of(&settings, &options.session_sums),
        });
        let live = Live {
            settings,
            added: 0,
            plan,
            exporters,
            onlookers,
        };
        Self::with(options, source, live, sockets)
    }

    fn with(
        options: Options,
        source: Source,
        live: Live,
        sockets: Sockets,
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
                onlookers: Arc::clone(&live.onlookers),
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
                sums: options.session_sums.as_slice().into(),
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
        } = self;
        let served = runtime.block_on(async {
            let (stop, stopped) = watch::channel(false);
            let mut course = Course {
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
            let served = course.serve().await;
            course.end().await;
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
    match state_file::read(path) {
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
            match state_file::put_aside(path) {
                Ok(aside) => log.say(format_args!("{shown} is now {}", aside.display())),
                Err(error) => log.say(format_args!("{shown} cannot be put aside: {error}")),
            }
        }
    }
}

/// A server at work.
struct Course {
    options: Options,
    control: Control,
    listeners: Listeners,
    /// Workers that were asked for a sign of life, and gave none yet.
    pings: Vec<oneshot::Receiver<()>>,
    manager: Manager,
    stop: watch::Sender<bool>,
    orders: mpsc::UnboundedReceiver<Order>,
    categories: mpsc::UnboundedReceiver<(usize, Vec<Category>)>,
}

impl Course {
    async fn serve(&mut self) -> Result<(), ServerError> {
        let mut signals = Signals::new(self.options.signals)?;
        let mut round = every(ROUND);
        let mut mend = every(MEND);
        let mut save = every(self.options.state_interval.max(ROUND));
        self.manager.ready();
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => if !self.obey(order).await { return Ok(()) },
                    None => return Ok(()),
                },
                Some((from, new)) = self.categories.recv() => self.spread(from, new),
                caught = signals.next() => match caught {
                    Caught::Stop => return Ok(()),
                    Caught::Reload => {
                        self.manager.reloading();
                        // It says itself how that went.
                        let _ = self.control.reload().await;
                        self.manager.ready();
                    }
                },
                _ = save.tick() => if let Some(path) = &self.options.state {
                    tokio::spawn(self.control.save(path));
                },
                _ = mend.tick() => self.listeners.mend(),
                _ = round.tick() => {
                    if !self.control.is_whole() {
                        return Err(ServerError::new("a worker is gone"));
                    }
                    self.watch_workers();
                }
            }
        }
    }

    /// Tells the service manager that all is well, if all workers answered.
    fn watch_workers(&mut self) {
        let answered = |ping: &mut oneshot::Receiver<()>| ping.try_recv().is_ok();
        self.pings.retain_mut(|ping| !answered(ping));
        if self.pings.is_empty() {
            self.manager.alive(self.control.connections());
            self.pings = self.control.ping();
        }
    }

    async fn obey(&mut self, order: Order) -> bool {
        let reload = matches!(order, Order::Reload(_));
        if reload {
            self.manager.reloading();
        }
        let go_on = self.control.take(order).await;
        if reload {
            self.manager.ready();
        }
        go_on
    }

    /// Tells the other workers of categories.
    fn spread(&self, from: usize, new: Vec<Category>) {
        let new = Arc::new(new);
        for (at, worker) in self.control.workers.iter().enumerate() {
            if at != from {
                let _ = worker.inbox.send(Message::Categories(Arc::clone(&new)));
            }
        }
    }

    async fn end(self) {
        let Self {
            options,
            control,
            listeners,
            manager,
            stop,
            ..
        } = self;
        manager.stopping();
        stop.send_replace(true);
        listeners.end().await;
        control.drain(options.patience).await;
        if let Some(path) = &options.state {
            control.save(path).await;
        }
        let live = Arc::clone(&control.live.borrow());
        let workers = control.workers;
        let log = options.log.clone();
        let closed = tokio::task::spawn_blocking(move || {
            workers.into_iter().for_each(Worker::join);
            live.exporters.close(options.patience)
        });
        if !closed.await.unwrap_or(false) {
            log.say(format_args!("not all exporters could send what they had"));
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
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
