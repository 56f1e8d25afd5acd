//! Where a field was found last, in events of one class.
//!
//! Events of one name mostly have the same fields in the same order, so that
//! the next one has it in the same place: one key is compared where otherwise
//! all would be. A view may make use of it or not
//! ([`SlotView::value_near`](super::SlotView::value_near)).

use core::sync::atomic::{AtomicU32, Ordering};

use fantail_event::ValueRef;

use super::{narrow, slots::Slot, view::SlotView};

/// A hint that is kept beside what asks for the field. Atomic only so that the
/// class around it can be shared; it orders nothing.
#[derive(Debug, Default)]
pub(super) struct Place(AtomicU32);

impl Place {
    /// The value in this slot, which is always the same one.
    #[inline]
    pub(super) fn value<'v, V: SlotView + ?Sized>(
        &self,
        slot: Slot,
        view: &'v V,
    ) -> Option<ValueRef<'v>> {
        let before = self.0.load(Ordering::Relaxed) as usize;
        let mut place = before;
        let value = view.value_near(slot, &mut place);
        if place != before {
            self.0.store(narrow(place), Ordering::Relaxed);
        }
        value
    }
}
