//! The events that others may inherit from, between their begin and their end.
//!
//! An event may end before its children do; they keep what they inherited. So
//! an event is removed when it has ended *and* its last child is gone.

use alloc::{boxed::Box, vec::Vec};
use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use crate::{Ancestor, DURATION, Event, EventRef, TooLarge, ValueRef, invariant::Invariant as _};

/// Removed events whose memory is kept for later events.
const MAX_RECYCLED_EVENTS: usize = 64;
/// The memory of larger events is freed.
const MAX_RECYCLED_BYTES: usize = 2048;
/// Smaller tables are never shrunk.
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
    /// The number of this table in the process.
    table: u32,
    nodes: Vec<Node>,
    /// Vacant nodes; an entry may be beyond the end of the table, or be occupied
    /// again.
    vacant: Vec<u32>,
    occupied: usize,
    #[expect(clippy::vec_box, reason = "the boxes move into nodes and back")]
    spare: Vec<Box<Event>>,
    generations: Generations,
}

/// The number of a live event.
///
/// Each content of a live event has a generation of its own in this process: a
/// later event at the same index has another generation, and so has the same event
/// after an update. A cache with the whole id as its key is therefore never stale.
///
/// ```
/// use fantail_event::{Event, LiveEvents, LiveId, Timestamp};
///
/// let event = Event::builder(Timestamp::from_unix_micros(0)).build()?;
/// let mut live = LiveEvents::new();
/// let first: LiveId = live.insert(None, event.as_event_ref())?;
/// live.end(first);
/// let second = live.insert(None, event.as_event_ref())?;
/// // The index is free again, the id is another one.
/// assert_eq!(first.index(), second.index());
/// assert_ne!(first, second);
/// assert!(live.get(first).is_none());
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LiveId {
    index: u32,
    table: u32,
    generation: NonZeroU64,
}

impl LiveId {
    /// Returns the index in the table of live events: less than the largest number
    /// of events that were live at one time. It does not change until the event ends.
    #[must_use]
    #[inline]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// Returns the table and the index: they do not change until the event ends, and
    /// no two live events of the process have the same.
    #[must_use]
    #[inline]
    pub const fn position(self) -> (u32, u32) {
        (self.table, self.index)
    }

    /// Returns the generation, which changes with each update.
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
    /// The number of events that need this one: itself until it ends, and its
    /// children.
    users: u32,
    ancestors: u32,
    has_ended: bool,
}

/// The events that the end of an event removed: itself, and ended ancestors whose
/// last child it was.
///
/// ```
/// use fantail_event::{Event, LiveEvents, Removed, Timestamp};
///
/// let event = Event::builder(Timestamp::from_unix_micros(0)).build()?;
/// let mut live = LiveEvents::new();
/// let parent = live.insert(None, event.as_event_ref())?;
/// let child = live.insert(Some(parent), event.as_event_ref())?;
/// // The child keeps its parent.
/// assert_eq!(live.end(parent), Removed::default());
/// assert_eq!(live.end(child).events, 2);
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Removed {
    /// The number of removed events.
    pub events: usize,
    /// Their bytes, as [`LiveEvents::size`] counts them.
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

/// An id refers to one content of one event: after an update or the end of the event
/// it refers to no event.
impl LiveEvents {
    /// Creates a table without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the table has no events.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.occupied == 0
    }

    /// Returns the number of events, ended ones with live children included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.occupied
    }

    /// Keeps a copy of an event, below `parent` if that is live. The copy has the
    /// field [`DURATION`] with the duration of this sending.
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

    /// Stores a node in the table.
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
        u32::try_from(self.nodes.len() - 1).always_or(u32::MAX)
    }

    /// Applies an update and returns the new id of the event. An id that refers to no
    /// event is returned with no effect.
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

    /// Ends an event. It is removed now, or with its last child.
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
        if self.spare.len() < MAX_RECYCLED_EVENTS && event.size() < MAX_RECYCLED_BYTES {
            self.spare.push(event);
        }
    }

    /// Frees the vacant end of the table, so that many events leave no memory behind.
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

    /// Returns the event with this id.
    #[must_use]
    #[inline]
    pub fn get(&self, id: LiveId) -> Option<EventRef<'_>> {
        Some(self.current(id)?.event.as_deref()?.as_event_ref())
    }

    /// Returns the bytes that the table takes besides its events: vacant nodes, and
    /// the list of them.
    #[must_use]
    pub const fn spare_bytes(&self) -> usize {
        (self.nodes.capacity() - self.occupied) * size_of::<Node>()
            + self.vacant.capacity() * size_of::<u32>()
    }

    /// Returns the bytes of an event, with its node.
    #[must_use]
    pub fn size(&self, id: LiveId) -> usize {
        let event = self.current(id).and_then(|node| node.event.as_ref());
        event.map_or(0, |event| size(event))
    }

    /// Returns the number of ancestors of an event.
    #[must_use]
    pub fn ancestor_count(&self, id: LiveId) -> u32 {
        self.current(id).map_or(0, |node| node.ancestors)
    }

    /// Returns whether `parent` is the parent of an event.
    #[must_use]
    pub fn has_parent(&self, id: LiveId, parent: Option<LiveId>) -> bool {
        let known = self.current(id).and_then(|node| node.parent);
        known == parent.map(|parent| parent.index)
    }

    /// Returns an event and its ancestors, nearest first: what a child of the event
    /// inherits from. Ended ancestors have no id, because their removal is not
    /// announced: nothing may be cached for them.
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

    /// The node of the event with this id.
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

/// Generations that no other table of this process has, reserved in blocks so that
/// threads rarely touch the shared counter.
#[derive(Debug, Default)]
struct Generations {
    next: u64,
    end: u64,
}

impl Generations {
    const BLOCK_GENERATIONS: u64 = 1 << 16;

    fn next(&mut self) -> NonZeroU64 {
        static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
        if self.next == self.end {
            self.next = NEXT_BLOCK.fetch_add(Self::BLOCK_GENERATIONS, Ordering::Relaxed);
            self.end = self.next + Self::BLOCK_GENERATIONS;
        }
        let number = self.next;
        self.next += 1;
        // The first block begins at 1.
        NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN)
    }
}
