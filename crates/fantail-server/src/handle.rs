//! Requests to a running server, and the state that its parts share.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use fantail_config::{MetricRequest, Settings};
use fantail_engine::{Plan, PlanError, SessionRules};
use fantail_event::{Dialect, Timestamp};
use fantail_metrics::{HeavyHitters, MetricSnapshot, Snapshot};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::{
    ControlError, ControlErrorKind, RecordSettings, ServerOptions,
    exporters::Exporters,
    memory::{Budget, Memory, Part, Reservation, ReservedText},
    process::record::{Recorder, Recordings},
    process::turn::Turns,
    push_counters::PushCounters,
    worker::Report,
    worker::census::Census,
    worker::explain::TermCounter,
    worker::observers::Observers,
    worker::recent::RecentSnapshot,
    worker::tap::{Tap, TapRequest},
};

/// Requests to a running server; clones ask the same server.
///
/// A request fails with [`ControlErrorKind::Ended`] once the server has ended.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) live: watch::Receiver<Arc<Live>>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) memory: Memory,
    /// The part of it that is for answers.
    pub(crate) answers: Budget,
    /// The turns of the control thread.
    pub(crate) turns: Arc<Turns>,
    /// Those of the thread of HTTP.
    pub(crate) http_turns: Arc<Turns>,
    /// The most that kept events of all workers take.
    pub(crate) recent_bytes: usize,
    pub(crate) recordings: Recordings,
    /// Held while reports are merged: one at a time.
    pub(crate) merging: Arc<Semaphore>,
}

/// A report for an answer, and its memory.
#[derive(Debug)]
pub(crate) struct HeldReport {
    report: Report,
    _memory: Reservation,
}

/// Through a method, so that a closure that reads the report holds its memory.
impl Deref for HeldReport {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.report
    }
}

/// Where the answer to a request that may fail goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ControlError>>;

/// A request to the control task.
#[derive(Debug)]
pub(crate) enum Order {
    /// Counts of all workers; with `true`, they start again from zero.
    Report(bool, oneshot::Sender<Report>),
    /// Counts of the workers that have clients, not merged.
    #[cfg(feature = "nats")]
    Counts(oneshot::Sender<Vec<fantail_fleet::counts::WorkerCounts>>),
    /// Publishes nothing of what was counted so far.
    #[cfg(feature = "nats")]
    SetAside(oneshot::Sender<()>),
    Add(Box<MetricRequest>, Reply<()>),
    Remove(Vec<u8>, Reply<()>),
    Reopen(oneshot::Sender<()>),
    Reload(Reply<()>),
    Tap(TapRequest, Reply<OpenTap>),
    Untap(u64),
    /// Counts the events of each name; `None` ends it.
    Census(Option<Arc<Census>>),
    Record(Recorder),
    /// Answered once every worker has answered.
    AllAnswer(oneshot::Sender<()>),
    Stop,
}

/// An open tap.
#[derive(Debug)]
pub(crate) struct OpenTap {
    pub(crate) number: u64,
    pub(crate) view: TapView,
    /// Its live events; `None` if it shows none.
    pub(crate) events: Option<mpsc::Receiver<ReservedText>>,
    /// The events that each worker had kept when the tap opened.
    pub(crate) recent: Vec<oneshot::Receiver<RecentSnapshot>>,
}

/// What a tap gives.
#[derive(Debug, Clone)]
pub(crate) enum TapView {
    /// Events.
    Events(Arc<Tap>),
    /// Counts.
    Counts(Arc<TermCounter>),
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) settings: Settings,
    /// How many of its metrics, at the end, were added at run time.
    pub(crate) added: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) exporters: Exporters,
    pub(crate) observers: Arc<Observers>,
    /// The contents of session summaries.
    pub(crate) session_rules: SessionRules,
}

impl Live {
    /// Compiles other settings for this server.
    pub(crate) fn compile(&self, settings: &Settings) -> Result<Plan, PlanError> {
        Plan::with_sessions(settings, self.session_rules.clone())
    }

    /// The filter for the clients.
    pub(crate) fn handshake(&self) -> Vec<u8> {
        self.observers.handshake(self.plan.handshake())
    }
}

/// Counters of the server outside its workers.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) started: Timestamp,
    /// When counting began; `None` if counts of an earlier run were restored.
    counted_since: Mutex<Option<Timestamp>>,
    /// The host name, for the answers of a fleet.
    pub(crate) hostname: Arc<[u8]>,
    /// A number that no other process has.
    pub(crate) instance: [u8; 16],
    pub(crate) since: Instant,
    /// Connections closed at once because there were too many.
    pub(crate) refused: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) reloads_refused: AtomicU64,
    pub(crate) scrapes: AtomicU64,
    pub(crate) push: PushCounters,
}

impl Tally {
    pub(crate) fn new(
        (started, run): (Timestamp, u32),
        is_restored: bool,
        hostname: &[u8],
    ) -> Arc<Self> {
        Arc::new(Self {
            started,
            counted_since: Mutex::new((!is_restored).then_some(started)),
            hostname: hostname.into(),
            instance: instance(started, run),
            since: Instant::now(),
            refused: AtomicU64::new(0),
            reloads: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
            scrapes: AtomicU64::new(0),
            push: PushCounters::default(),
        })
    }

    /// Returns when counting began; `None` if counts of an earlier run were restored.
    pub(crate) fn counted_since(&self) -> Option<Timestamp> {
        *self
            .counted_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that all counts begin at zero now.
    pub(crate) fn reset(&self, now: Timestamp) {
        *self
            .counted_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// Returns a number that no other process has: the run is random.
fn instance(started: Timestamp, run: u32) -> [u8; 16] {
    let micros = started.unix_micros().cast_unsigned();
    (u128::from(micros) << 64 | u128::from(run)).to_be_bytes()
}

/// The bytes of a snapshot, about.
pub(crate) fn snapshot_bytes(snapshot: &Snapshot) -> usize {
    snapshot.metrics().iter().map(metric_bytes).sum()
}

/// The bytes of a metric in a snapshot, about.
pub(crate) fn metric_bytes(metric: &MetricSnapshot) -> usize {
    const SERIES_BYTES: usize = 160;
    const FIELD_BYTES: usize = 64;
    let fields = metric.settings().fields.len();
    let top = metric.top().map_or(0, HeavyHitters::heap_bytes);
    metric.series().len() * (SERIES_BYTES + FIELD_BYTES * fields) + top
}

/// Adds one to a counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Handle {
    pub(crate) fn new(
        orders: mpsc::UnboundedSender<Order>,
        live: watch::Receiver<Arc<Live>>,
        (tally, turns): (Arc<Tally>, Arc<Turns>),
        recorder: Option<Recorder>,
        memory: Memory,
        options: &ServerOptions,
    ) -> Self {
        Self {
            orders,
            live,
            tally,
            turns,
            http_turns: Arc::new(Turns::new(Arc::default())),
            answers: memory.budget(Part::Answers),
            recent_bytes: options.limits.recent_bytes(),
            recordings: Recordings::new(recorder, &memory, &options.log),
            memory,
            merging: Arc::new(Semaphore::new(1)),
        }
    }

    /// Sends an order, and waits for its answer.
    async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, ControlError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.orders.send(order(reply));
        sent.map_err(|_| ControlErrorKind::Ended)?;
        Ok(answer.await.map_err(|_| ControlErrorKind::Ended)?)
    }

    pub(crate) async fn report(&self, reset: bool) -> Result<Report, ControlError> {
        self.ask(|reply| Order::Report(reset, reply)).await
    }

    /// Returns the counts of each worker that has clients, not merged.
    #[cfg(feature = "nats")]
    pub(crate) async fn counts(
        &self,
    ) -> Result<Vec<fantail_fleet::counts::WorkerCounts>, ControlError> {
        self.ask(Order::Counts).await
    }

    /// Has the counts of all workers start again from zero, without a change of answers.
    #[cfg(feature = "nats")]
    pub(crate) async fn set_aside(&self) -> Result<(), ControlError> {
        self.ask(Order::SetAside).await
    }

    /// Returns a report for an answer, or refuses it while other answers hold all
    /// memory.
    pub(crate) async fn held_report(&self, reset: bool) -> Result<HeldReport, ControlError> {
        let merging = self.merging.acquire().await;
        debug_assert!(merging.is_ok(), "the semaphore is never closed");
        // Before a reset, which must not be lost.
        if self.answers.is_full() {
            return Err(ControlErrorKind::Busy.into());
        }
        let report = self.report(reset).await?;
        let bytes = snapshot_bytes(&report.snapshot);
        Ok(HeldReport {
            report,
            _memory: self.answers.reserve_anyway(bytes),
        })
    }

    /// Waits until every worker has answered.
    pub(crate) async fn all_answer(&self) -> Result<(), ControlError> {
        self.ask(Order::AllAnswer).await
    }

    /// Returns the counts of all metrics.
    ///
    /// # Errors
    /// The server has ended.
    pub async fn snapshot(&self) -> Result<Snapshot, ControlError> {
        Ok(self.report(false).await?.snapshot)
    }

    /// Returns the counts of all metrics, which start again from zero.
    ///
    /// # Errors
    /// The server has ended.
    pub async fn take(&self) -> Result<Snapshot, ControlError> {
        Ok(self.report(true).await?.snapshot)
    }

    /// Adds a metric until it is removed or the server ends.
    ///
    /// # Errors
    /// The metric has errors, its name is taken, or the server has ended.
    pub async fn add_metric(&self, metric: MetricRequest) -> Result<(), ControlError> {
        self.ask(|reply| Order::Add(Box::new(metric), reply))
            .await?
    }

    /// Removes a metric. A metric of the configuration returns with a reload.
    ///
    /// # Errors
    /// No metric has this name, or the server has ended.
    pub async fn remove_metric(&self, name: &[u8]) -> Result<(), ControlError> {
        self.ask(|reply| Order::Remove(name.to_vec(), reply))
            .await?
    }

    /// Has exporters open their files again.
    ///
    /// # Errors
    /// The server has ended.
    pub async fn reopen(&self) -> Result<(), ControlError> {
        self.ask(Order::Reopen).await
    }

    /// Reads the configuration again.
    ///
    /// # Errors
    /// The configuration has errors, or the server has ended: nothing has
    /// changed.
    pub async fn reload(&self) -> Result<(), ControlError> {
        self.ask(Order::Reload).await?
    }

    /// The dialect of the configuration in force.
    pub(crate) fn dialect(&self) -> Dialect {
        self.live.borrow().settings.dialect
    }

    pub(crate) async fn tap(&self, wanted: TapRequest) -> Result<OpenTap, ControlError> {
        if wanted.past && self.recent_bytes == 0 {
            return Err(ControlErrorKind::NothingKept.into());
        }
        self.ask(|reply| Order::Tap(wanted, reply)).await?
    }

    pub(crate) fn untap(&self, number: u64) {
        // The server may have ended.
        let _ = self.orders.send(Order::Untap(number));
    }

    /// Has workers count the events of each name; `None` ends it.
    pub(crate) fn take_census(&self, census: Option<Arc<Census>>) {
        // The server may have ended.
        let _ = self.orders.send(Order::Census(census));
    }

    /// Starts a recording.
    pub(crate) async fn start_recording(
        &self,
        settings: RecordSettings,
    ) -> Result<(), ControlError> {
        let recorder = self.recordings.start(settings).await?;
        let sent = self.orders.send(Order::Record(recorder));
        sent.map_err(|_| ControlErrorKind::Ended)?;
        // What clients send after the answer is recorded.
        self.all_answer().await
    }

    /// Has the server end.
    pub fn stop(&self) {
        // It may have ended before.
        let _ = self.orders.send(Order::Stop);
    }
}
