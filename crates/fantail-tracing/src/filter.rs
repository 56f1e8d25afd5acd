//! Filters for other layers.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;
use fantail_event::{CategoryTree, SentEvent};
use fantail_filter::Filter;
use fantail_syntax::ParseErrors;
use fantail_transport::{Admission, Throttle, ThrottleSettings};
use tracing_core::{
    Event, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    layer::{self, Context},
    registry::LookupSpan,
};

use crate::{
    callsite::{
        decisions::Compilation,
        verdict::{Known, Verdict, most_verbose},
    },
    record::{
        clock::Clock,
        metadata::level_of,
        open_span::{self, OpenSpan, Owner, with_ancestors},
        scratch::with_scratch,
        wanted::Wanted,
    },
};

/// A filter for any layer, by the values of events and of the spans around them.
///
/// It decides about *events*. A span is enabled for the layer if its level and target
/// fit the filter, or if the filter reads one of its fields: events inherit them.
///
/// The filter decides as early as it can: by the callsite if the name, level, target
/// and source are enough, else by the values of the event.
///
/// ```
/// use fantail_tracing::LayerFilter;
/// use tracing_subscriber::prelude::*;
///
/// let filter: LayerFilter = "severity>=13 OR user=anna AND NOT target=hyper*".parse()?;
/// let handle = filter.handle();
/// let _subscriber = tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer().with_filter(filter));
/// handle.set("level=error")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LayerFilter {
    inner: Arc<Inner>,
}

/// The handle of a [`LayerFilter`]: it reads and replaces the filter.
///
/// Clones refer to the same filter.
#[derive(Debug, Clone)]
pub struct FilterHandle {
    inner: Arc<Inner>,
}

/// Events that a filter matched and its sampling or rate limit dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Dropped {
    /// Events that were not drawn for the sample.
    pub sampled: u64,
    /// Events that exceeded the rate limit.
    pub rate_limited: u64,
}

#[derive(Debug)]
struct Inner {
    owner: Owner,
    current: ArcSwap<CompiledFilter>,
    throttle: Option<(Mutex<Throttle>, Instant)>,
}

#[derive(Debug)]
struct CompiledFilter {
    filter: Filter,
    wanted: Wanted,
    /// Whether it reads fields that events can inherit from spans.
    inherits: bool,
    compilation: Compilation,
}

impl LayerFilter {
    /// Creates a filter that admits some of its events: one in `sample`, and at most
    /// `rate` a second.
    #[must_use]
    pub fn throttled(filter: Filter, settings: ThrottleSettings) -> Self {
        let throttle = (!settings.admits_all()).then(|| {
            let seed = RandomState::new().hash_one(0);
            (Mutex::new(Throttle::new(settings, seed)), Instant::now())
        });
        Self {
            inner: Arc::new(Inner {
                owner: Owner::unique(),
                current: ArcSwap::from_pointee(CompiledFilter::from(filter)),
                throttle,
            }),
        }
    }

    /// Returns the handle.
    #[must_use]
    pub fn handle(&self) -> FilterHandle {
        FilterHandle {
            inner: Arc::clone(&self.inner),
        }
    }

    fn verdict(&self, metadata: &Metadata<'_>) -> Verdict {
        self.inner.current.load().verdict(metadata)
    }
}

impl From<Filter> for LayerFilter {
    fn from(filter: Filter) -> Self {
        Self::throttled(filter, ThrottleSettings::default())
    }
}

impl FromStr for LayerFilter {
    type Err = ParseErrors;

    fn from_str(text: &str) -> Result<Self, ParseErrors> {
        text.parse::<Filter>().map(Self::from)
    }
}

impl FilterHandle {
    /// Replaces the filter.
    ///
    /// # Errors
    /// The text is not a filter; the former one stays.
    pub fn set(&self, text: &str) -> Result<(), ParseErrors> {
        self.replace(text.parse()?);
        Ok(())
    }

    /// Replaces the filter by a compiled one.
    pub fn replace(&self, filter: Filter) {
        self.inner.current.store(Arc::new(filter.into()));
        // It asks all filters of the program about each callsite.
        tracing_core::callsite::rebuild_interest_cache();
    }

    /// Returns the current filter; its `Display` is a text that can be stored.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.inner.current.load().filter.clone()
    }

    /// Returns the number of dropped events.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        let Some((throttle, _)) = &self.inner.throttle else {
            return Dropped::default();
        };
        let throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
        Dropped {
            sampled: throttle.sampled(),
            rate_limited: throttle.rate_limited(),
        }
    }
}

impl Inner {
    /// Returns whether sampling and rate limit admit an event.
    fn admits(&self) -> bool {
        let Some((throttle, since)) = &self.throttle else {
            return true;
        };
        let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.admit(since.elapsed()) == Admission::Admitted
    }
}

impl From<Filter> for CompiledFilter {
    fn from(filter: Filter) -> Self {
        let wanted = Wanted::of_filter(&filter);
        Self {
            inherits: wanted.inherits(),
            wanted,
            filter,
            compilation: Compilation::unique(),
        }
    }
}

impl CompiledFilter {
    fn verdict(&self, metadata: &Metadata<'_>) -> Verdict {
        self.compilation.decision(metadata, || {
            if metadata.is_event() {
                return Known::of(metadata).matches(&self.filter);
            }
            match self.wanted.inherits_from(metadata) {
                true => Verdict::Always,
                false => Known::Surroundings(metadata).evaluate(&self.filter),
            }
        })
    }

    /// Returns whether an event matches by its values.
    fn matches<S>(&self, owner: Owner, event: &Event<'_>, context: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let span = match self.inherits {
            true => context.event_span(event),
            false => None,
        };
        let around = span.and_then(|span| OpenSpan::nearest(owner, span));
        with_scratch(|scratch| {
            // A filter reads no time of an event; its duration is 0.
            let created = fantail_event::Timestamp::default();
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

impl<S> layer::Filter<S> for LayerFilter
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.verdict(metadata) != Verdict::Never
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.verdict(metadata) {
            Verdict::Never => Interest::never(),
            Verdict::Always if self.inner.throttle.is_none() => Interest::always(),
            // `event_enabled` decides. With `always`, the state that all filters of the
            // thread share would keep its refusal for the next event.
            Verdict::Maybe | Verdict::Always => Interest::sometimes(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let current = self.inner.current.load();
        Some(match current.inherits {
            // A span of any level can have the field.
            true => LevelFilter::TRACE,
            false => most_verbose(std::iter::once(&current.filter)),
        })
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        let current = self.inner.current.load();
        let matches = match current.verdict(event.metadata()) {
            Verdict::Never => false,
            Verdict::Always => true,
            Verdict::Maybe => current.matches(self.inner.owner, event, context),
        };
        matches && self.inner.admits()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if self.inner.current.load().inherits {
            OpenSpan::open(self.inner.owner, &Clock::Unused, attributes, id, &context);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        OpenSpan::record(self.inner.owner, id, values, &context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(span) = context.span(&id) {
            open_span::recycle(self.inner.owner, &span);
        }
    }
}

impl fmt::Display for LayerFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.current.load().filter.fmt(f)
    }
}
