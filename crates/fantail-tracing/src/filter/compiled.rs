//! A filter, compiled for callsites, spans and events.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use fantail_event::{CategoryTree, Event as Recorded, SentEvent, Timestamp};
use fantail_filter::{Filter, Test};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use super::entered;
use crate::{
    callsite::{
        decisions::Compilation,
        table::CallsiteTable,
        verdict::{Known, Verdict},
    },
    record::{
        metadata::{SOURCES, key_of, level_of},
        open_span::{OpenSpan, Owner, with_ancestors},
        scratch::with_scratch,
        wanted::Wanted,
    },
};

#[derive(Debug)]
pub(super) struct CompiledFilter {
    pub(super) filter: Filter,
    pub(super) wanted: Wanted,
    /// Whether it reads fields that events can inherit from spans.
    pub(super) inherits: bool,
    /// The comparisons that hold without any field.
    holding_alone: u64,
    compilation: Compilation,
    callsites: CallsiteTable<Callsite>,
}

#[derive(Debug)]
struct Callsite {
    decision: Decision,
    /// Whether all its events so far were in the current span. The macros of `tracing`
    /// give a parent to all events of a callsite or to none.
    parents: AtomicU8,
}

/// No event was seen.
const UNKNOWN: u8 = 0;
/// The parents are the current spans.
const CURRENT: u8 = 1;
/// An event had another parent, or none.
const GIVEN: u8 = 2;

/// What decides whether the filter matches an event of a callsite.
#[derive(Debug, Clone, Copy)]
enum Decision {
    Never,
    Always,
    /// The spans around the event: no field of the event itself is compared.
    Spans(BySpans),
    /// The values of the event.
    Values,
}

#[derive(Debug, Clone, Copy)]
struct BySpans {
    /// The comparisons that hold for the callsite.
    holding: u64,
    /// The comparisons with fields of spans.
    inherited: u64,
}

impl Decision {
    const fn verdict(self) -> Verdict {
        match self {
            Self::Never => Verdict::Never,
            Self::Always => Verdict::Always,
            Self::Spans(_) | Self::Values => Verdict::Maybe,
        }
    }
}

impl Callsite {
    /// Returns whether the current span is the parent of all events of the callsite.
    #[inline]
    fn is_in_current_span(&self) -> bool {
        self.parents.load(Ordering::Relaxed) == CURRENT
    }

    /// Notes whether an event has the current span as its parent; returns whether the
    /// first one has not.
    #[inline]
    fn note(&self, event: &Event<'_>) -> bool {
        let now = match event.is_contextual() {
            true => CURRENT,
            false => GIVEN,
        };
        let is_new = self.parents.load(Ordering::Relaxed) < now;
        is_new && self.parents.fetch_max(now, Ordering::AcqRel) < GIVEN && now == GIVEN
    }
}

/// The spans around events, as one filter sees them.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) owner: Owner,
    /// Whether the filter has followed the spans that threads enter from the beginning.
    pub(super) are_followed: bool,
    /// Changes with the filter and the fields of spans; never 0.
    epoch: AtomicU64,
}

impl Spans {
    pub(super) fn new(are_followed: bool) -> Self {
        Self {
            owner: Owner::unique(),
            are_followed,
            epoch: AtomicU64::new(1),
        }
    }

    /// Returns the number of the state of the filter and the fields of spans.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns the answer in this state for a callsite whose events are all in the
    /// current span, if it is known.
    #[inline]
    pub(super) fn answer(&self, epoch: u64, metadata: &Metadata<'_>) -> Option<bool> {
        if !self.are_followed {
            return None;
        }
        entered::with_current(self.owner, |span| span?.answer(epoch, metadata))?
    }

    /// Notes that the filter or the fields of a span have changed.
    pub(super) fn change(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

impl From<Filter> for CompiledFilter {
    fn from(filter: Filter) -> Self {
        let wanted = Wanted::of_filter(&filter);
        Self {
            holding_alone: holding_within(&filter, None),
            inherits: wanted.inherits(),
            wanted,
            filter,
            compilation: Compilation::unique(),
            callsites: CallsiteTable::new(),
        }
    }
}

impl CompiledFilter {
    pub(super) fn verdict(&self, metadata: &Metadata<'_>) -> Verdict {
        match self.callsites.get(metadata) {
            Some(callsite) => callsite.decision.verdict(),
            None => self
                .compilation
                .decision(metadata, || self.find_verdict(metadata)),
        }
    }

    /// Returns whether the filter can match an event or a span of this callsite in this
    /// state.
    #[inline]
    pub(super) fn is_enabled(&self, spans: &Spans, epoch: u64, metadata: &Metadata<'_>) -> bool {
        let Some(callsite) = self.callsites.get(metadata) else {
            return self.verdict(metadata) != Verdict::Never;
        };
        match callsite.decision {
            Decision::Never => false,
            Decision::Spans(by_spans) if callsite.is_in_current_span() => {
                let Some(around) = self.holding_in_current(spans) else {
                    return true;
                };
                let answer = self.holds(by_spans, around);
                entered::with_current(spans.owner, |span| {
                    if let Some(span) = span {
                        span.keep(epoch, metadata, answer);
                    }
                });
                answer
            }
            _ => true,
        }
    }

    fn find_verdict(&self, metadata: &Metadata<'_>) -> Verdict {
        if metadata.is_event() {
            return Known::of(metadata).matches(&self.filter);
        }
        match self.wanted.inherits_from(metadata) {
            true => Verdict::Always,
            false => Known::Surroundings(metadata).evaluate(&self.filter),
        }
    }

    /// Returns whether an event matches.
    pub(super) fn matches<S>(
        &self,
        spans: &Spans,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let metadata = event.metadata();
        let find = || self.find_callsite(metadata);
        let Some(callsite) = self.callsites.get_or_insert(metadata, find) else {
            return match self.verdict(metadata) {
                Verdict::Never => false,
                Verdict::Always => true,
                Verdict::Maybe => self.values_match(spans, event, context),
            };
        };
        match callsite.decision {
            Decision::Never => false,
            Decision::Always => true,
            Decision::Spans(by_spans) => {
                if callsite.note(event) {
                    // Answers for the callsite may be known.
                    spans.change();
                }
                let known = match event.is_contextual() {
                    true => self.holding_in_current(spans),
                    false => None,
                };
                let around = known.unwrap_or_else(|| {
                    holding_within(&self.filter, self.around(spans, event, context).as_ref())
                });
                self.holds(by_spans, around)
            }
            Decision::Values => self.values_match(spans, event, context),
        }
    }

    /// Returns the result for the comparisons that hold for the spans around an event.
    #[inline]
    fn holds(&self, by_spans: BySpans, around: u64) -> bool {
        let holding = by_spans.holding | by_spans.inherited & around;
        self.filter.program().run(|at| holding >> at & 1 == 1)
    }

    fn find_callsite(&self, metadata: &Metadata<'_>) -> Callsite {
        let by_spans = || self.spans_decide(metadata).map(Decision::Spans);
        Callsite {
            decision: match self.find_verdict(metadata) {
                Verdict::Never => Decision::Never,
                Verdict::Always => Decision::Always,
                Verdict::Maybe => by_spans().unwrap_or(Decision::Values),
            },
            parents: AtomicU8::new(UNKNOWN),
        }
    }

    /// Returns the decision by the spans around events of a callsite; `None` if a field
    /// of the events can decide.
    fn spans_decide(&self, metadata: &Metadata<'_>) -> Option<BySpans> {
        let comparisons = self.filter.comparisons();
        if comparisons.len() > u64::BITS as usize {
            return None;
        }
        let (mut holding, mut inherited) = (0, 0);
        for (at, comparison) in comparisons.iter().enumerate() {
            match (
                Known::of(metadata).test(comparison.test()),
                comparison.test(),
            ) {
                (Some(holds), _) => holding |= u64::from(holds) << at,
                (None, Test::Field(test)) if !has_field(metadata, &test.key) => {
                    inherited |= 1 << at;
                }
                (None, _) => return None,
            }
        }
        Some(BySpans { holding, inherited })
    }

    /// Returns the comparisons that hold for the current span; `None` if it is not
    /// followed.
    #[inline]
    fn holding_in_current(&self, spans: &Spans) -> Option<u64> {
        if !spans.are_followed {
            return None;
        }
        // Read first: a change meanwhile has another number.
        let epoch = spans.epoch();
        entered::with_current(spans.owner, |span| {
            let Some(span) = span else {
                return self.holding_alone;
            };
            let known = span.known.get();
            if known.is_of(self.compilation, epoch) {
                return known.holding;
            }
            let holding = holding_within(&self.filter, span.open.as_ref());
            span.known
                .set(entered::Known::new(self.compilation, epoch, holding));
            holding
        })
    }

    /// Returns the nearest span around an event that was recorded.
    fn around<S>(
        &self,
        spans: &Spans,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) -> Option<Arc<OpenSpan>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        if !self.inherits {
            return None;
        }
        OpenSpan::nearest(spans.owner, context.event_span(event)?)
    }

    /// Returns whether an event matches by its values and those of the spans around it.
    fn values_match<S>(&self, spans: &Spans, event: &Event<'_>, context: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let around = self.around(spans, event, context);
        with_scratch(|scratch| {
            // A filter reads no time of an event; its duration is 0.
            let created = Timestamp::default();
            if scratch.record_event(event, &self.wanted, created).is_err() {
                return false;
            }
            with_ancestors(around.as_ref(), |parents| {
                self.filter.matches(&SentEvent {
                    level: level_of(*event.metadata().level()),
                    event: scratch.event.as_event_ref(),
                    parents,
                    global: &[],
                    categories: CategoryTree::empty(),
                })
            })
        })
    }
}

/// Returns the comparisons that hold for the fields of these spans alone.
#[cold]
fn holding_within(filter: &Filter, open: Option<&Arc<OpenSpan>>) -> u64 {
    let nothing = Recorded::default();
    with_ancestors(open, |parents| {
        let sent = SentEvent {
            parents,
            ..SentEvent::alone(&nothing)
        };
        let comparisons = filter.comparisons().iter().take(u64::BITS as usize);
        let holds = comparisons.map(|comparison| match comparison.test() {
            Test::Field(test) => test.holds(&sent),
            _ => false,
        });
        let bits = holds.enumerate().map(|(at, holds)| u64::from(holds) << at);
        bits.fold(0, |all, bit| all | bit)
    })
}

/// Returns whether an event of this callsite can have a field itself.
fn has_field(metadata: &Metadata<'_>, key: &[u8]) -> bool {
    metadata.fields().iter().any(|field| {
        let of_error = key.strip_suffix(SOURCES.as_bytes());
        [Some(key), of_error].contains(&Some(key_of(field.name()).as_bytes()))
    })
}
