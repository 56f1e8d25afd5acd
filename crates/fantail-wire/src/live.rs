//! The events that live on one connection, between BEGIN and END.
//!
//! An event may end before its children do; they keep what they inherited.
//! So an event is dropped when it has ended *and* its last child is gone.

use std::collections::HashMap;

use fantail_event::{Event, Value, text};
use smallvec::SmallVec;

use crate::{Limits, WireError, WireErrorKind};

/// An event and its ancestors, nearest first.
pub(crate) type Chain<'a> = SmallVec<[&'a Event<'a>; 8]>;

#[derive(Debug, Default)]
pub(crate) struct LiveEvents {
    by_id: HashMap<u64, usize>,
    nodes: Vec<Option<Node>>,
    free: Vec<usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Node {
    event: Event<'static>,
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

    pub(crate) fn insert(
        &mut self,
        id: u64,
        parent: Option<usize>,
        event: Event<'static>,
        limits: &Limits,
    ) -> Result<(), WireError> {
        let depth = parent
            .and_then(|p| self.node(p))
            .map_or(0, |node| node.depth + 1);
        if depth > limits.ancestors {
            return Err(WireErrorKind::TooDeep.into());
        }
        let size = size_of(&event);
        if self.occupied() >= limits.live_events || self.bytes + size > limits.live_bytes {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        self.bytes += size;
        if let Some(node) = parent.and_then(|p| self.node_mut(p)) {
            node.users += 1;
        }
        let node = Some(Node {
            event,
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
        update: Event<'static>,
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
        node.event.merge(update);
        let size = size_of(&node.event);
        self.bytes = self.bytes + size - node.size;
        node.size = size;
        let fields = self.node(at).map_or(0, |node| node.event.fields().len());
        if self.bytes > limits.live_bytes || fields > text::MAX_FIELDS {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, id: u64) -> Result<(), WireError> {
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
            self.nodes[at] = None;
            self.free.push(at);
        }
        Ok(())
    }

    /// The event at `at` and its ancestors, nearest first.
    pub(crate) fn chain(&self, at: Option<usize>) -> Chain<'_> {
        let mut next = at;
        std::iter::from_fn(|| {
            let node = self.node(next?)?;
            next = node.parent;
            Some(&node.event)
        })
        .collect()
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

/// About how many bytes an event takes.
fn size_of(event: &Event<'_>) -> usize {
    let fields = event.fields().iter().map(|field| {
        let value = match &field.value {
            Value::Str(text) => text.len(),
            Value::List(list) => list.iter().map(|element| element.len() + 24).sum(),
            Value::Int(_) | Value::Time(_) | Value::Ip(_) => 0,
        };
        size_of_val(field) + field.key.len() + value
    });
    let categories = event.categories.iter().map(|category| 24 + category.len());
    size_of_val(event) + fields.sum::<usize>() + categories.sum::<usize>()
}
