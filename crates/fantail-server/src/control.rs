//! Who holds the truth: the configuration in force and the workers.
//!
//! One task takes orders, one after another, so that no two changes meet. Each
//! change is compiled and opened as a whole before any worker hears of it; what
//! cannot be, changes nothing.

mod reload;
mod report;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use fantail_config::MetricRequest;
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use crate::{
    Log,
    handle::{Live, Order, Tally, TapRequest, Tapped},
    socket::greeting::{FilterLine, filter_line},
    worker::observers::Observers,
    worker::tap::{TAPS, Tap},
    worker::{Message, Worker},
};

pub(crate) use self::reload::Source;

#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) source: Source,
    pub(crate) workers: Vec<Worker>,
    pub(crate) live: watch::Sender<Arc<Live>>,
    pub(crate) filters: watch::Sender<FilterLine>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) log: Log,
    /// The number of the next tap.
    pub(crate) next_tap: u64,
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
        let plan = live.compile(&settings).map_err(|error| error.to_string())?;
        self.enforce(Live {
            settings,
            added: live.added + 1,
            plan: Arc::new(plan),
            ..Live::clone(&live)
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
        let Ok(plan) = live.compile(&settings) else {
            return false;
        };
        self.enforce(Live {
            settings,
            added: live.added - usize::from(was_added),
            plan: Arc::new(plan),
            ..Live::clone(&live)
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

    /// Tells the workers of the observers, and the clients what is wanted.
    fn announce(&self, live: Live) {
        for worker in &self.workers {
            let _ = worker
                .inbox
                .send(Message::Observers(Arc::clone(&live.observers)));
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
        if live.observers.taps.len() >= TAPS {
            return Err(format!("there are {TAPS} taps already"));
        }
        let dialect = live.settings.dialect;
        let (tap, events) = Tap::open(self.next_tap, &wanted.filter, &wanted.format, dialect)?;
        self.next_tap += 1;
        let mut observers = Observers::clone(&live.observers);
        observers.taps.push(Arc::clone(&tap));
        self.announce(Live {
            observers: Arc::new(observers),
            ..live
        });
        Ok(Tapped { tap, events })
    }

    fn untap(&self, number: u64) {
        let live = Live::clone(&self.live.borrow());
        let mut observers = Observers::clone(&live.observers);
        observers.taps.retain(|tap| tap.number != number);
        self.announce(Live {
            observers: Arc::new(observers),
            ..live
        });
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
