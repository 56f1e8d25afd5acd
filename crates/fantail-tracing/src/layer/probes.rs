//! The filters that are explained, and the last events that each has seen.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use fantail_event::{EffectiveBuffers, Event, SentEvent};
use fantail_filter::{Explanation, Filter};

/// Explained events that wait; more replace the oldest.
const MAX_EVENTS: usize = 100;

/// An event, and why a filter matches it or not.
/// Its `Display` is the event's name and place, and a line for each comparison:
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let (layer, handle) = fantail_tracing::layer("")?;
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     let explain = handle.explain("user=anna")?;
///     tracing::info!(user = "bob", "login");
///     let explained = explain.take();
///     assert_eq!(explained[0].event.as_event_ref().field(b"user"), Some("bob".into()));
///     assert!(explained[0].to_string().contains("user"));
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explained {
    /// The event with the fields of the spans around it.
    pub event: Event,
    /// The explanation.
    pub explanation: Explanation,
}

/// The filters that are explained.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Read by each event.
    active: AtomicUsize,
    probes: Mutex<Vec<Arc<Probe>>>,
}

#[derive(Debug)]
pub(super) struct Probe {
    filter: Filter,
    explained: Mutex<VecDeque<Explained>>,
}

impl Probes {
    pub(crate) fn are_active(&self) -> bool {
        self.active.load(Ordering::Relaxed) != 0
    }

    #[cold]
    pub(crate) fn show(&self, sent: &SentEvent<'_>) {
        let probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffers = EffectiveBuffers::new();
        for probe in &*probes {
            // Only an event beyond a gigabyte is too large.
            let Ok(event) = buffers.gather(sent).to_event() else {
                continue;
            };
            let mut explained = probe.lock();
            if explained.len() == MAX_EVENTS {
                explained.pop_front();
            }
            explained.push_back(Explained {
                event,
                explanation: probe.filter.explain(sent),
            });
        }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<Arc<Probe>>)) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut probes);
        self.active.store(probes.len(), Ordering::Relaxed);
    }
}

impl Probe {
    pub(super) fn new(filter: Filter) -> Self {
        Self {
            filter,
            explained: Mutex::default(),
        }
    }

    /// Returns the events since the last call.
    pub(super) fn take(&self) -> Vec<Explained> {
        self.lock().drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Explained>> {
        self.explained
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event.as_event_ref();
        let name = event.name().unwrap_or(b"event");
        let source = event.source();
        write!(f, "{}", String::from_utf8_lossy(name))?;
        if let Some(source) = source {
            write!(
                f,
                " ({}:{})",
                String::from_utf8_lossy(source.file),
                source.line
            )?;
        }
        write!(f, ": {}", self.explanation)
    }
}
