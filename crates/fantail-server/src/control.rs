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

use fantail_config::{Exporter, FileSystem, MetricRequest, Options as ReadOptions, Settings};
use fantail_engine::Plan;
use fantail_event::Dialect;
use fantail_metrics::{MetricSettings, state};
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
    time::Instant,
};

use crate::{
    Exporters, Log,
    greeting::{FilterLine, filter_line},
    handle::{Live, Order, Tally, Whole, count},
    shard::Intake,
    state_file,
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
            Order::IsWhole(reply) => {
                let _ = reply.send(self.is_whole());
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
        self.enforce(Live {
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
        self.enforce(Live {
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
        let line = filter_line(&live.plan.handshake());
        self.filters.send_if_modified(|there| {
            let changed = *there != line;
            *there = line;
            changed
        });
        self.live.send_replace(Arc::new(live));
        done
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
        let (live, opened) = prepared.map_err(|error| error.to_string())??;
        let in_force = self.enforce(live);
        if opened {
            tokio::spawn(async move {
                for worker in in_force {
                    let _ = worker.await;
                }
                let close = move || before.exporters.close(LINGER);
                let _ = spawn_blocking(close).await;
            });
        }
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

    /// Whether all workers are there.
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

/// A new configuration with everything it needs, and whether it has exporters
/// of its own.
fn prepare(source: &Source, old: &Live, log: &Log) -> Result<(Live, bool), String> {
    let mut settings = source.read()?;
    let configured = settings.metrics.len();
    keep_added(&mut settings, old, log);
    let added = settings.metrics.len() - configured;
    let plan = Plan::new(&settings).map_err(|error| error.to_string())?;
    let same = settings.exporters.len() == old.settings.exporters.len()
        && (settings.exporters.iter().zip(&old.settings.exporters)).all(|(a, b)| is_same(a, b));
    let exporters = if same {
        old.exporters.clone()
    } else {
        Exporters::open(&settings).map_err(|error| error.to_string())?
    };
    let live = Live {
        settings,
        added,
        plan: Arc::new(plan),
        exporters,
    };
    Ok((live, !same))
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

/// Whether two exporters differ in nothing but where they were written.
fn is_same(one: &Exporter, other: &Exporter) -> bool {
    let mut moved = one.clone();
    moved.spans = other.spans.clone();
    moved == *other
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
        workers,
    };
    for report in reports {
        // All workers got the same plans in the same order.
        let _ = whole.snapshot.merge(report.snapshot);
        whole.engine += report.engine;
        add(&mut whole.intake, report.intake);
        whole.connections += report.connections;
        whole.held += report.held;
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
