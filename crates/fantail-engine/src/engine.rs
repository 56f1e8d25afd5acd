//! A configuration at work.

mod handle;
mod lifetime;
pub(crate) mod values;

use std::{ops::AddAssign, sync::Arc};

use fantail_config::Settings;
use fantail_event::EffectiveBuffers;
use fantail_format::EventIds;
use fantail_metrics::{MetricId, Registry, SeriesMemory, Snapshot};

use self::handle::Exporting;
use crate::{
    Plan, PlanError,
    cohort_cache::CohortCache,
    matching::{EventSlots, SetMatcher},
    observers::Observers,
    sessions::{RunningSessions, Sessions},
};

/// Metrics and exporters, fed with events.
///
/// An engine belongs to one thread at a time; [`Sharded`](crate::Sharded) is for
/// several.
#[derive(Debug)]
pub struct Engine {
    plan: Arc<Plan>,
    /// In the order of the plan's metrics.
    ids: Vec<MetricId>,
    registry: Registry,
    /// The memory of all series, if it is bounded.
    memory: Option<Arc<dyn SeriesMemory>>,
    slots: EventSlots,
    metrics: SetMatcher,
    observers: Observers,
    cohorts: CohortCache,
    sessions: Sessions,
    buffers: EffectiveBuffers,
    exporting: Exporting,
}

/// What an engine has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Events handled, derived ones included.
    pub events: u64,
    /// Those that matched some metric.
    pub matched: u64,
    /// Payloads handed to the sink.
    pub exported: u64,
    /// Payloads that the sink did not want.
    pub unwanted: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.matched += other.matched;
        self.exported += other.exported;
        self.unwanted += other.unwanted;
    }
}

impl Engine {
    /// An engine for these settings, all its metrics at zero.
    ///
    /// # Errors
    /// As for [`Plan::new`].
    pub fn new(settings: &Settings) -> Result<Self, PlanError> {
        Ok(Self::with_plan(Arc::new(Plan::new(settings)?)))
    }

    /// An engine for a plan that others may share.
    #[must_use]
    pub fn with_plan(plan: Arc<Plan>) -> Self {
        let mut engine = Self {
            ids: Vec::new(),
            registry: Registry::new(plan.dialect),
            memory: None,
            slots: EventSlots::new(plan.filters.slots()),
            metrics: SetMatcher::new(),
            observers: Observers::default(),
            cohorts: CohortCache::default(),
            sessions: Sessions::new(None),
            buffers: EffectiveBuffers::new(),
            exporting: Exporting::default(),
            plan: Arc::clone(&plan),
        };
        engine.adopt(plan);
        engine
    }

    /// Sets where exporters' event ids come from, for those that write them; to
    /// be called before any event. Without, they are the same in each run:
    /// engines of a program need ids of their own.
    pub fn use_ids(&mut self, ids: EventIds) {
        self.exporting.ids = ids;
    }

    /// Has all series share this memory, beside the limits of the configuration.
    pub fn share_memory(&mut self, memory: Arc<dyn SeriesMemory>) {
        self.registry.share_memory(Arc::clone(&memory));
        self.memory = Some(memory);
    }

    /// The plan by which it works.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The counts of all metrics.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }

    /// The counts of all metrics, which start again from zero.
    #[must_use]
    pub fn take(&mut self) -> Snapshot {
        let snapshot = self.registry.snapshot();
        self.registry.reset();
        snapshot
    }

    /// What it has done so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.exporting.counters
    }

    /// Returns the bytes that the engine keeps for live events, to find their fields
    /// again.
    #[must_use]
    pub const fn live_bytes(&self) -> usize {
        self.slots.memo_bytes()
    }

    /// Returns the bytes that sessions hold; 0 if no metric asks for
    /// sessions.
    #[must_use]
    pub fn session_bytes(&self) -> usize {
        self.sessions.held_bytes()
    }

    /// The sessions that are open and the commands that are running; all 0 if no
    /// metric asks for sessions.
    #[must_use]
    pub const fn running_sessions(&self) -> RunningSessions {
        self.sessions.running()
    }
}
