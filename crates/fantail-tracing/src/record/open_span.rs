//! Open spans as events that others inherit from.

use std::{
    cell::RefCell,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU32, Ordering},
    },
};

use fantail_event::{Ancestor, Event};
use smallvec::SmallVec;
use tracing_core::{Subscriber, span};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    clock::{Clock, Start},
    scratch::with_scratch,
    wanted,
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
    event: RwLock<Event>,
    parent: Option<Arc<OpenSpan>>,
    start: Start,
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
        let start = clock.start();
        let mut open = spare();
        with_scratch(|scratch| {
            // A span that is too large has the fields before the limit.
            let _ = scratch.record_span(attributes, &wanted::ALL, start.time);
            if let Some(open) = Arc::get_mut(&mut open) {
                let event = open.event.get_mut().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(event, &mut scratch.event);
                open.parent = parent;
                open.start = start;
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

    /// Adds fields that the program recorded later to what the owner recorded of a span.
    pub(crate) fn record<S>(
        owner: Owner,
        id: &span::Id,
        values: &span::Record<'_>,
        context: &Context<'_, S>,
    ) where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let span = context.span(id);
        if let Some(open) = span.and_then(|span| Self::of(owner, &span)) {
            open.add(values);
        }
    }

    fn add(&self, values: &span::Record<'_>) {
        with_scratch(|scratch| {
            // A span that would be too large keeps the fields that it has.
            let recorded = scratch.record_values(values, &wanted::ALL, self.start.time);
            let _ = recorded.and_then(|()| self.write().merge(scratch.event.as_event_ref()));
        });
    }

    /// Calls `send` with the event of the span, which ends now, and those around it.
    pub(crate) fn end(&self, clock: &Clock, send: impl FnOnce(&Event, &[Ancestor<'_>])) {
        let mut event = self.write();
        event.set_sent(clock.end(self.start));
        with_ancestors(self.parent.as_ref(), |ancestors| send(&event, ancestors));
    }

    fn read(&self) -> RwLockReadGuard<'_, Event> {
        self.event.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Event> {
        self.event.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the memory of a span that was closed.
pub(crate) fn recycle<'a, S>(owner: Owner, span: &SpanRef<'a, S>)
where
    S: LookupSpan<'a>,
{
    let mut extensions = span.extensions_mut();
    let Some(recorded) = extensions.get_mut::<Recorded>() else {
        return;
    };
    let Some(at) = recorded.0.iter().position(|(known, _)| *known == owner) else {
        return;
    };
    let (_, mut open) = recorded.0.swap_remove(at);
    drop(extensions);
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
    let chain = std::iter::successors(nearest, |span| span.parent.as_ref());
    let locked: SmallVec<[_; INLINE_ANCESTORS]> = chain.map(|span| span.read()).collect();
    let ancestors = locked.iter().map(|event| Ancestor { event, live: None });
    let ancestors: SmallVec<[Ancestor<'_>; INLINE_ANCESTORS]> = ancestors.collect();
    then(&ancestors)
}
