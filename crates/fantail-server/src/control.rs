//! Who holds the truth: the configuration in force and the workers.
//!
//! One task takes orders, one after another, so that no two changes meet. Each
//! change is compiled and opened as a whole before any worker hears of it; what
//! cannot be, changes nothing.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use fantail_config::{FileSystem, MetricRequest, Options as ReadOptions, Settings};
use fantail_engine::Plan;
use fantail_event::Dialect;
use fantail_metrics::{MetricSettings, state};
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
    time::Instant,
};

use crate::{
    Log,
    greeting::{FilterLine, filter_line},
    handle::{Live, Order, Tally, TapRequest, Tapped, Whole, count},
    onlookers::Onlookers,
    sessions::SessionRules,
    shard::Intake,
    state_file,
    tap::{TAPS, Tap},
    worker::{Message, Report, Worker},
};

/// How long exporters of a former configuration may go on sending.
const LINGER: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) source: Source,
    pub(crate) workers: Vec<Worker>,
    pub(crate) live: watch::Sender<Arc<Live>>,
    pub(crate) filters: watch::Sender<FilterLine>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) log: Log,
    /// The fields that sessions sum up.
    pub(crate) sums: Arc<[Vec<u8>]>,
    /// The number of the next tap.
    pub(crate) next_tap: u64,
}

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: std::path::PathBuf,
    pub(crate) dialect: Option<Dialect>,
}

impl Source {
    /// Reads it; an error is the diagnostics as text.
    pub(crate) fn read(&self) -> Result<Settings, String> {
        use std::os::unix::ffi::OsStrExt as _;
        let options = ReadOptions {
            dialect: self.dialect,
            ..ReadOptions::default()
        };
        let path = self.path.as_os_str().as_bytes();
        let loaded = fantail_config::load(path, &FileSystem, &options).accept();
        loaded
            .map(|loaded| loaded.settings)
            .map_err(|refused| refused.to_string())
    }
}

impl Control {
    /// Takes one order; `false` for the order to stop.
    pub(crate) async fn take(&mut self, order: Order) -> bool {
        // Nobody may be waiting for an answer any more.
        match order {
            Order::Report(reset, reply) => self.report(reset, reply),
            Order::Add(metric, reply) => {
                let _ = reply.send(self.add(&metric));
            }
            Order::Remove(name, reply) => {
                let _ = reply.send(self.remove(&name));
            }
            Order::Reopen(reply) => {
                self.live.borrow().exporters.reopen();
                let _ = reply.send(());
            }
            Order::Reload(reply) => {
                let _ = reply.send(self.reload().await);
            }
            Order::Tap(wanted, reply) => {
                let tapped = self.tap(&wanted);
                let number = tapped.as_ref().ok().map(|tapped| tapped.tap.number);
                if let (Err(_), Some(number)) = (reply.send(tapped), number) {
                    self.untap(number);
                }
            }
            Order::Untap(number) => self.untap(number),
            Order::IsWhole(reply) => {
                let pings = self.ping();
                tokio::spawn(async move {
                    for ping in pings {
                        if ping.await.is_err() {
                            return;
                        }
                    }
                    let _ = reply.send(true);
                });
            }
            Order::Stop => return false,
        }
        true
    }

    /// Asks all workers now, and answers when they have.
    fn report(&self, reset: bool, reply: oneshot::Sender<Whole>) {
        let reports: Vec<_> = self
            .workers
            .iter()
            .map(|worker| {
                let (reply, report) = oneshot::channel();
                let _ = worker.inbox.send(Message::Report(reset, reply));
                report
            })
            .collect();
        tokio::spawn(async move {
            let mut all = Vec::with_capacity(reports.len());
            for report in reports {
                match report.await {
                    Ok(report) => all.push(report),
                    // A part alone would be wrong without anybody noticing.
                    Err(_) => return,
                }
            }
            if let Ok(Some(whole)) = spawn_blocking(move || merge(all)).await {
                let _ = reply.send(whole);
            }
        });
    }

    fn add(&self, request: &MetricRequest) -> Result<(), String> {
        let live = Arc::clone(&self.live.borrow());
        let mut settings = live.settings.clone();
        let mut metrics = settings.metrics.iter();
        if metrics.any(|metric| metric.settings.name == request.name) {
            return Err("Metric already exists".to_owned());
        }
        let metric = request.resolve(settings.dialect, &settings.exporters);
        settings
            .metrics
            .push(metric.map_err(|refused| refused.to_string())?);
        let plan = Plan::new(&settings).map_err(|error| error.to_string())?;
        let onlookers = self.onlookers(&settings);
        self.enforce(Live {
            onlookers,
            settings,
            added: live.added + 1,
            plan: Arc::new(plan),
            exporters: live.exporters.clone(),
        });
        Ok(())
    }

    fn remove(&self, name: &[u8]) -> bool {
        let live = Arc::clone(&self.live.borrow());
        let mut settings = live.settings.clone();
        let mut metrics = settings.metrics.iter();
        let Some(at) = metrics.position(|metric| metric.settings.name == name) else {
            return false;
        };
        let was_added = at >= settings.metrics.len() - live.added;
        settings.metrics.remove(at);
        let Ok(plan) = Plan::new(&settings) else {
            return false;
        };
        let onlookers = self.onlookers(&settings);
        self.enforce(Live {
            onlookers,
            settings,
            added: live.added - usize::from(was_added),
            plan: Arc::new(plan),
            exporters: live.exporters.clone(),
        });
        true
    }

    /// Makes a configuration that of all workers, then tells the clients.
    fn enforce(&self, live: Live) -> Vec<oneshot::Receiver<()>> {
        let done = self.workers.iter().map(|worker| {
            let (done, in_force) = oneshot::channel();
            let plan = Arc::clone(&live.plan);
            let message = Message::Plan(plan, live.exporters.clone(), done);
            let _ = worker.inbox.send(message);
            in_force
        });
        let done = done.collect();
        self.announce(live);
        done
    }

    /// Has what looks on look, and tells the clients what is wanted.
    fn announce(&self, live: Live) {
        for worker in &self.workers {
            let _ = worker
                .inbox
                .send(Message::Onlookers(Arc::clone(&live.onlookers)));
        }
        let line = filter_line(&live.handshake());
        self.filters.send_if_modified(|there| {
            let changed = *there != line;
            *there = line;
            changed
        });
        self.live.send_replace(Arc::new(live));
    }

    fn tap(&mut self, wanted: &TapRequest) -> Result<Tapped, String> {
        let live = Live::clone(&self.live.borrow());
        if live.onlookers.taps.len() >= TAPS {
            return Err(format!("there are {TAPS} taps already"));
        }
        let dialect = live.settings.dialect;
        let (tap, events) = Tap::open(self.next_tap, &wanted.filter, &wanted.format, dialect)?;
        self.next_tap += 1;
        let mut onlookers = Onlookers::clone(&live.onlookers);
        onlookers.taps.push(Arc::clone(&tap));
        self.announce(Live {
            onlookers: Arc::new(onlookers),
            ..live
        });
        Ok(Tapped { tap, events })
    }

    fn untap(&self, number: u64) {
        let live = Live::clone(&self.live.borrow());
        let mut onlookers = Onlookers::clone(&live.onlookers);
        onlookers.taps.retain(|tap| tap.number != number);
        self.announce(Live {
            onlookers: Arc::new(onlookers),
            ..live
        });
    }

    /// The taps that there are, and sessions if the metrics want them.
    fn onlookers(&self, settings: &Settings) -> Arc<Onlookers> {
        Arc::new(Onlookers {
            taps: self.live.borrow().onlookers.taps.clone(),
            sessions: SessionRules::of(settings, &self.sums),
        })
    }

    /// Reads the configuration anew.
    pub(crate) async fn reload(&mut self) -> Result<(), String> {
        let reloaded = self.try_reload().await;
        match &reloaded {
            Ok(()) => {
                count(&self.tally.reloads);
                self.log.say(format_args!("the configuration was reloaded"));
            }
            Err(why) => {
                count(&self.tally.reloads_refused);
                let log = &self.log;
                log.say(format_args!("the configuration stays as it was:\n{why}"));
            }
        }
        reloaded
    }

    async fn try_reload(&mut self) -> Result<(), String> {
        let source = self.source.clone();
        let before = Arc::clone(&self.live.borrow());
        let log = self.log.clone();
        let old = Arc::clone(&before);
        let prepared = spawn_blocking(move || prepare(&source, &old, &log)).await;
        let mut live = prepared.map_err(|error| error.to_string())??;
        live.onlookers = self.onlookers(&live.settings);
        let now = live.exporters.clone();
        let in_force = self.enforce(live);
        tokio::spawn(async move {
            for worker in in_force {
                let _ = worker.await;
            }
            let close = move || before.exporters.close_unless_in(&now, LINGER);
            let _ = spawn_blocking(close).await;
        });
        Ok(())
    }

    /// Saves what was counted until now; the work is done by whoever awaits
    /// what is returned.
    pub(crate) fn save(&self, path: &Path) -> impl Future<Output = ()> + Send + 'static {
        let (reply, whole) = oneshot::channel();
        self.report(false, reply);
        let plan = Arc::clone(&self.live.borrow().plan);
        let (path, log) = (path.to_owned(), self.log.clone());
        async move {
            let Ok(whole) = whole.await else { return };
            let target = path.clone();
            let saved = spawn_blocking(move || {
                let note = |metric: &MetricSettings| plan.filter_text(&metric.name);
                state_file::write(&target, &state::write(&whole.snapshot, note))
            });
            if let Ok(Err(error)) = saved.await {
                log.say(format_args!("cannot save to {}: {error}", path.display()));
            }
        }
    }

    /// Has all workers read what clients have sent already.
    pub(crate) async fn drain(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let drained: Vec<_> = self
            .workers
            .iter()
            .map(|worker| {
                let (done, drained) = oneshot::channel();
                let _ = worker.inbox.send(Message::Drain(until, done));
                drained
            })
            .collect();
        for worker in drained {
            let _ = worker.await;
        }
    }

    /// Asks all workers for a sign of life.
    pub(crate) fn ping(&self) -> Vec<oneshot::Receiver<()>> {
        let workers = self.workers.iter().map(|worker| {
            let (reply, ping) = oneshot::channel();
            let _ = worker.inbox.send(Message::Ping(reply));
            ping
        });
        workers.collect()
    }

    /// Whether no worker has ended.
    pub(crate) fn is_whole(&self) -> bool {
        self.workers.iter().all(|worker| !worker.inbox.is_closed())
    }

    /// How many connections all workers have.
    pub(crate) fn connections(&self) -> usize {
        let workers = self.workers.iter();
        workers
            .map(|worker| worker.connections.load(Ordering::Relaxed))
            .sum()
    }
}

/// A new configuration with everything it needs.
fn prepare(source: &Source, old: &Live, log: &Log) -> Result<Live, String> {
    let mut settings = source.read()?;
    let configured = settings.metrics.len();
    keep_added(&mut settings, old, log);
    let added = settings.metrics.len() - configured;
    let plan = Plan::new(&settings).map_err(|error| error.to_string())?;
    let exporters = old.exporters.follow(&settings);
    let exporters = exporters.map_err(|error| error.to_string())?;
    let live = Live {
        settings,
        added,
        plan: Arc::new(plan),
        exporters,
        onlookers: Arc::default(),
    };
    Ok(live)
}

/// Metrics that were added at run time stay, as long as they fit.
fn keep_added(settings: &mut Settings, old: &Live, log: &Log) {
    let from = old.settings.metrics.len() - old.added;
    for metric in old.settings.metrics.iter().skip(from) {
        let exporter = metric.exporter.as_ref().map(|name| &name.value);
        let mut exporters = settings.exporters.iter();
        let exports = exporter.is_none_or(|name| exporters.any(|known| known.name == *name));
        let mut metrics = settings.metrics.iter();
        let named = metrics.any(|known| known.settings.name == metric.settings.name);
        if exports && !named && settings.dialect == old.settings.dialect {
            settings.metrics.push(metric.clone());
        } else {
            let name = metric.settings.name.escape_ascii();
            log.say(format_args!(
                "the metric {name}, added while this ran, does not fit the new configuration"
            ));
        }
    }
}

/// What the workers have counted, together; `None` without workers.
fn merge(reports: Vec<Report>) -> Option<Whole> {
    let workers = reports.len();
    let mut reports = reports.into_iter();
    let first = reports.next()?;
    let mut whole = Whole {
        snapshot: first.snapshot,
        engine: first.engine,
        intake: first.intake,
        connections: first.connections,
        held: first.held,
        running: first.running,
        workers,
    };
    for report in reports {
        // All workers got the same plans in the same order.
        let _ = whole.snapshot.merge(report.snapshot);
        whole.engine += report.engine;
        add(&mut whole.intake, report.intake);
        whole.connections += report.connections;
        whole.held += report.held;
        whole.running.add(&report.running);
    }
    Some(whole)
}

fn add(intake: &mut Intake, other: Intake) {
    intake.bytes += other.bytes;
    intake.lines += other.lines;
    intake.accepted += other.accepted;
    for (kind, count) in other.errors {
        *intake.errors.entry(kind).or_default() += count;
    }
}
