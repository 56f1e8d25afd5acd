//! The layer: spans and events of `tracing` for the engine.

use std::sync::Arc;

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
use crate::record::{
    open_span::{self, OpenSpan, with_ancestors},
    scratch::with_scratch,
    wanted,
};

/// The layer: a [`SpanRecorder`] behind a filter that enables only the callsites which
/// the configuration needs.
pub type Layer<S> = Filtered<SpanRecorder, CallsiteFilter, S>;

/// Enables the callsites that a configuration needs.
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
        OpenSpan::record(self.shared.owner, id, values, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let shared = &*self.shared;
        let around = self.around(event, &context);
        with_scratch(|scratch| {
            let compiled = shared.compiled.load();
            let wanted = match shared.needs_all_fields() {
                true => &wanted::ALL,
                false => &compiled.wanted,
            };
            if scratch
                .record_event(event, wanted, shared.clock.now())
                .is_err()
            {
                return;
            }
            with_ancestors(around.as_ref(), |ancestors| {
                shared.handle(event.metadata(), &scratch.event, ancestors);
            });
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let shared = &*self.shared;
        let Some(span) = context.span(&id) else {
            return;
        };
        if let Some(open) = OpenSpan::of(shared.owner, &span) {
            open.end(&shared.clock, |event, ancestors| {
                shared.handle(span.metadata(), event, ancestors);
            });
            drop(open);
            open_span::recycle(shared.owner, &span);
        }
    }
}

impl SpanRecorder {
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
