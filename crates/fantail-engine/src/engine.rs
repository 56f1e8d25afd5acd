//! A configuration at work.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use fantail_config::Settings;
use fantail_event::{Flat, Gather, RawSending, SentEvent};
use fantail_filter::{Filter, Matcher};
use fantail_format::{EventIds, Moment};
use fantail_metrics::{
    MetricId, Registry, Snapshot,
    state::{Restored, State},
};

use crate::{
    ExportSink, Plan,
    fast::{Fast, Together},
    plan::Unnamed,
};

/// Metrics and exporters, fed with events.
#[derive(Debug)]
pub struct Engine {
    plan: Arc<Plan>,
    /// In the order of the plan's metrics.
    ids: Vec<MetricId>,
    matcher: Matcher,
    registry: Registry,
    counters: Counters,
    payload: Vec<u8>,
    gather: Gather,
    event_ids: EventIds,
    fast: Fast,
    together: Together,
}

/// What an engine has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Events taken.
    pub events: u64,
    /// Those that matched some metric.
    pub matched: u64,
    /// Payloads handed to the sink.
    pub exported: u64,
    /// Payloads that the sink did not want.
    pub unwanted: u64,
}

impl std::ops::AddAssign for Counters {
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
    pub fn new(settings: &Settings) -> Result<Self, EngineError> {
        Self::with_plan(Arc::new(Plan::new(settings)?))
    }

    /// An engine for a plan that others may have, too.
    ///
    /// # Errors
    /// None that [`Plan::new`] would not have found.
    pub fn with_plan(plan: Arc<Plan>) -> Result<Self, EngineError> {
        let mut engine = Self {
            ids: Vec::new(),
            matcher: Matcher::new(),
            registry: Registry::new(plan.dialect),
            counters: Counters::default(),
            payload: Vec::new(),
            gather: Gather::new(),
            event_ids: EventIds::default(),
            fast: Fast::new(&plan.filters),
            together: Together::default(),
            plan: Arc::clone(&plan),
        };
        engine.adopt(plan)?;
        Ok(engine)
    }

    /// Works by other settings from now on. Metrics that are the same, with
    /// the same filter, keep what they counted.
    ///
    /// # Errors
    /// As for [`Plan::new`]; the engine stays as it was.
    pub fn reconfigure(&mut self, settings: &Settings) -> Result<(), EngineError> {
        self.adopt(Arc::new(Plan::new(settings)?))
    }

    /// [`reconfigure`](Self::reconfigure) with a plan.
    ///
    /// # Errors
    /// None that [`Plan::new`] would not have found.
    pub fn adopt(&mut self, plan: Arc<Plan>) -> Result<(), EngineError> {
        if plan.dialect != self.plan.dialect {
            // Labels of one are not those of the other.
            self.registry = Registry::new(plan.dialect);
            self.ids.clear();
        }
        let wanted: HashMap<&[u8], &Filter> = plan
            .metrics
            .iter()
            .map(|metric| (metric.settings.name.as_slice(), &metric.filter))
            .collect();
        let same: HashMap<MetricId, bool> = self
            .ids
            .iter()
            .zip(&self.plan.metrics)
            .map(|(id, metric)| {
                let now = wanted.get(metric.settings.name.as_slice());
                (*id, now == Some(&&metric.filter))
            })
            .collect();
        let keep = |id| same.get(&id) == Some(&true);
        let ids = self.registry.replace_all(plan.metric_settings(), keep);
        self.ids = ids.map_err(EngineError::new)?;
        // A plan whose series fit nowhere was refused when it was made. Where
        // they do not fit beside what was counted already, they come up with
        // their first event like others, or go to `other`.
        let _ = plan.series.apply(&mut self.registry, &self.ids);
        self.matcher = Matcher::new();
        self.fast = Fast::new(&plan.filters);
        self.together = Together::default();
        self.plan = plan;
        Ok(())
    }

    /// Where exporters' ids of events come from, for those that write them;
    /// before any event. Without, they are the same in each run: engines of a
    /// program need ids of their own.
    pub fn use_ids(&mut self, ids: EventIds) {
        self.event_ids = ids;
    }

    /// What it works by.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Takes one event that was sent.
    ///
    /// Metrics come in the order of the configuration, as in Dovecot.
    pub fn handle(&mut self, sent: &SentEvent<'_>, moment: Moment<'_>, sink: &mut impl ExportSink) {
        self.counters.events += 1;
        if !self.looks_at(sent) {
            return;
        }
        // Gathered once, and only if some metric that matches exports.
        let mut flat = None;
        let matching = self.matcher.evaluate(&self.plan.filters, sent);
        self.counters.matched += u64::from(!matching.is_empty());
        for filter in matching {
            let at = filter.index();
            let (Some(metric), Some(id)) = (self.plan.metrics.get(at), self.ids.get(at)) else {
                continue;
            };
            self.registry.observe_at(*id, sent, moment.now);
            let Some((exporter, formatter)) = &metric.export else {
                continue;
            };
            if !sink.wants(*exporter) {
                self.counters.unwanted += 1;
                continue;
            }
            self.payload.clear();
            if !formatter.is_silent() {
                let flat = &*flat.get_or_insert_with(|| sent.flatten());
                let (flat, ids) = (Flat::from(flat), &mut self.event_ids);
                formatter.write_numbered(&flat, ids, moment, &mut self.payload);
            }
            sink.export(*exporter, &self.payload);
            self.counters.exported += 1;
        }
    }

    /// Whether metrics see this event at all: in 2.3, and in 2.4 if all
    /// metrics ask for a name, those without one are passed over.
    #[must_use]
    pub fn looks_at(&self, sent: &SentEvent<'_>) -> bool {
        self.plan.unnamed == Unnamed::Matched || sent.event.name.is_some()
    }

    /// As [`handle`](Self::handle), for an event as it was read. The outcome
    /// is the same; it costs a fraction of the time.
    pub fn handle_raw(
        &mut self,
        sending: &RawSending<'_>,
        moment: Moment<'_>,
        sink: &mut impl ExportSink,
    ) {
        let (plan, counters, registry) = (&*self.plan, &mut self.counters, &mut self.registry);
        let (payload, mut gather) = (&mut self.payload, Some(&mut self.gather));
        counters.events += 1;
        if plan.unnamed == Unnamed::Skipped && sending.event.name().is_none() {
            return;
        }
        // Gathered once, and only if some metric that matches exports.
        let mut flat = None;
        let mut matching = self
            .fast
            .matching(&plan.filters, &mut self.matcher, sending);
        counters.matched += u64::from(!matching.is_empty());
        if plan.series.exemplar_slot().is_none() {
            matching.count_together(&mut self.together, registry, plan, &self.ids);
        }
        while let Some(filter) = matching.next() {
            let at = filter.index();
            let (Some(metric), Some(id)) = (plan.metrics.get(at), self.ids.get(at)) else {
                continue;
            };
            match plan.series.exemplar_slot() {
                None => matching.count(registry, *id, &metric.slots),
                Some(slot) => matching.count_at(registry, *id, &metric.slots, slot, moment.now),
            }
            let Some((exporter, formatter)) = &metric.export else {
                continue;
            };
            if !sink.wants(*exporter) {
                counters.unwanted += 1;
                continue;
            }
            payload.clear();
            if !formatter.is_silent() {
                if let Some(gather) = gather.take() {
                    flat = Some(gather.gather(sending));
                }
                if let Some(flat) = &flat {
                    formatter.write_numbered(flat, &mut self.event_ids, moment, payload);
                }
            }
            sink.export(*exporter, payload);
            counters.exported += 1;
        }
    }

    /// What the metrics have counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }

    /// What the metrics have counted so far; they begin anew.
    #[must_use]
    pub fn take(&mut self) -> Snapshot {
        let snapshot = self.registry.snapshot();
        self.registry.reset();
        snapshot
    }

    /// Adds what was counted before a restart, to each metric that is the
    /// same with the same filter; before any event.
    pub fn restore(&mut self, state: &State) -> Restored {
        let plan = &self.plan;
        self.registry.restore(state, |settings, note| {
            plan.filter_text(&settings.name) == note
        })
    }

    /// Drops idle series: see [`Registry::drop_idle`].
    pub fn drop_idle(&mut self, now: Duration, idle: Duration) -> usize {
        self.registry.drop_idle(now, idle)
    }

    /// What it has done so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }
}

/// Settings that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    message: String,
}

impl EngineError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}
