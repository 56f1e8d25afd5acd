//! Filters for other layers.

mod compiled;
mod entered;

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;
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

use self::compiled::{CompiledFilter, Spans};
use crate::{
    callsite::verdict::{Verdict, most_verbose},
    record::{
        clock::Clock,
        open_span::{self, OpenSpan},
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
///
/// ```
/// use fantail_tracing::LayerFilter;
///
/// let filter: LayerFilter = "level=error".parse()?;
/// let handle = filter.handle();
/// handle.set("level=error OR user=anna")?;
/// assert!(handle.set("user=").is_err());
/// assert_eq!(handle.filter().comparisons().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FilterHandle {
    inner: Arc<Inner>,
}

/// Events that a filter matched and its sampling or rate limit dropped.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use fantail_tracing::LayerFilter;
/// use fantail_transport::ThrottleSettings;
/// use tracing_subscriber::prelude::*;
///
/// let mut settings = ThrottleSettings::default();
/// settings.sample = NonZeroU32::new(10);
/// let filter = LayerFilter::throttled("level=info".parse()?, settings);
/// let handle = filter.handle();
/// let log = tracing_subscriber::fmt::layer().with_filter(filter);
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
///     (0..100).for_each(|number| tracing::info!(number, "one of ten is shown"));
/// });
/// assert!(handle.dropped().sampled > 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    spans: Spans,
    current: ArcSwap<CompiledFilter>,
    throttle: Option<(Mutex<Throttle>, Instant)>,
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
        let compiled = CompiledFilter::from(filter);
        Self {
            inner: Arc::new(Inner {
                spans: Spans::new(compiled.inherits),
                current: ArcSwap::from_pointee(compiled),
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
        self.inner.spans.change();
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

impl<S> layer::Filter<S> for LayerFilter
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        let spans = &self.inner.spans;
        // Read before the filter: a later one has another number.
        let epoch = spans.epoch();
        let decide = || self.inner.current.load().is_enabled(spans, epoch, metadata);
        spans.answer(epoch, metadata).unwrap_or_else(decide)
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
        current.matches(&self.inner.spans, event, context) && self.inner.admits()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if self.inner.current.load().inherits {
            let owner = self.inner.spans.owner;
            OpenSpan::open(owner, &Clock::Unused, attributes, id, &context);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let spans = &self.inner.spans;
        if OpenSpan::record(spans.owner, id, values, &context) {
            spans.change();
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let spans = &self.inner.spans;
        if spans.are_followed {
            let span = context.span(id);
            let open = span.and_then(|span| OpenSpan::nearest(spans.owner, span));
            entered::enter(spans.owner, id, open);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if self.inner.spans.are_followed {
            entered::exit(self.inner.spans.owner, id);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id);
        let open = span.and_then(|span| OpenSpan::take(self.inner.spans.owner, &span));
        if let Some(open) = open {
            open_span::recycle(open);
        }
    }
}

impl fmt::Display for LayerFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.current.load().filter.fmt(f)
    }
}
