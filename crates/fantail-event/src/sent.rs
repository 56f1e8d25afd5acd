//! A sent event and those that it inherits from.

use crate::{
    CategoryTree, DURATION, EffectiveBuffers, ElementSource, Elements, Event, EventRef, EventView,
    ExportView, Level, LiveId, Source, Timestamp, ValueOrigin, ValueRef,
    event::positions::EventPositions as _, invariant::Invariant as _,
};

/// An event that another one inherits from.
#[derive(Debug, Clone, Copy)]
pub struct Ancestor<'a> {
    /// The event; it is owned, since it outlives its line.
    pub event: &'a Event,
    /// Its id among the live events; `None` for an event that is in no
    /// [`LiveEvents`](crate::LiveEvents) or has ended. An engine caches nothing for an
    /// event without an id.
    pub live: Option<LiveId>,
}

/// A sent event: the event, its level, its ancestors, and the global event with its
/// ancestors.
///
/// An event inherits a field from the nearest ancestor that has it, else from the
/// global event and its ancestors; and all categories. Its field [`DURATION`] is the
/// duration of this sending.
#[derive(Debug, Clone, Copy)]
pub struct SentEvent<'a> {
    /// The level.
    pub level: Level,
    /// The event itself.
    pub event: EventRef<'a>,
    /// Its ancestors, nearest first.
    pub parents: &'a [Ancestor<'a>],
    /// The global event, then its ancestors, nearest first; empty for none.
    pub global: &'a [Ancestor<'a>],
    /// The registered categories.
    pub categories: &'a CategoryTree,
}

impl<'a> SentEvent<'a> {
    /// Creates an event that inherits nothing, with [`Level::Info`] and an empty
    /// category tree: no category matches a filter or is exported. Set a tree by
    /// `SentEvent { categories: &tree, ..SentEvent::alone(&event) }`.
    #[must_use]
    pub fn alone(event: impl Into<EventRef<'a>>) -> Self {
        Self {
            level: Level::Info,
            event: event.into(),
            parents: &[],
            global: &[],
            categories: CategoryTree::empty(),
        }
    }

    /// Returns the event and those that it inherits from, in the order in which fields
    /// are looked up.
    pub fn chain(&self) -> impl Iterator<Item = EventRef<'a>> + use<'a> {
        let inherited = self.parents.iter().chain(self.global);
        core::iter::once(self.event).chain(inherited.map(|it| it.event.as_event_ref()))
    }

    /// The bytes of text of the event and everything it inherits from, about.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.chain().map(EventRef::text_bytes).sum()
    }

    /// The chain of the global event from its root down, then the event's own chain;
    /// each event with its number in the order of look-ups.
    pub(crate) fn downward(&self) -> impl Iterator<Item = (u32, EventRef<'a>)> + use<'a> {
        let all = self.parents.len() + self.global.len();
        let sent = *self;
        let number = move |at: usize| u32::try_from(at).always_or(u32::MAX);
        let global = (self.parents.len()..all).rev();
        let parents = (0..self.parents.len()).rev();
        let inherited = global.chain(parents).map(move |at| number(at + 1));
        inherited
            .chain(core::iter::once(0))
            .map(move |number| (number, sent.holder(number)))
    }

    /// The event itself (0), its ancestors (from 1, nearest first), then the global
    /// event and its ancestors.
    #[inline]
    pub(crate) fn holder(&self, number: u32) -> EventRef<'a> {
        let Some(above) = (number as usize).checked_sub(1) else {
            return self.event;
        };
        let ancestor = match above.checked_sub(self.parents.len()) {
            None => self.parents.get(above),
            Some(above) => self.global.get(above),
        };
        debug_assert!(ancestor.is_some(), "no ancestor {number}");
        ancestor.map_or(self.event, |it| it.event.as_event_ref())
    }

    /// The event that holds the value of a field, and the position there.
    fn find(&self, key: &[u8]) -> Option<(u32, usize)> {
        let mut holders = (0_u32..).zip(self.chain());
        holders.find_map(|(holder, event)| Some((holder, event.position(key)?)))
    }
}

impl EventView for SentEvent<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.event.name()
    }

    /// The field [`DURATION`] is the duration of this sending. A list is that of
    /// all ancestors and the event, if the nearest value is a list.
    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        if key == DURATION {
            return Some(ValueRef::Int(self.event.duration_micros()));
        }
        let (holder, at) = self.find(key)?;
        match self.holder(holder).value_at(at)? {
            ValueRef::List(_) => {
                let field = u64::try_from(at).unwrap_or(u64::MAX);
                let list = u64::from(holder) << 32 | field;
                Some(ValueRef::List(Elements::of(self, list)))
            }
            value => Some(value),
        }
    }

    fn field_origin(&self, key: &[u8]) -> Option<ValueOrigin> {
        if key == DURATION {
            return Some(ValueOrigin::Own);
        }
        let (holder, _) = self.find(key)?;
        let Some(above) = (holder as usize).checked_sub(1) else {
            return Some(ValueOrigin::Own);
        };
        Some(match above.checked_sub(self.parents.len()) {
            None => ValueOrigin::Parent(holder as usize),
            Some(above) => ValueOrigin::Global(above),
        })
    }

    fn in_category(&self, category: &[u8]) -> bool {
        let mut own = self.chain().flat_map(EventRef::categories);
        own.any(|own| self.categories.is_within(own, category))
    }

    fn level(&self) -> Option<Level> {
        Some(self.level)
    }

    fn source(&self) -> Option<Source<'_>> {
        self.event.source()
    }

    fn duration_micros(&self) -> Option<i64> {
        Some(self.event.duration_micros())
    }
}

/// The lists of one key in the event and all that it inherits from, outermost
/// first: the order in which Dovecot makes sub-metrics. The number of a list is
/// where the key was found: holder and position.
impl ElementSource for SentEvent<'_> {
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let [a, b, c, d, high @ ..] = list.to_le_bytes();
        let holder = u32::from_le_bytes(high);
        let at = u32::from_le_bytes([a, b, c, d]) as usize;
        let Some(key) = self.holder(holder).keys().nth(at) else {
            debug_assert!(false, "no field {list:#x}");
            return false;
        };
        self.downward().any(|(_, event)| {
            let at = event.position(key);
            at.is_some_and(|at| event.any_element_at(at, &mut *test))
        })
    }
}

impl ExportView for SentEvent<'_> {
    fn created(&self) -> Timestamp {
        self.event.created()
    }

    fn sent(&self) -> Option<Timestamp> {
        self.event.sent()
    }

    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        let mut buffers = EffectiveBuffers::new();
        buffers.gather(self).categories().for_each(each);
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        let mut buffers = EffectiveBuffers::new();
        buffers.gather(self).each_field(each);
    }

    fn chosen_field(&self, key: &[u8], then: &mut dyn FnMut(ValueRef<'_>)) {
        let mut buffers = EffectiveBuffers::new();
        buffers.gather(self).with_field(key, then);
    }

    fn as_sent(&self) -> Option<&SentEvent<'_>> {
        Some(self)
    }
}
