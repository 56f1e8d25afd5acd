//! The registry: all metrics of a program or of one shard.

mod cohorts;
mod declare;
pub(crate) mod known_paths;
mod lifetime;
mod memory;
mod merge_limited;
pub(crate) mod metric_view;
mod observe;
mod observe_views;
mod top;
pub(crate) mod tree;

use std::{
    collections::HashMap,
    hash::RandomState,
    sync::{Arc, Mutex, PoisonError},
};

use fantail_event::{Dialect, EventView};

pub use self::memory::SeriesMemory;
use self::{
    metric_view::ByKey,
    observe::{Scratch, observe},
    top::TopCounts,
    tree::Tree,
};
use crate::{
    Limits, MetricRules, MetricSettings, MetricSnapshot, RegistryError, RegistryErrorKind,
    Snapshot,
    settings::check_all,
    store::cohort::{Cohorts, Shares},
};

/// Metrics with their sub-metrics, in the order of their addition.
///
/// The registry does not know which events count for which metric: its owner
/// matches filters and calls [`observe`](Self::observe). One thread updates a
/// registry; several threads have a registry each and merge their
/// [snapshots](Snapshot).
///
/// ```
/// use fantail_event::{Dialect, Event, SentEvent, Timestamp};
/// use fantail_metrics::{GroupBy, Label, Method, MetricSettings, Registry};
///
/// let mut registry = Registry::new(Dialect::V2_4);
/// let logins = registry.add(MetricSettings {
///     name: b"logins".to_vec(),
///     group_by: vec![GroupBy {
///         field: b"user".to_vec(),
///         method: Method::Discrete(Vec::new()),
///     }],
///     ..MetricSettings::default()
/// })?;
///
/// let event = Event::builder(Timestamp::from_unix_micros(1_000_000))
///     .sent(Timestamp::from_unix_micros(1_000_250))
///     .field("user", "anna")
///     .build()?;
/// assert!(registry.observe(logins, &SentEvent::alone(&event)));
///
/// let snapshot = registry.snapshot();
/// let series = snapshot.metrics()[0].series();
/// let seen: Vec<_> = series
///     .iter()
///     .map(|series| (series.label(), series.duration().count(), series.duration().sum()))
///     .collect();
/// // The metric itself, and its sub-metric.
/// assert_eq!(seen, [(Label::Value(b""), 1, 250), (Label::Value(b"anna"), 1, 250)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Registry {
    dialect: Dialect,
    limits: Limits,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slots in the order of the metrics.
    order: Vec<u32>,
    names: HashMap<Vec<u8>, u32>,
    /// The number of series of all metrics, including reserved ones.
    used: usize,
    scratch: Scratch,
    /// Of the fingerprints of all trees.
    hash_keys: RandomState,
    exemplar_field: Option<Arc<[u8]>>,
    memory: Option<Arc<dyn SeriesMemory>>,
    /// The number of times that a metric started from zero.
    epochs: u64,
    /// Only a snapshot locks it, like the tree of a metric.
    cohorts: Mutex<Cohorts>,
}

/// A metric, or the room for one. The order of the fields, here and in the tree,
/// is that of C, so that an update reads few cache lines.
#[derive(Debug, Default)]
#[repr(C)]
struct Slot {
    /// The number of metrics that had this slot before.
    generation: u32,
    metric: Option<Metric>,
}

#[derive(Debug)]
#[repr(C)]
struct Metric {
    tree: Tree,
    settings: Arc<MetricSettings>,
    overflowed: u64,
    dropped: u64,
    /// The indices of the metric's cohorts, if any.
    cohorts: Option<Arc<[u32]>>,
    rules: MetricRules,
    /// The heavy hitters; [`Tree::has_top`] tells whether they are counted.
    top: Option<Box<TopCounts>>,
    /// Changes whenever the metric starts from zero.
    epoch: u64,
}

/// A metric of a [`Registry`]. The id of a removed metric is not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetricId {
    slot: u32,
    generation: u32,
}

impl Registry {
    /// Returns a registry without metrics, with the default [`Limits`].
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self::with_limits(dialect, Limits::default())
    }

    /// Returns a registry without metrics.
    #[must_use]
    pub fn with_limits(dialect: Dialect, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            slots: Vec::new(),
            free: Vec::new(),
            order: Vec::new(),
            names: HashMap::new(),
            used: 0,
            scratch: Scratch::default(),
            hash_keys: RandomState::new(),
            exemplar_field: None,
            memory: None,
            epochs: 0,
            cohorts: Mutex::default(),
        }
    }

    /// Adds a metric after all others.
    ///
    /// # Errors
    /// The name is empty or taken, or there are more than 64 levels of
    /// `group_by`; the registry stays as it was.
    pub fn add(&mut self, settings: MetricSettings) -> Result<MetricId, RegistryError> {
        settings.check()?;
        if self.names.contains_key(&settings.name) {
            let kind = RegistryErrorKind::DuplicateName;
            return Err(RegistryError::new(kind, &settings.name));
        }
        Ok(self.insert(Arc::new(settings)))
    }

    fn insert(&mut self, settings: Arc<MetricSettings>) -> MetricId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            // A metric uses more than 100 bytes: memory ends long before.
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.order.push(slot);
        self.names.insert(settings.name.clone(), slot);
        let mut tree = Tree::new(&settings, &self.hash_keys, &mut self.used);
        tree.share_memory(self.memory.as_ref());
        let top = settings.top.as_ref();
        let top = top.map(|top| Box::new(TopCounts::new(top, self.memory.as_ref())));
        self.epochs += 1;
        let slot_entry = &mut self.slots[slot as usize];
        slot_entry.metric = Some(Metric {
            settings,
            tree,
            overflowed: 0,
            dropped: 0,
            cohorts: None,
            rules: MetricRules::default(),
            top,
            epoch: self.epochs,
        });
        MetricId {
            slot,
            generation: slot_entry.generation,
        }
    }

    /// Removes a metric with all its values; returns `false` if no metric has
    /// this name.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(slot) = self.names.remove(name) else {
            return false;
        };
        self.end_cohorts();
        self.order.retain(|other| *other != slot);
        self.release(slot);
        true
    }

    fn release(&mut self, slot: u32) {
        let slot_entry = &mut self.slots[slot as usize];
        if let Some(metric) = slot_entry.metric.take() {
            self.used -= metric.tree.used();
        }
        slot_entry.generation = slot_entry.generation.wrapping_add(1);
        self.free.push(slot);
    }

    /// Replaces the metrics by these, in this order. Existing metrics with the
    /// same settings keep their values and their id if `keep` returns `true`
    /// (the owner knows whether the filter is the same). Other metrics are
    /// removed or added. Registries can share the settings.
    ///
    /// # Errors
    /// As for [`add`](Self::add); the registry is unchanged.
    pub fn replace_all(
        &mut self,
        settings: impl IntoIterator<Item = impl Into<Arc<MetricSettings>>>,
        mut keep: impl FnMut(MetricId) -> bool,
    ) -> Result<Vec<MetricId>, RegistryError> {
        let settings: Vec<Arc<_>> = settings.into_iter().map(Into::into).collect();
        check_all(&settings)?;
        self.end_cohorts();
        let mut old = std::mem::take(&mut self.names);
        self.order.clear();
        // Collects the kept metrics first, so that no new metric gets their
        // slots.
        let kept: Vec<_> = settings
            .iter()
            .map(|wanted| {
                let slot = *old.get(&wanted.name)?;
                let id = self.id_of(slot);
                let same = self.settings(id).is_some_and(|there| *there == **wanted);
                (same && keep(id)).then(|| {
                    old.remove(&wanted.name);
                    id
                })
            })
            .collect();
        old.into_values().for_each(|slot| self.release(slot));
        let all = settings.into_iter().zip(kept);
        Ok(all
            .map(|(settings, kept)| match kept {
                None => self.insert(settings),
                Some(id) => {
                    self.order.push(id.slot);
                    self.names.insert(settings.name.clone(), id.slot);
                    id
                }
            })
            .collect())
    }

    fn id_of(&self, slot: u32) -> MetricId {
        MetricId {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    fn metric(&self, id: MetricId) -> Option<&Metric> {
        let slot = self.slots.get(id.slot as usize)?;
        slot.metric
            .as_ref()
            .filter(|_| slot.generation == id.generation)
    }

    /// Returns the metric with this name.
    #[must_use]
    pub fn id(&self, name: &[u8]) -> Option<MetricId> {
        self.names.get(name).map(|slot| self.id_of(*slot))
    }

    /// Returns all metrics in order.
    pub fn ids(&self) -> impl Iterator<Item = MetricId> {
        self.order.iter().map(|slot| self.id_of(*slot))
    }

    /// Returns the settings of a metric, unless it is removed.
    #[must_use]
    pub fn settings(&self, id: MetricId) -> Option<&MetricSettings> {
        self.metric(id).map(|metric| &*metric.settings)
    }

    /// Returns the number of series of all metrics.
    #[must_use]
    pub fn series(&self) -> usize {
        let metrics = self.slots.iter().filter_map(|slot| slot.metric.as_ref());
        metrics.map(|metric| metric.tree.len()).sum()
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the limits.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts an event in a metric; the caller knows that the metric's filter
    /// matches. Returns `false` if the metric is removed.
    ///
    /// The event's duration is counted, then each of the metric's fields, then
    /// the same for the sub-metrics of each level of `group_by`. Integers count
    /// as unsigned, floats as their integer part (negative ones as 0), times as
    /// microseconds since 1970, other types as 0. The duration is 0 for an
    /// event without a duration, and for one that was sent before it was
    /// created.
    pub fn observe<E: EventView + ?Sized>(&mut self, id: MetricId, event: &E) -> bool {
        self.scratch.begin();
        let Some(metric) = live(&mut self.slots, id) else {
            return false;
        };
        let settings = &*metric.settings;
        let event = ByKey { event, settings };
        let overflowed = observe(
            &mut metric.tree,
            settings,
            &event,
            self.dialect,
            &self.limits,
            &mut self.used,
            &mut self.scratch,
        );
        metric.overflowed = metric.overflowed.saturating_add(overflowed);
        if metric.tree.has_top() {
            top::observe(&mut metric.top, settings, &event, &mut self.scratch);
        }
        true
    }

    /// Returns a snapshot of all metrics. Taking it is cheap: see [`Snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let cohorts = self.cohorts.lock();
        let cohorts = cohorts.unwrap_or_else(PoisonError::into_inner).share();
        let metrics = self.order.iter().filter_map(|slot| {
            let metric = self.slots.get(*slot as usize)?.metric.as_ref()?;
            let settings = Arc::clone(&metric.settings);
            let top = metric.top.as_ref().map(|top| top.share());
            let mut segments = metric.tree.share();
            if let (Some(indices), Some(root)) = (&metric.cohorts, segments.first_mut()) {
                root.add(Shares::new(Arc::clone(&cohorts), Arc::clone(indices)));
            }
            let snapshot =
                MetricSnapshot::new(settings, segments, metric.overflowed, metric.dropped);
            let snapshot = snapshot.with_rules(metric.rules).with_top(top);
            Some(snapshot.with_epoch(metric.epoch))
        });
        Snapshot::new(self.dialect, metrics.collect(), self.exemplar_field.clone())
    }

    /// Resets all values. Sub-metrics stay, as in Dovecot.
    pub fn reset(&mut self) {
        let cohorts = self.cohorts.get_mut();
        cohorts.unwrap_or_else(PoisonError::into_inner).forget();
        for metric in self
            .slots
            .iter_mut()
            .filter_map(|slot| slot.metric.as_mut())
        {
            metric.tree.reset();
            self.epochs += 1;
            metric.epoch = self.epochs;
            if let Some(top) = &mut metric.top {
                top.reset();
            }
            metric.overflowed = 0;
            metric.dropped = 0;
        }
    }
}

fn live(slots: &mut [Slot], id: MetricId) -> Option<&mut Metric> {
    let slot = slots.get_mut(id.slot as usize)?;
    slot.metric
        .as_mut()
        .filter(|_| slot.generation == id.generation)
}
