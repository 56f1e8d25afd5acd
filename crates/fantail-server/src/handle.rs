//! What may be asked of a running server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use fantail_config::{MetricRequest, Settings};
use fantail_engine::{EngineError, Plan, SessionRules};
use fantail_event::Timestamp;
use fantail_metrics::Snapshot;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{Exporters, worker::Report, worker::observers::Observers, worker::tap::Tap};

/// A way to ask a running server; clones ask the same. All answers are `None`
/// once it has ended.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) live: watch::Receiver<Arc<Live>>,
    pub(crate) tally: Arc<Tally>,
}

/// What the control is asked to do.
#[derive(Debug)]
pub(crate) enum Order {
    Report(bool, oneshot::Sender<Report>),
    Add(Box<MetricRequest>, oneshot::Sender<Result<(), String>>),
    Remove(Vec<u8>, oneshot::Sender<bool>),
    Reopen(oneshot::Sender<()>),
    Reload(oneshot::Sender<Result<(), String>>),
    Tap(TapRequest, oneshot::Sender<Result<Tapped, String>>),
    Untap(u64),
    /// Whether all workers are there.
    IsWhole(oneshot::Sender<bool>),
    Stop,
}

/// A tap that is wanted.
#[derive(Debug)]
pub(crate) struct TapRequest {
    pub(crate) filter: Vec<u8>,
    pub(crate) format: Vec<u8>,
}

/// A tap that was opened.
#[derive(Debug)]
pub(crate) struct Tapped {
    pub(crate) tap: Arc<Tap>,
    pub(crate) events: mpsc::Receiver<Vec<u8>>,
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) settings: Settings,
    /// How many of its metrics, at the end, were added while it ran.
    pub(crate) added: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) exporters: Exporters,
    pub(crate) observers: Arc<Observers>,
    /// What summaries of sessions contain.
    pub(crate) session_rules: SessionRules,
}

impl Live {
    /// Compiles other settings for this server.
    pub(crate) fn compile(&self, settings: &Settings) -> Result<Plan, EngineError> {
        Plan::with_sessions(settings, self.session_rules.clone())
    }

    /// The filter for the clients.
    pub(crate) fn handshake(&self) -> Vec<u8> {
        self.observers.handshake(self.plan.handshake())
    }
}

/// What is counted outside the workers.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) started: Timestamp,
    pub(crate) since: Instant,
    /// Connections closed because there were too many.
    pub(crate) refused: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) reloads_refused: AtomicU64,
    pub(crate) scrapes: AtomicU64,
}

impl Tally {
    pub(crate) fn new(started: Timestamp) -> Self {
        Self {
            started,
            since: Instant::now(),
            refused: AtomicU64::new(0),
            reloads: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
            scrapes: AtomicU64::new(0),
        }
    }
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Handle {
    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).ok()?;
        answer.await.ok()
    }

    pub(crate) async fn report(&self, reset: bool) -> Option<Report> {
        self.ask(|reply| Order::Report(reset, reply)).await
    }

    pub(crate) async fn is_whole(&self) -> Option<bool> {
        self.ask(Order::IsWhole).await
    }

    /// What all metrics have counted.
    pub async fn snapshot(&self) -> Option<Snapshot> {
        Some(self.report(false).await?.snapshot)
    }

    /// What all metrics have counted; they begin anew.
    pub async fn take(&self) -> Option<Snapshot> {
        Some(self.report(true).await?.snapshot)
    }

    /// Adds a metric until it is removed, or the server ends; `Err` says what
    /// is wrong with it.
    pub async fn add_metric(&self, metric: MetricRequest) -> Option<Result<(), String>> {
        self.ask(|reply| Order::Add(Box::new(metric), reply)).await
    }

    /// Removes a metric; `false` if there is none with this name. One of the
    /// configuration is back after a reload.
    pub async fn remove_metric(&self, name: &[u8]) -> Option<bool> {
        self.ask(|reply| Order::Remove(name.to_vec(), reply)).await
    }

    /// Has exporters open their files anew.
    pub async fn reopen(&self) -> Option<()> {
        self.ask(Order::Reopen).await
    }

    /// Reads the configuration anew. If it has errors, they are told, and all
    /// stays as it was.
    pub async fn reload(&self) -> Option<Result<(), String>> {
        self.ask(Order::Reload).await
    }

    pub(crate) async fn tap(&self, wanted: TapRequest) -> Option<Result<Tapped, String>> {
        self.ask(|reply| Order::Tap(wanted, reply)).await
    }

    pub(crate) fn untap(&self, number: u64) {
        // It may have ended already.
        let _ = self.orders.send(Order::Untap(number));
    }

    /// Has the server end.
    pub fn stop(&self) {
        // It may have ended already.
        let _ = self.orders.send(Order::Stop);
    }
}
