//! Cached facts about ancestors of events.
//!
//! An ancestor is part of many sent events. Its category set and the slots of its
//! fields are found once and remembered by its number among the live events.

use fantail_event::{
    Ancestor, CategoryTree, LiveId, SentEvent,
    internal::{EventPositions as _, allocated},
};

use super::{
    category_sets::{CategorySetId, CategorySets},
    keys::Keys,
};

/// A memo with more slots than this gives up its memory when its event ends.
const MAX_SPARE_SLOTS: usize = 64;
/// Memos whose memory is kept for the next events.
const SPARE_MEMOS: usize = 64;
/// A table of fewer entries is never made smaller.
const MIN_ENTRIES: usize = 1024;

/// The cached facts about one ancestor.
#[derive(Debug)]
pub(super) struct SlotMemo {
    /// The generation of the live event; 0 for none.
    generation: u64,
    pub(super) categories: CategorySetId,
    /// The slots of its fields, and their positions among its fields.
    pub(super) slots: Vec<(u32, u32)>,
}

impl SlotMemo {
    const fn empty() -> Self {
        Self {
            generation: 0,
            categories: CategorySetId::EMPTY,
            slots: Vec::new(),
        }
    }

    /// The bytes of its slots.
    const fn slot_bytes(&self) -> usize {
        allocated(self.slots.capacity() * size_of::<(u32, u32)>())
    }

    #[cold]
    fn fill(
        &mut self,
        ancestor: &Ancestor<'_>,
        keys: &Keys,
        sets: &mut CategorySets,
        tree: &CategoryTree,
    ) {
        let event = ancestor.event.as_event_ref();
        self.categories = sets.of_event(event, tree);
        self.slots.clear();
        let slots = (0..).zip(event.keys()).filter_map(|(at, key)| {
            let slot = keys.find(key)?;
            Some((u32::try_from(slot.index()).ok()?, at))
        });
        self.slots.extend(slots);
        self.generation = ancestor.live.map_or(0, |id| id.generation().get());
    }
}

/// The memos of one set of slots and one category tree.
#[derive(Debug, Default)]
pub(super) struct SlotMemos {
    /// By [`LiveId::index`]; valid if the generation is that of the id.
    live: Vec<SlotMemo>,
    /// The memos of the current event's ancestors without a number, or with the
    /// index of another ancestor from another table, in the order of its
    /// ancestors.
    transient: Vec<SlotMemo>,
    /// The bytes of their slots.
    slot_bytes: usize,
}

impl SlotMemos {
    /// Finds out what is not known of an ancestor, the one at `position` of the
    /// current event; returns its category set.
    #[inline]
    pub(super) fn prepare(
        &mut self,
        position: usize,
        ancestor: &Ancestor<'_>,
        keys: &Keys,
        sets: &mut CategorySets,
        sent: &SentEvent<'_>,
    ) -> CategorySetId {
        if let Some(id) = ancestor.live
            && let Some(memo) = self.live.get(id.index())
            && memo.generation == id.generation().get()
        {
            return memo.categories;
        }
        let memo = self.vacant(position, ancestor.live, sent);
        let before = memo.slot_bytes();
        memo.fill(ancestor, keys, sets, sent.categories);
        let (categories, after) = (memo.categories, memo.slot_bytes());
        self.slot_bytes = self.slot_bytes + after - before;
        categories
    }

    /// The bytes of all memos.
    pub(super) const fn bytes(&self) -> usize {
        self.live.capacity() * size_of::<SlotMemo>() + self.slot_bytes
    }

    #[cold]
    fn vacant(
        &mut self,
        position: usize,
        live: Option<LiveId>,
        sent: &SentEvent<'_>,
    ) -> &mut SlotMemo {
        let is_taken = |id: LiveId| {
            let nearer = sent.parents.iter().chain(sent.global).take(position);
            let mut nearer = nearer.filter_map(|ancestor| ancestor.live);
            nearer.any(|other| other.index() == id.index() && other != id)
        };
        let (memos, index) = match live.filter(|id| !is_taken(*id)) {
            Some(id) => (&mut self.live, id.index()),
            None => (&mut self.transient, position),
        };
        if memos.len() <= index {
            memos.resize_with(index + 1, SlotMemo::empty);
        }
        &mut memos[index]
    }

    /// The memo of an ancestor that was [prepared](Self::prepare).
    #[inline]
    pub(super) fn get(&self, position: usize, live: Option<LiveId>) -> &SlotMemo {
        let memo = live.and_then(|id| {
            let memo = self.live.get(id.index())?;
            (memo.generation == id.generation().get()).then_some(memo)
        });
        memo.unwrap_or_else(|| &self.transient[position])
    }

    /// Forgets an event that ended.
    pub(super) fn forget(&mut self, id: LiveId) {
        let Some(memo) = self.live.get_mut(id.index()) else {
            return;
        };
        memo.generation = 0;
        if memo.slots.capacity() > MAX_SPARE_SLOTS {
            self.slot_bytes -= memo.slot_bytes();
            memo.slots = Vec::new();
        }
        while self.live.len() > SPARE_MEMOS
            && let Some(memo) = self.live.pop_if(|memo| memo.generation == 0)
        {
            self.slot_bytes -= memo.slot_bytes();
        }
        if self.live.capacity() > MIN_ENTRIES.max(4 * self.live.len()) {
            self.live.shrink_to(2 * self.live.len());
        }
    }
}
