//! Why events match a filter, or do not.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use fantail_event::{EffectiveBuffers, Event, SentEvent};
use fantail_filter::{Explanation, Filter};

use crate::shared::Shared;

/// Explained events that wait; more replace the oldest.
const MAX_EVENTS: usize = 100;

/// An event, and why a filter matches it or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explained {
    /// The event with the fields of the spans around it.
    pub event: Event,
    /// The explanation.
    pub explanation: Explanation,
}

/// Explains a filter for the events of the program while it exists.
///
/// [`Handle::explain`](crate::Handle::explain) creates it.
#[derive(Debug)]
pub struct Explain {
    shared: Arc<Shared>,
    probe: Arc<Probe>,
}

/// The filters that are explained.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Read by each event.
    active: AtomicUsize,
    probes: Mutex<Vec<Arc<Probe>>>,
}

#[derive(Debug)]
struct Probe {
    filter: Filter,
    explained: Mutex<VecDeque<Explained>>,
}

impl Explain {
    pub(crate) fn new(shared: &Arc<Shared>, filter: Filter) -> Self {
        let probe = Arc::new(Probe {
            filter,
            explained: Mutex::default(),
        });
        shared
            .probes
            .change(|probes| probes.push(Arc::clone(&probe)));
        shared.rebuild_interest();
        Self {
            shared: Arc::clone(shared),
            probe,
        }
    }

    /// Returns the events since the last call, at most the last 100.
    #[must_use]
    pub fn take(&self) -> Vec<Explained> {
        let mut explained = self.probe.lock();
        explained.drain(..).collect()
    }
}

impl Drop for Explain {
    fn drop(&mut self) {
        let probes = &self.shared.probes;
        probes.change(|probes| probes.retain(|probe| !Arc::ptr_eq(probe, &self.probe)));
        self.shared.rebuild_interest();
    }
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

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Probe>>)) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut probes);
        self.active.store(probes.len(), Ordering::Relaxed);
    }
}

impl Probe {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Explained>> {
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
