//! Open spans as events that others inherit from.

use std::{
    cell::RefCell,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU32, Ordering},
    },
};

use fantail_event::{Ancestor, Event, Timestamp, ValueRef};
use smallvec::SmallVec;
use tracing_core::{Metadata, Subscriber, span};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    clock::{Clock, Start},
    metadata::{SEVERITY, severity_of},
    scratch::with_scratch,
};

/// Closed spans of a thread whose memory is kept for new ones.
const MAX_SPARE_SPANS: usize = 64;
/// Spans around an event that need no allocation.
const INLINE_ANCESTORS: usize = 16;

/// The layer or filter that recorded a span. Each records the spans that it sees, which
/// other filters of the program do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u32);

impl Owner {
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The extension of a span: what each owner recorded.
#[derive(Debug, Default)]
struct Recorded(SmallVec<[(Owner, Arc<OpenSpan>); 1]>);

/// An open span.
#[derive(Debug, Default)]
pub(crate) struct OpenSpan {
    recorded: RwLock<SpanEvent>,
    metadata: Option<&'static Metadata<'static>>,
    parent: Option<Arc<OpenSpan>>,
    clock: Clock,
    start: Start,
}

/// What was recorded of a span.
#[derive(Debug, Default)]
pub(crate) struct SpanEvent {
    /// The fields; the name, the source, the built-in fields and the times only if it is
    /// complete.
    pub(crate) event: Event,
    is_complete: bool,
}

thread_local! {
    static SPARE: RefCell<Vec<Arc<OpenSpan>>> = const { RefCell::new(Vec::new()) };
}

impl OpenSpan {
    /// Records a new span with all its fields: a later configuration may read others.
    pub(crate) fn open<S>(
        owner: Owner,
        clock: &Clock,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: &Context<'_, S>,
    ) where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let Some(span) = context.span(id) else { return };
        let parent = span
            .parent()
            .and_then(|parent| Self::nearest(owner, parent));
        let mut open = spare();
        with_scratch(|scratch| {
            // A span that is too large has the fields before the limit.
            let _ = scratch.record_span(attributes);
            if let Some(open) = Arc::get_mut(&mut open) {
                let recorded = open.recorded.get_mut();
                let recorded = recorded.unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut recorded.event, &mut scratch.event);
                recorded.is_complete = false;
                open.metadata = Some(attributes.metadata());
                open.parent = parent;
                open.clock.clone_from(clock);
                open.start = clock.start();
            }
        });
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Recorded>() {
            Some(recorded) => recorded.0.push((owner, open)),
            None => extensions.insert(Recorded(SmallVec::from_iter([(owner, open)]))),
        }
    }

    /// Returns what the owner recorded of this span.
    pub(crate) fn of<'a, S>(owner: Owner, span: &SpanRef<'a, S>) -> Option<Arc<Self>>
    where
        S: LookupSpan<'a>,
    {
        let extensions = span.extensions();
        let recorded = extensions.get::<Recorded>()?;
        let mut all = recorded.0.iter();
        let (_, open) = all.find(|(known, _)| *known == owner)?;
        Some(Arc::clone(open))
    }

    /// Returns this span or the nearest around it that the owner recorded.
    pub(crate) fn nearest<'a, S>(owner: Owner, span: SpanRef<'a, S>) -> Option<Arc<Self>>
    where
        S: LookupSpan<'a>,
    {
        let mut next = Some(span);
        while let Some(span) = next {
            if let Some(open) = Self::of(owner, &span) {
                return Some(open);
            }
            next = span.parent();
        }
        None
    }

    /// Adds fields that the program recorded later to what the owner recorded of a span;
    /// returns whether it recorded any.
    pub(crate) fn record<S>(
        owner: Owner,
        id: &span::Id,
        values: &span::Record<'_>,
        context: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let span = context.span(id);
        let open = span.and_then(|span| Self::of(owner, &span));
        open.is_some_and(|open| {
            open.add(values);
            true
        })
    }

    fn add(&self, values: &span::Record<'_>) {
        with_scratch(|scratch| {
            let created = self.read().event.as_event_ref().created();
            // A span that would be too large keeps the fields that it has.
            let recorded = scratch.record_values(values, created);
            let _ = recorded.and_then(|()| self.write().event.merge(scratch.event.as_event_ref()));
        });
    }

    /// Removes what the owner recorded of a span that is closed.
    pub(crate) fn take<'a, S>(owner: Owner, span: &SpanRef<'a, S>) -> Option<Arc<Self>>
    where
        S: LookupSpan<'a>,
    {
        let mut extensions = span.extensions_mut();
        let recorded = extensions.get_mut::<Recorded>()?;
        let at = recorded.0.iter().position(|(known, _)| *known == owner)?;
        Some(recorded.0.swap_remove(at).1)
    }

    /// Returns the nearest span around it that the owner recorded.
    pub(crate) fn parent(&self) -> Option<&Arc<Self>> {
        self.parent.as_ref()
    }

    /// Calls `send` with the event of the span, which ends now, and those around it.
    pub(crate) fn end(&self, severity: bool, send: impl FnOnce(&Event, &[Ancestor<'_>])) {
        self.complete();
        let mut recorded = self.write();
        if let Some(metadata) = self.metadata
            && severity
        {
            let number = ValueRef::Int(severity_of(*metadata.level()));
            // A span that would be too large keeps the fields that it has.
            let _ = recorded.event.set(SEVERITY.as_bytes(), number);
        }
        let created = recorded.event.as_event_ref().created().unix_micros();
        let sent = created.saturating_add(self.micros());
        recorded.event.set_sent(Timestamp::from_unix_micros(sent));
        with_ancestors(self.parent(), |ancestors| send(&recorded.event, ancestors));
    }

    /// Returns the microseconds since the start.
    pub(crate) fn micros(&self) -> i64 {
        self.clock.micros_since(self.start)
    }

    /// Adds what the callsite has, for filters and exporters that read all of an event.
    fn complete(&self) {
        if self.read().is_complete {
            return;
        }
        let mut recorded = self.write();
        // Another thread may have come first.
        if let Some(metadata) = self.metadata
            && !recorded.is_complete
        {
            with_scratch(|scratch| {
                let created = self.clock.time_of(self.start);
                // A span that would be too large has the fields before the limit.
                let _ = scratch.complete_span(metadata, created, &recorded.event);
                std::mem::swap(&mut recorded.event, &mut scratch.event);
            });
            recorded.is_complete = true;
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, SpanEvent> {
        self.recorded.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, SpanEvent> {
        self.recorded
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the memory of a span that was closed.
pub(crate) fn recycle(mut open: Arc<OpenSpan>) {
    let Some(unshared) = Arc::get_mut(&mut open) else {
        return;
    };
    unshared.parent = None;
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MAX_SPARE_SPANS {
            spare.push(open);
        }
    });
}

fn spare() -> Arc<OpenSpan> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Calls `then` with a span and those around it, nearest first. They are locked for
/// reading meanwhile: no code of the program may run.
pub(crate) fn with_ancestors<R>(
    nearest: Option<&Arc<OpenSpan>>,
    then: impl FnOnce(&[Ancestor<'_>]) -> R,
) -> R {
    let chain = std::iter::successors(nearest, |span| span.parent());
    chain.for_each(|span| span.complete());
    with_fields(nearest, |spans| {
        let ancestors = spans.iter().map(|span| Ancestor {
            event: &span.event,
            live: None,
        });
        let ancestors: SmallVec<[Ancestor<'_>; INLINE_ANCESTORS]> = ancestors.collect();
        then(&ancestors)
    })
}

/// As [`with_ancestors`], for callers that read only the fields of spans.
pub(crate) fn with_fields<R>(
    nearest: Option<&Arc<OpenSpan>>,
    then: impl FnOnce(&[RwLockReadGuard<'_, SpanEvent>]) -> R,
) -> R {
    let chain = std::iter::successors(nearest, |span| span.parent());
    let locked: SmallVec<[_; INLINE_ANCESTORS]> = chain.map(|span| span.read()).collect();
    then(&locked)
}
