//! The events that others may inherit from, between their begin and their end.
//!
//! An event may end before its children do; they keep what they inherited. So
//! an event is removed when it has ended *and* its last child is gone.

use alloc::{boxed::Box, vec::Vec};
use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use crate::{Ancestor, DURATION, Event, EventRef, TooLarge, ValueRef};

/// Memory of removed events that is kept for the next ones.
const SPARE_EVENTS: usize = 64;
/// Larger events leave no memory behind.
const MAX_SPARE_BYTES: usize = 2048;
/// A table of fewer nodes is never made smaller.
const MIN_NODES: usize = 1024;

/// The live events of one thread, in a dense table.
///
/// ```
/// use fantail_event::{Event, LiveEvents, SentEvent, EventView as _, Timestamp, ValueRef};
///
/// let created = Timestamp::from_unix_micros(0);
/// let mut live = LiveEvents::default();
/// let session = Event::builder(created).field("user", "anna").build()?;
/// let id = live.insert(None, session.as_event_ref())?;
///
/// let command = Event::builder(created).name("command").build()?;
/// let parents: Vec<_> = live.ancestors(Some(id)).collect();
/// let sent = SentEvent { parents: &parents, ..SentEvent::alone(&command) };
/// assert_eq!(sent.field(b"user"), Some(ValueRef::Str(b"anna")));
/// live.end(id);
/// assert!(live.is_empty());
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug)]
pub struct LiveEvents {
    /// Tells this table from others of the process.
    table: u32,
    nodes: Vec<Node>,
    /// Vacant nodes; some of them may be behind the end of the table, or
    /// occupied again.
    vacant: Vec<u32>,
    occupied: usize,
    #[expect(clippy::vec_box, reason = "the boxes move into nodes and back")]
    spare: Vec<Box<Event>>,
    generations: Generations,
}

/// The number of a live event.
///
/// The generation tells one content from all others in this process: a later
/// event at the same index has another one, and so has the same event after an
/// update. What is remembered of a live event by its whole id can therefore never
/// be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LiveId {
    index: u32,
    table: u32,
    generation: NonZeroU64,
}

impl LiveId {
    /// The position in the table of live events: below the largest number of
    /// events that lived at one time. The same from begin to end.
    #[must_use]
    #[inline]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// The table and the position there: the same from begin to end, and at no
    /// time the same for two live events, whichever tables they are in.
    #[must_use]
    #[inline]
    pub const fn position(self) -> (u32, u32) {
        (self.table, self.index)
    }

    /// Changes with each update.
    #[must_use]
    #[inline]
    pub const fn generation(self) -> NonZeroU64 {
        self.generation
    }
}

#[derive(Debug)]
struct Node {
    /// `None` if the node is vacant.
    event: Option<Box<Event>>,
    generation: NonZeroU64,
    parent: Option<u32>,
    /// How many events need this one: itself until it ends, its children.
    users: u32,
    ancestors: u32,
    has_ended: bool,
}

/// What the end of an event freed: itself, and ended ancestors whose last child
/// it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Removed {
    /// How many events were removed.
    pub events: usize,
    /// The bytes that they took, as [`LiveEvents::size`] counts.
    pub bytes: usize,
}

impl Default for LiveEvents {
    fn default() -> Self {
        static NEXT_TABLE: AtomicU32 = AtomicU32::new(0);
        Self {
            table: NEXT_TABLE.fetch_add(1, Ordering::Relaxed),
            nodes: Vec::new(),
            vacant: Vec::new(),
            occupied: 0,
            spare: Vec::new(),
            generations: Generations::default(),
        }
    }
}

/// An id is that of one content of one event: after an update and after the end
/// it is the id of nothing.
impl LiveEvents {
    /// A table without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.occupied == 0
    }

    /// How many events there are, ended ones with live children included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.occupied
    }

    /// Keeps a copy of an event, below `parent` if that is live. The copy has
    /// the field [`DURATION`] with the duration of this sending.
    ///
    /// # Errors
    /// The copy would be larger than [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    pub fn insert(
        &mut self,
        parent: Option<LiveId>,
        event: EventRef<'_>,
    ) -> Result<LiveId, TooLarge> {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.replace(event);
        copy.set(DURATION, ValueRef::Int(event.duration_micros()))?;
        let parent = parent.filter(|parent| self.current(*parent).is_some());
        let ancestors = parent.map_or(0, |parent| self.ancestor_count(parent) + 1);
        if let Some(node) = parent.and_then(|parent| self.node_mut(parent.index)) {
            node.users += 1;
        }
        let generation = self.generations.next();
        let index = self.place(Node {
            event: Some(copy),
            generation,
            parent: parent.map(|parent| parent.index),
            users: 1,
            ancestors,
            has_ended: false,
        });
        self.occupied += 1;
        Ok(LiveId {
            index,
            table: self.table,
            generation,
        })
    }

    /// Puts a node into the table.
    fn place(&mut self, node: Node) -> u32 {
        while let Some(index) = self.vacant.pop() {
            if let Some(vacant) = self.nodes.get_mut(index as usize)
                && vacant.event.is_none()
            {
                *vacant = node;
                return index;
            }
        }
        self.nodes.push(node);
        // 4 billion events would take more memory than there is.
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// Takes over what an update says; the event has another id from now on.
    /// An id of nothing stays one.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES);
    /// it stays as it was.
    pub fn update(&mut self, id: LiveId, update: EventRef<'_>) -> Result<LiveId, TooLarge> {
        let generation = self.generations.next();
        let node = self.nodes.get_mut(id.index as usize);
        if let Some(node) = node.filter(|node| node.generation == id.generation)
            && let Some(event) = &mut node.event
        {
            event.merge(update)?;
            node.generation = generation;
        }
        Ok(LiveId { generation, ..id })
    }

    /// Ends an event: it is removed with its last child, now if it has none.
    pub fn end(&mut self, id: LiveId) -> Removed {
        let mut removed = Removed::default();
        let is_live = self.current(id).is_some_and(|node| !node.has_ended);
        let node = self.node_mut(id.index).filter(|_| is_live);
        let Some(node) = node else {
            return removed;
        };
        node.has_ended = true;
        let mut next = Some(id.index);
        while let Some(index) = next {
            let Some(node) = self.node_mut(index) else {
                break;
            };
            node.users -= 1;
            if node.users > 0 {
                break;
            }
            next = node.parent;
            if let Some(event) = node.event.take() {
                removed.events += 1;
                removed.bytes += size(&event);
                self.give_back(event);
            }
            self.vacant.push(index);
        }
        self.occupied -= removed.events;
        self.shrink();
        removed
    }

    fn give_back(&mut self, event: Box<Event>) {
        if self.spare.len() < SPARE_EVENTS && event.capacity() < MAX_SPARE_BYTES {
            self.spare.push(event);
        }
    }

    /// Gives up the vacant end of the table, so that memory is no higher after
    /// many events than before.
    fn shrink(&mut self) {
        while self.nodes.pop_if(|node| node.event.is_none()).is_some() {}
        if self.nodes.capacity() > MIN_NODES.max(4 * self.nodes.len()) {
            self.nodes.shrink_to(2 * self.nodes.len());
        }
        if self.nodes.is_empty() {
            self.vacant.clear();
        }
        if self.vacant.capacity() > MIN_NODES.max(4 * self.vacant.len()) {
            self.vacant.shrink_to(2 * self.vacant.len());
        }
    }

    /// The event with this id.
    #[must_use]
    #[inline]
    pub fn get(&self, id: LiveId) -> Option<EventRef<'_>> {
        Some(self.current(id)?.event.as_deref()?.as_event_ref())
    }

    /// The bytes, about, that an event takes.
    #[must_use]
    pub fn size(&self, id: LiveId) -> usize {
        let event = self.current(id).and_then(|node| node.event.as_ref());
        event.map_or(0, |event| size(event))
    }

    /// How many ancestors an event has.
    #[must_use]
    pub fn ancestor_count(&self, id: LiveId) -> u32 {
        self.current(id).map_or(0, |node| node.ancestors)
    }

    /// Whether `parent` is the parent of an event.
    #[must_use]
    pub fn has_parent(&self, id: LiveId, parent: Option<LiveId>) -> bool {
        let known = self.current(id).and_then(|node| node.parent);
        known == parent.map(|parent| parent.index)
    }

    /// An event and its ancestors, nearest first: what a child of it inherits
    /// from. Ancestors that have ended have no number: nothing is to be remembered
    /// of them, since nobody hears when the last child is gone.
    #[inline]
    pub fn ancestors(&self, parent: Option<LiveId>) -> impl Iterator<Item = Ancestor<'_>> {
        let parent = parent.filter(|parent| self.current(*parent).is_some());
        let mut next = parent.map(|parent| parent.index);
        core::iter::from_fn(move || {
            let index = next?;
            let node = self.node(index)?;
            next = node.parent;
            let id = LiveId {
                index,
                table: self.table,
                generation: node.generation,
            };
            Some(Ancestor {
                event: node.event.as_deref()?,
                live: (!node.has_ended).then_some(id),
            })
        })
    }

    /// The node of an event with this very id.
    #[inline]
    fn current(&self, id: LiveId) -> Option<&Node> {
        let node = self.node(id.index)?;
        let is_it = node.generation == id.generation && node.event.is_some();
        is_it.then_some(node)
    }

    #[inline]
    fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    fn node_mut(&mut self, index: u32) -> Option<&mut Node> {
        self.nodes.get_mut(index as usize)
    }
}

fn size(event: &Event) -> usize {
    size_of::<Node>() + event.size()
}

/// Numbers that no other table of this process has, taken in blocks so that
/// threads share nothing from one event to the next.
#[derive(Debug, Default)]
struct Generations {
    next: u64,
    end: u64,
}

impl Generations {
    const BLOCK: u64 = 1 << 16;

    fn next(&mut self) -> NonZeroU64 {
        static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
        if self.next == self.end {
            self.next = NEXT_BLOCK.fetch_add(Self::BLOCK, Ordering::Relaxed);
            self.end = self.next + Self::BLOCK;
        }
        let number = self.next;
        self.next += 1;
        // The first block begins at 1.
        NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN)
    }
}
