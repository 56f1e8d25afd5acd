//! Engines of several threads, with one result.

#[cfg(not(shuttle))]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{
    num::NonZeroUsize,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use fantail_metrics::Snapshot;
#[cfg(shuttle)]
use shuttle::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Counters, Engine, Plan};

/// Engines for several threads, which count together.
///
/// A thread takes a [shard](Self::shard) for a batch of events: an uncontended
/// lock costs about 20 ns, a tenth of an event. All activities of a live event
/// must go to the same shard.
///
/// ```
/// use std::{num::NonZeroUsize, sync::Arc, thread};
///
/// use fantail_config::{LoadOptions, load_text};
/// use fantail_engine::{Exported, Plan, Sharded};
/// use fantail_event::{Event, SentEvent, Timestamp};
/// use fantail_format::ExportContext;
///
/// let text = "metric logins {\n filter = event=login_finished\n}\n";
/// let settings = load_text("fantail.conf", text, &LoadOptions::default()).accept()?.settings;
/// let plan = Arc::new(Plan::new(&settings)?);
/// let sharded = Sharded::new(plan, NonZeroUsize::new(2).ok_or("0")?);
/// thread::scope(|scope| {
///     for number in 0..2 {
///         let sharded = &sharded;
///         scope.spawn(move || {
///             let received_at = Timestamp::default();
///             let context = ExportContext { host: b"mail1", received_at };
///             let event = Event::builder(received_at).name("login_finished").build();
///             let mut shard = sharded.shard(number);
///             for event in &event {
///                 shard.handle(&SentEvent::alone(event), context, &mut |_: Exported<'_>| {});
///             }
///         });
///     }
/// });
/// assert_eq!(sharded.counters().matched, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sharded {
    shards: Box<[Mutex<Engine>]>,
    plan: Mutex<Arc<Plan>>,
}

/// A locked shard.
#[derive(Debug)]
pub struct ShardGuard<'a>(MutexGuard<'a, Engine>);

impl Deref for ShardGuard<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.0
    }
}

impl DerefMut for ShardGuard<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.0
    }
}

impl Sharded {
    /// Creates engines for a plan, with all metrics at zero.
    #[must_use]
    pub fn new(plan: Arc<Plan>, shards: NonZeroUsize) -> Self {
        let engine = |_| Mutex::new(Engine::with_plan(Arc::clone(&plan)));
        Self {
            shards: (0..shards.get()).map(engine).collect(),
            plan: Mutex::new(plan),
        }
    }

    /// Locks a shard; numbers above the last start again from the first.
    ///
    /// A thread that panicked while it held the shard does not block others:
    /// the shard has counted all events before the last.
    pub fn shard(&self, number: usize) -> ShardGuard<'_> {
        let shard = &self.shards[number % self.shards.len()];
        ShardGuard(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the number of shards.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// Returns `false`: there is at least one shard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }

    /// Returns the plan of the shards.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the plan of all shards, one after another.
    pub fn adopt(&self, plan: &Arc<Plan>) {
        // One change at a time.
        let mut current = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 0..self.shards.len() {
            self.shard(number).adopt(Arc::clone(plan));
        }
        *current = Arc::clone(plan);
    }

    /// Returns the counts of all shards together, under the series limits of
    /// one registry.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let limits = self.plan().series_limits();
        let snapshots = (0..self.shards.len()).map(|number| self.shard(number).snapshot());
        let snapshots: Vec<Snapshot> = snapshots.collect();
        // There is at least one shard.
        Snapshot::merged(&snapshots, &limits).unwrap_or_else(|| self.shard(0).snapshot())
    }

    /// Returns the counters of all shards together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut all = Counters::default();
        for number in 0..self.shards.len() {
            all += self.shard(number).counters();
        }
        all
    }
}
