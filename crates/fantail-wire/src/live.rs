//! The events that live on one connection, between BEGIN and END.
//!
//! An event may end before its children do; they keep what they inherited.
//! So an event is dropped when it has ended *and* its last child is gone.

use fantail_event::{KeptEvent, RawEvent, Scan, text};
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::{Limits, WireError, WireErrorKind};

/// The field that each event gets when it is sent, and keeps.
pub(crate) const DURATION: &[u8] = b"duration";

#[derive(Debug, Default)]
pub(crate) struct LiveEvents {
    by_id: HashMap<u64, usize>,
    nodes: Vec<Option<Node>>,
    free: Vec<usize>,
    bytes: usize,
}

/// An event and its ancestors.
pub(crate) type Chain<'a> = SmallVec<[&'a KeptEvent; 8]>;

#[derive(Debug)]
struct Node {
    event: Box<KeptEvent>,
    parent: Option<usize>,
    /// How many events hang on this one: itself while it lives, its children.
    users: usize,
    /// How many ancestors it has.
    depth: usize,
    size: usize,
}

impl LiveEvents {
    /// The living event with this id; 0 is no event.
    pub(crate) fn resolve(
        &self,
        id: u64,
        or: fn(u64) -> WireErrorKind,
    ) -> Result<Option<usize>, WireError> {
        match id {
            0 => Ok(None),
            id => self
                .by_id
                .get(&id)
                .copied()
                .map(Some)
                .ok_or_else(|| or(id).into()),
        }
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Keeps a copy of an event in the memory of `kept`.
    pub(crate) fn insert(
        &mut self,
        id: u64,
        parent: Option<usize>,
        mut kept: Box<KeptEvent>,
        event: RawEvent<'_>,
        limits: &Limits,
    ) -> Result<(), WireError> {
        let depth = parent
            .and_then(|p| self.node(p))
            .map_or(0, |node| node.depth + 1);
        if depth > limits.ancestors {
            return Err(WireErrorKind::TooDeep.into());
        }
        kept.replace(event);
        let fits = kept.set_int(DURATION, event.duration_micros());
        let size = size_of::<Node>() + kept.size();
        let is_full = self.occupied() >= limits.live_events;
        if !fits || is_full || self.bytes + size > limits.live_bytes {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        self.bytes += size;
        if let Some(node) = parent.and_then(|p| self.node_mut(p)) {
            node.users += 1;
        }
        let node = Some(Node {
            event: kept,
            parent,
            users: 1,
            depth,
            size,
        });
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.by_id.insert(id, at);
        Ok(())
    }

    pub(crate) fn update(
        &mut self,
        id: u64,
        parent: u64,
        update: RawEvent<'_>,
        limits: &Limits,
    ) -> Result<(), WireError> {
        let at = *self.by_id.get(&id).ok_or(WireErrorKind::UnknownId(id))?;
        let parent = self.resolve(parent, WireErrorKind::UnknownParent)?;
        let Some(node) = self.nodes.get_mut(at).and_then(Option::as_mut) else {
            return Ok(());
        };
        if node.parent != parent {
            return Err(WireErrorKind::ChangedParent.into());
        }
        let fits = node.event.update(update);
        let size = size_of::<Node>() + node.event.size();
        let fields = node.event.raw().len();
        self.bytes = self.bytes + size - node.size;
        node.size = size;
        if !fits || self.bytes > limits.live_bytes || fields > text::MAX_FIELDS {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        Ok(())
    }

    /// `scan` gets the memory.
    pub(crate) fn end(&mut self, id: u64, scan: &mut Scan) -> Result<(), WireError> {
        let at = self.by_id.remove(&id).ok_or(WireErrorKind::UnknownId(id))?;
        let mut next = Some(at);
        while let Some(at) = next {
            let Some(node) = self.node_mut(at) else { break };
            node.users -= 1;
            if node.users > 0 {
                break;
            }
            next = node.parent;
            self.bytes -= node.size;
            if let Some(node) = self.nodes.get_mut(at).and_then(Option::take) {
                scan.give_back(node.event);
            }
            self.free.push(at);
        }
        Ok(())
    }

    /// Appends the event at `at` and its ancestors, nearest first.
    #[inline]
    pub(crate) fn chain<'a>(&'a self, at: Option<usize>, chain: &mut Chain<'a>) {
        let mut next = at;
        while let Some(at) = next {
            let Some(node) = self.node(at) else { break };
            chain.push(&*node.event);
            next = node.parent;
        }
    }

    /// How many events are kept, ended ones with living children included.
    pub(crate) fn occupied(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// About how many bytes they take.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)?.as_ref()
    }

    fn node_mut(&mut self, at: usize) -> Option<&mut Node> {
        self.nodes.get_mut(at)?.as_mut()
    }
}
