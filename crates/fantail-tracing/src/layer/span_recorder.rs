//! The layer: spans and events of `tracing` for the engine.

use std::sync::{Arc, RwLockReadGuard};

use fantail_engine::internal::SlotPlan as _;
use tracing_core::{
    Dispatch, Event, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    filter::Filtered,
    layer::{self, Context},
    registry::LookupSpan,
};

use super::shared::{Shared, SpanRecorder};
use crate::{
    callsite::counted::{Counted, CountedCallsite, Own},
    config::compiled::Compiled,
    record::{
        metadata::SEVERITY,
        open_span::{self, OpenSpan, SpanEvent, with_ancestors, with_fields},
        scratch::with_scratch,
    },
};

/// The layer: a [`SpanRecorder`] behind a filter that enables only the callsites which
/// the configuration needs.
///
/// ```
/// use fantail_tracing::Layer;
/// use tracing_subscriber::Registry;
///
/// let (_layer, _handle): (Layer<Registry>, _) = fantail_tracing::layer("")?;
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
pub type Layer<S> = Filtered<SpanRecorder, CallsiteFilter, S>;

/// Enables the callsites that a configuration needs.
/// It is the filter of a [`Layer`]; a program does not build one:
///
/// ```
/// use tracing_subscriber::{Registry, prelude::*};
///
/// let (layer, _handle) = fantail_tracing::layer::<Registry>("")?;
/// let _filter: &fantail_tracing::CallsiteFilter = layer.filter();
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct CallsiteFilter {
    pub(crate) shared: Arc<Shared>,
}

impl<S> layer::Layer<S> for SpanRecorder
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.shared.set_dispatch(dispatch);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        OpenSpan::open(
            self.shared.owner,
            &self.shared.clock,
            attributes,
            id,
            &context,
        );
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let _ = OpenSpan::record(self.shared.owner, id, values, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let compiled = self.shared.compiled.load();
        if !self.count_event(&compiled, event, &context) {
            self.send_event(event, &context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let shared = &*self.shared;
        let Some(span) = context.span(&id) else {
            return;
        };
        if let Some(open) = OpenSpan::take(shared.owner, &span) {
            let compiled = shared.compiled.load();
            if !self.count_span(&compiled, span.metadata(), &open) {
                let severity = compiled.wanted.has_built_in(SEVERITY);
                open.end(severity, |event, ancestors| {
                    shared.handle(span.metadata(), event, ancestors);
                });
            }
            open_span::recycle(open);
        }
    }
}

impl SpanRecorder {
    /// Counts an event, if that is all that is asked for; returns whether it is done.
    fn count_event<S>(
        &self,
        compiled: &Compiled,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let shared = &*self.shared;
        let Some(callsite) = self.counted(compiled, event.metadata()) else {
            return false;
        };
        let slots = compiled.plan.slots();
        with_scratch(|scratch| {
            let values = &mut scratch.values;
            if !values.record(event, &callsite.slots, slots.len()) {
                // It is larger than any event may be.
                return true;
            }
            let count = |spans: &[RwLockReadGuard<'_, SpanEvent>]| {
                let counted = Counted {
                    slots,
                    callsite,
                    own: Own::Values(values),
                    spans,
                    micros: 0,
                };
                shared.count(&compiled.plan, &counted)
            };
            match callsite.reads_spans(values) {
                true => with_fields(self.around(event, context).as_ref(), count),
                false => count(&[]),
            }
        })
    }

    /// Counts a span that ends, if that is all that is asked for; returns whether it is
    /// done.
    fn count_span(
        &self,
        compiled: &Compiled,
        metadata: &'static Metadata<'static>,
        open: &OpenSpan,
    ) -> bool {
        let Some(callsite) = self.counted(compiled, metadata) else {
            return false;
        };
        let recorded = open.read();
        with_fields(open.parent(), |spans| {
            let counted = Counted {
                slots: compiled.plan.slots(),
                callsite,
                own: Own::Fields(&recorded.event),
                spans,
                micros: open.micros(),
            };
            self.shared.count(&compiled.plan, &counted)
        })
    }

    /// Returns what a callsite fixes, if its events are only counted.
    #[inline]
    fn counted<'a>(
        &self,
        compiled: &'a Compiled,
        metadata: &'static Metadata<'static>,
    ) -> Option<&'a CountedCallsite> {
        let counted = compiled.counted.as_ref()?;
        match self.shared.needs_all_fields() {
            true => None,
            false => counted.get(&compiled.plan, metadata),
        }
    }

    /// Records a whole event, for exporters, explanations and the client of a server.
    fn send_event<S>(&self, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let shared = &*self.shared;
        let around = self.around(event, context);
        with_scratch(|scratch| {
            let compiled = shared.compiled.load();
            let wanted = match shared.needs_all_fields() {
                true => compiled.wanted.and_all_others(),
                false => &compiled.wanted,
            };
            let now = shared.clock.now();
            if scratch.record_event(event, wanted, now).is_err() {
                return;
            }
            with_ancestors(around.as_ref(), |ancestors| {
                shared.handle(event.metadata(), &scratch.event, ancestors);
            });
        });
    }

    /// Returns the nearest span around an event that is recorded.
    fn around<S>(&self, event: &Event<'_>, context: &Context<'_, S>) -> Option<Arc<OpenSpan>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let owner = self.shared.owner;
        if let Some(span) = context.event_span(event) {
            return OpenSpan::nearest(owner, span);
        }
        // A parent that the macro was given and that is not enabled for this layer: the
        // context does not show it, nor the spans around it.
        let id = event.parent()?;
        let dispatch = self.shared.dispatch()?;
        let span = dispatch.downcast_ref::<S>()?.span(id)?;
        OpenSpan::nearest(owner, span)
    }
}

impl<S> layer::Filter<S> for CallsiteFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.shared.is_enabled(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.shared.callsites.add(metadata);
        match self.shared.is_enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.shared.max_level())
    }
}
