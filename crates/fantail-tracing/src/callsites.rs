//! Decisions about callsites, remembered by each thread.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use hashbrown::HashMap;
use tracing_core::{Metadata, callsite::Identifier};

use crate::verdict::Verdict;

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

thread_local! {
    static DECISIONS: RefCell<HashMap<(Compilation, Identifier), Verdict>> =
        RefCell::new(HashMap::new());
}
