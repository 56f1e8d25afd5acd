//! What happens to an event: matching, counting, exporting.

use fantail_event::{
    Activity, EffectiveBuffers, EffectiveEvent, EventView, ExportView, Level, SentEvent,
};
use fantail_filter::{FilterId, internal::SlotView as _};
use fantail_format::{EventIds, ExportContext};
use fantail_metrics::MetricId;

use super::{Counters, Engine};
use crate::{
    ExportSink, Exported, ObserverId, Plan,
    matching::{CountedEvent, MetricEvent},
    plan::{Export, PlannedMetric, Unnamed},
};

/// What exporting needs besides the event.
#[derive(Debug, Default)]
pub(super) struct Exporting {
    pub(super) counters: Counters,
    pub(super) ids: EventIds,
    payload: Vec<u8>,
}

/// What exporters and observers write of an event, gathered once, and only if
/// one of them asks.
enum Effective<'g> {
    Ungathered(&'g mut EffectiveBuffers, &'g SentEvent<'g>),
    Gathered(EffectiveEvent<'g>),
    /// While it is gathered.
    Nothing,
}

impl<'g> Effective<'g> {
    fn get(&mut self) -> EffectiveEvent<'g> {
        let event = match std::mem::replace(self, Self::Nothing) {
            Self::Ungathered(buffers, sent) => buffers.gather(sent),
            Self::Gathered(event) => event,
            Self::Nothing => unreachable!("it is gathered in one step"),
        };
        *self = Self::Gathered(event);
        event
    }
}

impl Engine {
    /// Handles one event: counts it in each metric whose filter it matches, in
    /// the order of the configuration, has the exporters write it, and shows it
    /// to the observers.
    ///
    /// An event of your own type is matched, counted and exported by its keys. A
    /// [`SentEvent`] is the fast arm of the same route: the positions of its
    /// fields are found once for all filters.
    ///
    /// An event without a name is counted by no metric in 2.3, nor in 2.4 if the
    /// filters of all metrics require a name.
    #[inline]
    pub fn handle<E: ExportView>(
        &mut self,
        event: &E,
        context: ExportContext<'_>,
        sink: &mut impl ExportSink,
    ) {
        match event.as_sent() {
            Some(sent) => self.handle_sent(sent, context, sink),
            None => self.handle_view(event, context, sink),
        }
    }

    /// Handles what a client did: [`handle`](Self::handle) for events that were
    /// sent; and events are derived when a session ends.
    #[inline]
    pub fn step(
        &mut self,
        activity: &Activity<'_>,
        context: ExportContext<'_>,
        sink: &mut impl ExportSink,
    ) {
        if let Activity::Sent { event, begun } = activity {
            self.handle_sent(event, context, sink);
            if self.sessions.is_active() {
                self.sessions.sent(event, *begun);
            }
        } else {
            self.follow(activity, context, sink);
        }
    }

    /// Follows what happens to a live event after it was sent.
    #[inline(never)]
    fn follow(
        &mut self,
        activity: &Activity<'_>,
        context: ExportContext<'_>,
        sink: &mut impl ExportSink,
    ) {
        match activity {
            Activity::Sent { .. } => {}
            Activity::Updated { id, update } => {
                if self.sessions.is_active() {
                    self.sessions.updated(*id, *update);
                }
            }
            Activity::Ended {
                id,
                event,
                categories,
            } => {
                self.slots.forget(*id);
                if !self.sessions.is_active() {
                    return;
                }
                let dialect = self.plan.dialect();
                let ended = self
                    .sessions
                    .ended(*id, *event, dialect, context.received_at);
                if let Some(summary) = ended {
                    let sent = SentEvent {
                        level: Level::Info,
                        categories,
                        ..SentEvent::alone(&summary)
                    };
                    self.handle_sent(&sent, context, sink);
                }
            }
        }
    }

    /// Whether metrics count events like this one at all; see
    /// [`handle`](Self::handle).
    #[must_use]
    pub fn counts<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.plan.unnamed == Unnamed::Matched || event.name().is_some()
    }

    fn handle_sent(
        &mut self,
        sent: &SentEvent<'_>,
        context: ExportContext<'_>,
        sink: &mut impl ExportSink,
    ) {
        let is_counted = self.counts(sent);
        let (plan, registry, exporting) = (&*self.plan, &mut self.registry, &mut self.exporting);
        exporting.counters.events += 1;
        if !is_counted && self.observers.is_empty() {
            return;
        }
        let mut effective = Effective::Ungathered(&mut self.buffers, sent);
        let begun = self.slots.begin(sent);
        let (event, matched) = self.metrics.match_slots(&plan.filters, begun);
        let mut filters = if is_counted { matched.filters } else { &[] };
        exporting.counters.matched += u64::from(!filters.is_empty());
        let exemplar = plan.series.exemplar_slot();
        if exemplar.is_none() {
            let list = (filters, matched.list);
            let micros = || event.micros();
            if let Some(others) = self.cohorts.count(registry, plan, &self.ids, list, micros) {
                filters = others;
            }
        }
        let views = metric_views(filters, plan, &self.ids, &event);
        match exemplar {
            None => registry.observe_views(views),
            Some(slot) => {
                let value = event.value(slot);
                registry.observe_views_at(views, value, context.received_at);
            }
        }
        if plan.exports {
            let metrics = filters
                .iter()
                .map(|filter| plan.metrics.get(filter.index()));
            for metric in metrics.flatten() {
                for export in &metric.exports {
                    exporting.export((metric, export), sent, &mut effective, context, sink);
                }
            }
        }
        if !self.observers.is_empty() {
            observe(
                self.observers.matching(begun),
                || sent.text_bytes(),
                &mut effective,
                context,
                sink,
            );
        }
    }

    fn handle_view<E: ExportView>(
        &mut self,
        event: &E,
        context: ExportContext<'_>,
        sink: &mut impl ExportSink,
    ) {
        let is_counted = self.counts(event);
        let (plan, registry, exporting) = (&*self.plan, &mut self.registry, &mut self.exporting);
        exporting.counters.events += 1;
        let view: &dyn ExportView = event;
        let mut effective = Effective::Gathered(view.into());
        let filters = match is_counted {
            true => self.metrics.match_keys(&plan.filters, event),
            false => &[],
        };
        exporting.counters.matched += u64::from(!filters.is_empty());
        for filter in filters {
            let at = filter.index();
            let (Some(metric), Some(id)) = (plan.metrics.get(at), self.ids.get(at)) else {
                debug_assert!(false, "no metric for {filter:?}");
                continue;
            };
            registry.observe_at(*id, event, context.received_at);
            for export in &metric.exports {
                exporting.export((metric, export), view, &mut effective, context, sink);
            }
        }
        if !self.observers.is_empty() {
            let (set, matcher) = (&self.observers.set, &mut self.observers.matcher);
            observe(
                matcher.match_keys(set, event),
                || 0,
                &mut effective,
                context,
                sink,
            );
        }
    }
}

/// Returns the metrics of these filters, each with its view of the event.
#[inline]
pub(super) fn metric_views<'e, V: CountedEvent>(
    filters: &'e [FilterId],
    plan: &'e Plan,
    ids: &'e [MetricId],
    event: &'e V,
) -> impl Iterator<Item = (MetricId, MetricEvent<'e, V>)> {
    filters.iter().filter_map(move |filter| {
        let at = filter.index();
        let both = ids.get(at).zip(plan.metrics.get(at));
        debug_assert!(both.is_some(), "no metric for {filter:?}");
        both.map(|(id, metric)| (*id, MetricEvent::new(event, &metric.slots)))
    })
}

impl Exporting {
    /// Has an exporter write an event.
    #[inline]
    fn export<'g>(
        &mut self,
        (metric, export): (&PlannedMetric, &Export),
        event: &dyn ExportView,
        effective: &mut Effective<'g>,
        context: ExportContext<'_>,
        sink: &mut impl ExportSink,
    ) {
        let text_bytes = event.as_sent().map_or(0, SentEvent::text_bytes);
        if !sink.wants(export.exporter, text_bytes) {
            self.counters.unwanted += 1;
            return;
        }
        self.payload.clear();
        if !export.formatter.is_silent() {
            let effective = effective.get();
            let (ids, payload) = (&mut self.ids, &mut self.payload);
            export
                .formatter
                .write(&metric.settings.name, &effective, ids, context, payload);
        }
        sink.export(Exported {
            exporter: export.exporter,
            metric: &metric.settings.name,
            event,
            payload: &self.payload,
        });
        self.counters.exported += 1;
    }
}

fn observe(
    filters: &[FilterId],
    text_bytes: impl Fn() -> usize,
    effective: &mut Effective<'_>,
    context: ExportContext<'_>,
    sink: &mut impl ExportSink,
) {
    for filter in filters {
        let observer = ObserverId(filter.index());
        if sink.wants_observed(observer, text_bytes()) {
            sink.observed(observer, &effective.get(), context);
        }
    }
}
