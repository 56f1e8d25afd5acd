//! The state that a layer and its handle share.

use std::{
    cell::Cell,
    hash::{BuildHasher as _, RandomState},
    num::NonZeroUsize,
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use fantail_engine::{Plan, Sharded, internal::ValueCounter as _};
use fantail_event::{Ancestor, CategoryTree, Event, SentEvent};
use fantail_format::{EventIds, ExportContext};
use tracing_core::{
    Dispatch, LevelFilter, Metadata, callsite,
    dispatcher::{self, WeakDispatch},
};

use super::probes::Probes;
use crate::{
    callsite::{counted::Counted, decisions::KnownCallsites},
    client::StatsClient,
    config::{compiled::Compiled, error::ConfigError},
    record::{
        clock::Clock,
        metadata::level_of,
        open_span::{Owner, SpanEvent},
    },
    sync::{Mutex, PoisonError},
};

/// Engines for each core: a thread that is suspended while it has an engine delays
/// only the threads of that engine.
const SHARDS_PER_CORE: usize = 4;

/// The time in which the queue of a removed exporter may send what it has.
const CLOSING_TIME: Duration = Duration::from_secs(60);

/// Passes spans and events to the engine.
///
/// [`layer`](crate::layer()) returns it within a [`Layer`](crate::Layer); without the filter, all
/// callsites of the program are enabled.
///
/// ```
/// use fantail_tracing::{Layer, SpanRecorder};
/// use tracing_subscriber::{Registry, prelude::*};
///
/// let (layer, _handle): (Layer<Registry>, _) = fantail_tracing::layer("")?;
/// let subscriber = tracing_subscriber::registry().with(layer);
/// assert!(tracing::Dispatch::new(subscriber).downcast_ref::<SpanRecorder>().is_some());
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct SpanRecorder {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) owner: Owner,
    pub(crate) clock: Clock,
    /// The client of a stats server, if there is one.
    pub(crate) client: Option<StatsClient>,
    /// The host's name in exports.
    host: Vec<u8>,
    pub(crate) compiled: ArcSwap<Compiled>,
    pub(crate) shards: Sharded,
    pub(crate) probes: Probes,
    pub(crate) callsites: KnownCallsites,
    dispatch: OnceLock<WeakDispatch>,
    /// One change of the configuration at a time.
    changes: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(
        compiled: Compiled,
        clock: Clock,
        host: Vec<u8>,
        client: Option<StatsClient>,
    ) -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let shards = cores.saturating_mul(NonZeroUsize::MIN.saturating_add(SHARDS_PER_CORE - 1));
        let shards = Sharded::new(Arc::clone(&compiled.plan), shards);
        let run = RandomState::new().hash_one(0).to_le_bytes();
        let [a, b, c, d, ..] = run;
        for number in 0..shards.len() {
            let worker = u32::try_from(number).unwrap_or(u32::MAX);
            let ids = EventIds::new(clock.now(), u32::from_le_bytes([a, b, c, d]), worker);
            shards.shard(number).use_ids(ids);
        }
        Self {
            owner: Owner::unique(),
            clock,
            client,
            host,
            shards,
            compiled: ArcSwap::from_pointee(compiled),
            probes: Probes::default(),
            callsites: KnownCallsites::default(),
            dispatch: OnceLock::new(),
            changes: Mutex::new(()),
        }
    }

    /// Notes the subscriber that the layer belongs to.
    pub(crate) fn set_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    /// Returns the subscriber that the layer belongs to.
    pub(crate) fn dispatch(&self) -> Option<Dispatch> {
        self.dispatch.get()?.upgrade()
    }

    /// Has `tracing` ask all filters of the program about each callsite.
    ///
    /// It asks only the default subscriber of this thread if the program has a single
    /// one: another thread's would find all its callsites disabled.
    pub(crate) fn rebuild_interest(&self) {
        match self.dispatch() {
            Some(dispatch) if !self.is_default() => {
                dispatcher::with_default(&dispatch, callsite::rebuild_interest_cache);
            }
            _ => callsite::rebuild_interest_cache(),
        }
    }

    /// Returns whether the layer belongs to the default subscriber of this thread.
    fn is_default(&self) -> bool {
        dispatcher::get_default(|dispatch| {
            let layer = dispatch.downcast_ref::<SpanRecorder>();
            layer.is_some_and(|layer| std::ptr::eq(&*layer.shared, self))
        })
    }

    /// Returns whether spans or events of this callsite are recorded.
    pub(crate) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        let client = self.client.as_ref();
        self.probes.are_active()
            || client.is_some_and(|client| client.may_want(metadata))
            || self.compiled.load().is_enabled(metadata)
    }

    /// Returns the most verbose level that is recorded.
    pub(crate) fn max_level(&self) -> LevelFilter {
        match self.needs_all_fields() {
            true => LevelFilter::TRACE,
            false => self.compiled.load().max_level(),
        }
    }

    /// Returns whether all fields are read, beside those of the configuration.
    pub(crate) fn needs_all_fields(&self) -> bool {
        self.probes.are_active() || self.client.as_ref().is_some_and(StatsClient::wants_any)
    }

    /// Counts and exports an event.
    pub(crate) fn handle(&self, metadata: &Metadata<'_>, event: &Event, parents: &[Ancestor<'_>]) {
        let event = event.as_event_ref();
        let sent = SentEvent {
            level: level_of(*metadata.level()),
            event,
            parents,
            global: &[],
            categories: CategoryTree::empty(),
        };
        if self.probes.are_active() {
            self.probes.show(&sent);
        }
        if let Some(client) = &self.client {
            client.send(&sent);
        }
        let context = ExportContext {
            host: &self.host,
            received_at: event.sent().unwrap_or_else(|| event.created()),
        };
        let mut shard = self.shards.shard(shard_of_thread());
        let compiled = self.compiled.load();
        // During a change, this thread may come first.
        if !Arc::ptr_eq(shard.plan(), &compiled.plan) {
            shard.adopt(Arc::clone(&compiled.plan));
        }
        shard.handle(&sent, context, &mut &compiled.exporters);
    }

    /// Counts an event by its values; returns whether the shard has its plan.
    pub(crate) fn count<G: Deref<Target = SpanEvent>>(
        &self,
        plan: &Arc<Plan>,
        event: &Counted<'_, G>,
    ) -> bool {
        let mut shard = self.shards.shard(shard_of_thread());
        // During a change, another thread may have come first, or this one.
        let is_current = Arc::ptr_eq(shard.plan(), plan);
        if is_current {
            shard.count_values(event.callsite.number, event);
        }
        is_current
    }

    /// Replaces the configuration. Metrics with the same settings and filter keep
    /// their counts.
    pub(crate) fn reload(&self, text: &str) -> Result<(), ConfigError> {
        {
            let _one = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            let former = self.compiled.load_full();
            let compiled = Compiled::new(text, &former.exporters, &self.host)?;
            let compiled = Arc::new(compiled);
            self.compiled.store(Arc::clone(&compiled));
            // After this, no thread exports by the former plan.
            self.shards.adopt(&compiled.plan);
            former
                .exporters
                .close_unless_in(&compiled.exporters, CLOSING_TIME);
        }
        self.rebuild_interest();
        Ok(())
    }
}

/// Returns the shard of this thread: threads take shards in turn.
fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<Option<usize>> = const { Cell::new(None) };
    }
    SHARD.get().unwrap_or_else(|| {
        let shard = NEXT.fetch_add(1, Ordering::Relaxed);
        SHARD.set(Some(shard));
        shard
    })
}
