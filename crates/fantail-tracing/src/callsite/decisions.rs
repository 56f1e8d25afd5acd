//! Decisions about callsites, remembered by each thread.

use std::{
    cell::RefCell,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use hashbrown::HashMap;
use tracing_core::{Metadata, callsite::Identifier};

use super::verdict::Verdict;

/// Decisions that a thread remembers; beyond, it starts again.
const MAX_DECISIONS: usize = 16 * 1024;

/// The number of a compiled configuration or filter: its decisions are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Compilation(u64);

impl Compilation {
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the decision about a callsite; `decide` makes it at first.
    pub(crate) fn decision(
        self,
        metadata: &Metadata<'_>,
        decide: impl FnOnce() -> Verdict,
    ) -> Verdict {
        let key = (self, metadata.callsite());
        let known = DECISIONS.try_with(|known| known.borrow().get(&key).copied());
        if let Ok(Some(verdict)) = known {
            return verdict;
        }
        let verdict = decide();
        // A thread that ends remembers nothing.
        let _ = DECISIONS.try_with(|known| {
            let mut known = known.borrow_mut();
            if known.len() >= MAX_DECISIONS {
                known.clear();
            }
            known.insert(key, verdict);
        });
        verdict
    }
}

/// The callsites that the program has reached.
#[derive(Debug, Default)]
pub(crate) struct KnownCallsites(Mutex<HashMap<Identifier, &'static Metadata<'static>>>);

impl KnownCallsites {
    pub(crate) fn add(&self, metadata: &'static Metadata<'static>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(metadata.callsite(), metadata);
    }

    pub(crate) fn all(&self) -> Vec<&'static Metadata<'static>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().copied().collect()
    }
}

thread_local! {
    static DECISIONS: RefCell<HashMap<(Compilation, Identifier), Verdict>> =
        RefCell::new(HashMap::new());
}
