//! The spans that a thread has entered, for each filter that reads their fields.
//!
//! They are those of the registry's stack that the filter has enabled. A filter that
//! finds the current span here needs not look it up in the registry for each event.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use tracing_core::{Metadata, span};

use crate::{
    callsite::decisions::Compilation,
    record::open_span::{OpenSpan, Owner},
};

/// A span that this thread has entered.
pub(super) struct Entered {
    owner: Owner,
    id: u64,
    /// Whether the thread was in the span already: the registry then goes on with the
    /// span that was current.
    is_repeated: bool,
    /// What the owner recorded of it, or of the nearest span around it.
    pub(super) open: Option<Arc<OpenSpan>>,
    /// What the owner knows of it.
    pub(super) known: Cell<Known>,
    answers: Answers,
}

/// The answers for some callsites whose events are all in the current span.
#[derive(Default)]
struct Answers {
    /// The state of the filter and of the fields of spans; 0 is none.
    epoch: Cell<u64>,
    /// By the address of their metadata.
    of: [Cell<(usize, bool)>; ANSWERS],
}

/// Answers of a span that are kept; a power of two.
const ANSWERS: usize = 4;

/// The comparisons of a filter that hold for a span and those around it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    compilation: Option<Compilation>,
    /// The state of the fields of spans.
    epoch: u64,
    /// By the number of the comparison.
    pub(super) holding: u64,
}

impl Known {
    pub(super) const fn new(compilation: Compilation, epoch: u64, holding: u64) -> Self {
        Self {
            compilation: Some(compilation),
            epoch,
            holding,
        }
    }

    #[inline]
    pub(super) fn is_of(&self, compilation: Compilation, epoch: u64) -> bool {
        self.epoch == epoch && self.compilation == Some(compilation)
    }
}

impl Entered {
    /// Returns the answer for a callsite.
    #[inline]
    pub(super) fn answer(&self, epoch: u64, metadata: &Metadata<'_>) -> Option<bool> {
        let (address, answer) = self.answers.cell(metadata)?.get();
        let is_known = self.answers.epoch.get() == epoch && address == address_of(metadata);
        is_known.then_some(answer)
    }

    /// Keeps the answer for a callsite.
    pub(super) fn keep(&self, epoch: u64, metadata: &Metadata<'_>, answer: bool) {
        if self.answers.epoch.replace(epoch) != epoch {
            self.answers.of.iter().for_each(|cell| cell.set((0, false)));
        }
        if let Some(cell) = self.answers.cell(metadata) {
            cell.set((address_of(metadata), answer));
        }
    }
}

impl Answers {
    #[inline]
    fn cell(&self, metadata: &Metadata<'_>) -> Option<&Cell<(usize, bool)>> {
        // Metadata is larger than 64 bytes.
        self.of.get((address_of(metadata) >> 6) % ANSWERS)
    }
}

#[inline]
fn address_of(metadata: &Metadata<'_>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn enter(owner: Owner, id: &span::Id, open: Option<Arc<OpenSpan>>) {
    let id = id.into_u64();
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let mut others = entered.iter();
        let is_repeated = others.any(|other| other.owner == owner && other.id == id);
        entered.push(Entered {
            owner,
            id,
            is_repeated,
            open,
            known: Cell::default(),
            answers: Answers::default(),
        });
    });
}

pub(super) fn exit(owner: Owner, id: &span::Id) {
    let id = id.into_u64();
    let left = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let at = entered
            .iter()
            .rposition(|other| other.owner == owner && other.id == id)?;
        Some(entered.remove(at))
    });
    drop(left);
}

/// Calls `read` with the current span of a filter, if there is one. `None` for a thread
/// that ends.
#[inline]
pub(super) fn with_current<R>(owner: Owner, read: impl FnOnce(Option<&Entered>) -> R) -> Option<R> {
    let result = ENTERED.try_with(|entered| {
        let entered = entered.borrow();
        let mut innermost = entered.iter().rev();
        read(innermost.find(|span| span.owner == owner && !span.is_repeated))
    });
    result.ok()
}
