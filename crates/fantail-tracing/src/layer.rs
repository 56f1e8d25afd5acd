//! The layer: spans and events of `tracing` for the engine.

use std::sync::Arc;

use tracing_core::{
    Event, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    filter::Filtered,
    layer::{self, Context},
    registry::LookupSpan,
};

use crate::{
    record::with_scratch,
    shared::Shared,
    span::{self, OpenSpan, with_ancestors},
};

/// The layer: a [`SpanRecorder`] behind a filter that enables only the callsites which
/// the configuration needs.
pub type Layer<S> = Filtered<SpanRecorder, CallsiteFilter, S>;

/// Passes spans and events to the engine.
///
/// [`layer`](crate::layer()) returns it within a [`Layer`]; without the filter, all
/// callsites of the program are enabled.
#[derive(Debug)]
pub struct SpanRecorder {
    pub(crate) shared: Arc<Shared>,
}

/// Enables the callsites that a configuration needs.
#[derive(Debug)]
pub struct CallsiteFilter {
    pub(crate) shared: Arc<Shared>,
}

impl<S> layer::Layer<S> for SpanRecorder
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
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
        let span = context.span(id);
        if let Some(open) = span.and_then(|span| OpenSpan::of(self.shared.owner, &span)) {
            open.record(values);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let shared = &*self.shared;
        let span = context.event_span(event);
        let around = span.and_then(|span| OpenSpan::nearest(shared.owner, span));
        with_scratch(|scratch| {
            let compiled = shared.compiled.load();
            let wanted = &compiled.wanted;
            let begun = scratch.begin(event.metadata(), wanted, shared.clock.now());
            let mut recorder = scratch.recorder(wanted);
            recorder.result = begun;
            event.record(&mut recorder);
            scratch
                .event
                .set_sent(scratch.event.as_event_ref().created());
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
            span::recycle(shared.owner, &span);
        }
    }
}

impl<S> layer::Filter<S> for CallsiteFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.shared.compiled.load().is_enabled(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.shared.compiled.load().is_enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.shared.compiled.load().max_level())
    }
}
