//! The state that a layer and its handle share.

use std::{
    cell::Cell,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use arc_swap::ArcSwap;
use fantail_engine::Sharded;
use fantail_event::{Ancestor, CategoryTree, Event, SentEvent};
use fantail_format::ExportContext;
use tracing_core::Metadata;

use crate::{ConfigError, clock::Clock, config::Compiled, metadata::level_of, span::Owner};

/// Engines for each core: a thread that is suspended while it has an engine delays
/// only the threads of that engine.
const SHARDS_PER_CORE: usize = 4;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) owner: Owner,
    pub(crate) clock: Clock,
    pub(crate) compiled: ArcSwap<Compiled>,
    pub(crate) shards: Sharded,
    /// One change of the configuration at a time.
    changes: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(compiled: Compiled, clock: Clock) -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let shards = cores.saturating_mul(NonZeroUsize::MIN.saturating_add(SHARDS_PER_CORE - 1));
        Self {
            owner: Owner::unique(),
            clock,
            shards: Sharded::new(Arc::clone(&compiled.plan), shards),
            compiled: ArcSwap::from_pointee(compiled),
            changes: Mutex::new(()),
        }
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
        let context = ExportContext {
            host: b"",
            received_at: event.sent().unwrap_or_else(|| event.created()),
        };
        let mut shard = self.shards.shard(shard_of_thread());
        let compiled = self.compiled.load();
        // During a change, this thread may come first.
        if !Arc::ptr_eq(shard.plan(), &compiled.plan) {
            shard.adopt(Arc::clone(&compiled.plan));
        }
        shard.handle(&sent, context, &mut |_: fantail_engine::Exported<'_>| {});
    }

    /// Replaces the configuration. Metrics with the same settings and filter keep
    /// their counts.
    pub(crate) fn reload(&self, text: &str) -> Result<(), ConfigError> {
        let compiled = Compiled::new(text)?;
        {
            let _one = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            let plan = Arc::clone(&compiled.plan);
            self.compiled.store(Arc::new(compiled));
            self.shards.adopt(&plan);
        }
        // It asks the filters of the program about each callsite.
        tracing_core::callsite::rebuild_interest_cache();
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
