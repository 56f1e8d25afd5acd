//! A server from start to end.

mod restore;
mod run;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use fantail_engine::Plan;
use fantail_format::EventIds;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Notify, mpsc, watch},
};

use self::run::Run;
use crate::{
    FileLimit, Handle, Limits, ServerError, ServerErrorKind, ServerOptions,
    control::{Changes, Configuration, Control, Source},
    exporters::{Exporters, Site},
    handle::{Live, Order, Tally},
    http::{self, access::Access},
    memory::{Memory, Part},
    process::clock,
    process::privileges,
    process::record::Recorder,
    process::sd_notify::Manager,
    process::seen_files::SeenFiles,
    process::signals::Signals,
    process::turn::Turns,
    push::pusher::Pushing,
    socket::accept::{Dispatcher, Purpose},
    socket::addresses::Addresses,
    socket::listeners::{Listeners, Sockets},
    socket::seats::Seats,
    socket::{rival_watch, rivals},
    worker::Category,
    worker::greeting::filter_line,
    worker::recent::RecentLimits,
    worker::{Setup, Worker},
};

/// A server whose sockets are bound and whose workers run.
#[derive(Debug)]
pub struct Server {
    options: ServerOptions,
    runtime: Runtime,
    signals: Signals,
    control: Control,
    worker_ended: Arc<Notify>,
    sockets: Sockets,
    addresses: Addresses,
    handle: Handle,
    orders: mpsc::UnboundedReceiver<Order>,
    categories: mpsc::UnboundedReceiver<(usize, Vec<Category>)>,
    files: FileLimit,
    access: Access,
    /// The files of the configuration.
    seen: SeenFiles,
}

impl Server {
    /// Reads the configuration, raises the limit of open files, binds the
    /// sockets, becomes the user of the options, opens the exporters' targets
    /// and reads the state.
    ///
    /// # Errors
    /// One of these steps fails. Sockets of other servers stay as they were.
    pub fn start(options: ServerOptions) -> Result<Self, ServerError> {
        let configuration = Configuration::read(&options)?;
        Self::start_with(options, &configuration)
    }

    /// Like [`start`](Self::start), with a configuration that was read with the same
    /// options.
    ///
    /// # Errors
    /// As those of [`start`](Self::start).
    pub fn start_with(
        options: ServerOptions,
        configuration: &Configuration,
    ) -> Result<Self, ServerError> {
        let source = Source::of(&options);
        let (settings, seen) = configuration.accept()?;
        let session_rules = options.session_rules.clone();
        let plan = Plan::with_sessions(&settings, session_rules.clone());
        let plan = plan.map_err(|error| ServerError::new(ServerErrorKind::Configuration, error))?;
        let plan = Arc::new(plan);
        let files = privileges::raise_file_limit()?;
        let access = Access::read_within(&options, options.limits.reload);
        let access = access.map_err(|error| ServerError::new(ServerErrorKind::System, error))?;
        let addresses = Addresses::new(&options, &settings)?;
        if !options.ignore_dovecot {
            let refused = rivals::check(&addresses, &settings);
            refused.map_err(|error| ServerError::new(ServerErrorKind::Configuration, error))?;
        }
        // Before the first socket, which a process that a signal ends would leave behind.
        let runtime = runtime(options.signals)?;
        let sockets = Sockets::open(&addresses, options.service_manager, &options.log);
        let sockets = sockets.map_err(|error| ServerError::new(ServerErrorKind::System, error))?;
        if let Some(user) = &options.user {
            privileges::become_user(user)?;
        }
        let memory = Memory::new(options.limits.memory);
        let site = Site::new(options.hostname.clone(), options.log.clone());
        let site = site.reserve_from(memory.budget(Part::Queues));
        let record = options.record.as_ref();
        let budget = memory.budget(Part::Recordings);
        let recorder = record.map(|it| Recorder::create(it, &budget, options.log.clone()));
        let recorder = recorder.transpose()?;
        let exporters = Exporters::open(&settings, site)?;
        let live = Live {
            settings,
            added: 0,
            plan,
            exporters,
            observers: Arc::default(),
            session_rules,
        };
        Self::with(
            options,
            (source, seen),
            live,
            runtime,
            (sockets, addresses),
            (files, access),
            (recorder, memory),
        )
    }

    fn with(
        options: ServerOptions,
        (source, seen): (Source, SeenFiles),
        live: Live,
        (runtime, signals): (Runtime, Signals),
        (sockets, addresses): (Sockets, Addresses),
        (files, access): (FileLimit, Access),
        (recorder, memory): (Option<Recorder>, Memory),
    ) -> Result<Self, ServerError> {
        let filters = watch::Sender::new(filter_line(&live.handshake()));
        let (tell, categories) = mpsc::unbounded_channel();
        let count = options.workers.max(1);
        let worker_ended = Arc::new(Notify::new());
        let (started, run, stop) = (clock::now(), run_number(), Arc::default());
        let with_clients = count;
        // What was counted before the start is not published again: it has a worker of its
        // own. So has what was counted in a run that was folded while it was silent.
        let count = count + usize::from(options.publishes());
        let workers = (0..count).zip(0..).map(|(number, worker)| {
            Worker::start(Setup {
                ids: EventIds::new(started, run, worker),
                number,
                plan: Arc::clone(&live.plan),
                exporters: live.exporters.clone(),
                hostname: options.hostname.as_slice().into(),
                limits: options.limits.clone(),
                memory: memory.clone(),
                filter: Arc::clone(&filters.borrow()),
                categories: tell.clone(),
                recorder: recorder.clone(),
                recent: RecentLimits::of_worker(&options.limits, count),
                stop: Arc::clone(&stop),
                log: options.log.clone(),
                ended: Arc::clone(&worker_ended),
            })
        });
        let workers = workers.collect::<io::Result<Vec<_>>>()?;
        let is_restored = restore::restore(&options, &workers, with_clients)?;
        let (live, current) = watch::channel(Arc::new(live));
        let (orders, taken) = mpsc::unbounded_channel();
        let tally = Tally::new((started, run), is_restored, &options.hostname);
        let turns = Arc::new(Turns::new(Arc::default()));
        Ok(Self {
            runtime,
            signals,
            control: Control {
                source,
                changes: Changes::new(options.limits.reload),
                workers,
                with_clients,
                stop_reading: stop,
                live,
                filters,
                tally: Arc::clone(&tally),
                turns: Arc::clone(&turns),
                log: options.log.clone(),
                next_tap: 0,
            },
            worker_ended,
            sockets,
            addresses,
            handle: Handle::new(orders, current, (tally, turns), recorder, memory, &options),
            orders: taken,
            categories,
            options,
            files,
            access,
            seen,
        })
    }

    /// Returns a handle for requests to the server while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The addresses at which it answers scrapes.
    #[must_use]
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.sockets.http_addresses()
    }

    /// The paths of its Unix sockets, as Dovecot's processes know them.
    #[must_use]
    pub fn socket_paths(&self) -> Vec<PathBuf> {
        let Addresses {
            writers, readers, ..
        } = &self.addresses;
        let sockets = writers.iter().chain(readers);
        sockets
            .map(|socket| socket.link.as_ref().unwrap_or(&socket.path).clone())
            .collect()
    }

    /// The limit of open files, which [`start`](Self::start) has raised as far as
    /// the system allows.
    #[must_use]
    pub const fn file_limit(&self) -> FileLimit {
        self.files
    }

    /// Serves until [`Handle::stop`] or a signal ends it.
    ///
    /// At the end it reads what clients have sent, has the exporters send what
    /// they have, and saves the state, within the patience of the options in
    /// total.
    ///
    /// # Errors
    /// The system refuses a socket or a task, or a worker has ended.
    pub fn run(self) -> Result<(), ServerError> {
        let Self {
            options,
            runtime,
            signals,
            control,
            worker_ended,
            sockets,
            addresses,
            handle,
            orders,
            categories,
            files,
            access,
            seen,
        } = self;
        let served = runtime.block_on(async {
            let (stop, stopped) = watch::channel(false);
            let http_addresses = addresses.http.clone();
            let rivals = match options.ignore_dovecot {
                true => watch::channel(None).1,
                false => {
                    rival_watch::watch(control.source.clone(), seen, addresses, options.log.clone())
                }
            };
            let (listeners, http) = listen(
                &options, files, access, &control, &handle, sockets, &stopped,
            )?;
            #[cfg(feature = "nats")]
            let publishing = publish(&options, &handle)?;
            let mut run = Run {
                pushing: push(&options, &handle)?,
                #[cfg(feature = "nats")]
                publishing,
                listeners,
                rivals,
                http: http_addresses,
                signals,
                control,
                worker_ended,
                pings: Vec::new(),
                manager: Manager::new(options.service_manager),
                is_reloading: false,
                stop,
                orders,
                categories,
                recordings: handle.recordings.clone(),
                saving: Arc::default(),
                options,
            };
            drop(handle);
            let turns = Arc::clone(&run.control.turns);
            let served = turns.measure(run.serve()).await;
            run.end().await;
            drop(http);
            served
        });
        // A scraper that does not read must not delay the end.
        runtime.shutdown_timeout(Duration::from_millis(100));
        served
    }
}

/// Starts to push metrics, if the options say so.
fn push(options: &ServerOptions, handle: &Handle) -> io::Result<Option<Pushing>> {
    let push = options.push.as_ref();
    push.map(|push| Pushing::start(push, &options.hostname, handle, &options.log))
        .transpose()
}

/// Starts to publish counts, if the options say so.
#[cfg(feature = "nats")]
fn publish(
    options: &ServerOptions,
    handle: &Handle,
) -> io::Result<Option<crate::nats::publish::Publishing>> {
    use crate::nats::publish::Publishing;

    let Some(nats) = &options.nats else {
        return Ok(None);
    };
    Publishing::start(nats, &options.hostname, handle, &options.log).map(Some)
}

/// Returns the runtime of a server, and the signals that it catches from now on.
fn runtime(signals: bool) -> io::Result<(Runtime, Signals)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _runtime = runtime.enter();
        Signals::new(signals)?
    };
    Ok((runtime, signals))
}

fn listen(
    options: &ServerOptions,
    files: FileLimit,
    access: Access,
    control: &Control,
    handle: &Handle,
    mut sockets: Sockets,
    stop: &watch::Receiver<bool>,
) -> Result<(Listeners, http::Serving), ServerError> {
    let limits = &options.limits;
    let tally = Arc::clone(&control.tally);
    let filters = control.filters.subscribe();
    let connections = connection_limit(limits, files);
    let turns = Arc::clone(&control.turns);
    let workers = control.workers.get(..control.with_clients);
    let workers = workers.unwrap_or_default();
    let dispatcher = Dispatcher::new(workers, connections, (tally, turns), filters);
    let writer = Purpose::Writer(dispatcher);
    let reader = Purpose::Reader {
        handle: handle.clone(),
        log: options.log.clone(),
        seats: Seats::new(limits.readers),
    };
    let scraped = http::Listeners {
        tcp: std::mem::take(&mut sockets.http),
        socket: sockets.http_socket.take(),
    };
    let subject = http::Subject {
        compat: options.compat_metrics,
        source: control.source.clone(),
    };
    let handle = (handle, subject);
    let http = http::serve(scraped, access, handle, limits, &options.log)?;
    let listeners = sockets.serve(&writer, &reader, stop, &options.log)?;
    Ok((listeners, http))
}

/// Files that are neither connections nor scrapes: sockets, logs, targets, spools,
/// the state, and those of a reload.
const OTHER_FILES: usize = 100;

/// The connections of Dovecot's processes that leave enough files for readers,
/// scrapers, reloads and saves.
fn connection_limit(limits: &Limits, files: FileLimit) -> usize {
    let files = usize::try_from(files.now).unwrap_or(usize::MAX);
    let reserve = limits.readers + limits.scrapers + OTHER_FILES;
    // With very few files, half of them are for connections.
    let free = files - reserve.min(files / 2);
    limits.connections.min(free)
}

/// A random number, which tells this run from others.
fn run_number() -> u32 {
    // The standard library seeds each hasher at random.
    let hash = RandomState::new().build_hasher().finish();
    #[allow(clippy::cast_possible_truncation, reason = "half of the bits suffice")]
    let number = hash as u32;
    number
}

#[cfg(test)]
mod tests {
    use super::connection_limit;
    use crate::{FileLimit, Limits};

    #[test]
    fn connections_leave_files_for_scrapes_and_reloads() {
        let check = |now, expected| {
            let files = FileLimit { before: now, now };
            assert_eq!(connection_limit(&Limits::default(), files), expected);
        };
        check(65_536, 20_000);
        check(1_024, 724);
        check(400, 200);
    }
}
