//! Lines that wait for the server.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fantail_event::{EventRef, SentEvent, escape};

use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A bounded buffer of lines, in order.
pub(crate) struct Buffer {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whole lines, each with its line feed.
    waiting: Vec<u8>,
    /// The bytes that the writer has taken and the socket has not accepted.
    taken: usize,
    /// The categories of all events so far, and their parents. A connection registers
    /// them before its first event.
    categories: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    link: Link,
    is_closed: bool,
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Link {
    #[default]
    Down,
    /// It waits for the server's handshake and first filter.
    Greeting,
    Ready,
}

/// Why the writer wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    Lines,
    Broken,
    Closed,
}

impl Buffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line; returns whether it fits.
    pub(crate) fn push(&self, line: &[u8]) -> bool {
        let mut state = self.lock();
        let after = state.waiting.len() + state.taken + line.len() + 1;
        if after > self.limit || state.is_closed {
            return false;
        }
        state.waiting.extend_from_slice(line);
        state.waiting.push(b'\n');
        self.changed.notify_all();
        true
    }

    /// Registers the categories of an event and their ancestors, outermost first.
    pub(super) fn add_categories(&self, event: &SentEvent<'_>) {
        let own = event.chain().flat_map(EventRef::categories);
        for category in own {
            let mut state = self.lock();
            if state.categories.contains_key(category) {
                continue;
            }
            let chain: Vec<&[u8]> = event.categories.with_ancestors(category).collect();
            let parents = chain.iter().skip(1).map(Some).chain([None]);
            let links: Vec<_> = chain.iter().zip(parents).collect();
            if links.is_empty() {
                state.register(category, None);
            }
            for (name, parent) in links.into_iter().rev() {
                state.register(name, parent.copied());
            }
        }
    }

    /// Returns the lines that register all categories.
    pub(super) fn categories(&self) -> Vec<u8> {
        let state = self.lock();
        let mut lines = Vec::new();
        // A parent comes before its children.
        let mut left: Vec<_> = state.categories.iter().collect();
        let mut known: Vec<&Vec<u8>> = Vec::new();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|(name, parent)| {
                let ready = parent.as_ref().is_none_or(|parent| known.contains(&parent));
                if ready {
                    push_category(name, parent.as_deref(), &mut lines);
                    known.push(name);
                }
                !ready
            });
            debug_assert!(left.len() < before, "a category without its parent");
            if left.len() == before {
                break;
            }
        }
        lines
    }

    /// Waits for lines and moves them to `out`, which is empty.
    pub(crate) fn take(&self, out: &mut Vec<u8>) -> Wake {
        let mut state = self.lock();
        loop {
            if state.link == Link::Down {
                return Wake::Broken;
            }
            if !state.waiting.is_empty() {
                std::mem::swap(&mut state.waiting, out);
                state.taken = out.len();
                return Wake::Lines;
            }
            if state.is_closed {
                return Wake::Closed;
            }
            state = self.wait(state);
        }
    }

    /// Notes how many bytes of the taken lines the socket has not accepted.
    pub(crate) fn left(&self, bytes: usize) {
        self.lock().taken = bytes;
        self.changed.notify_all();
    }

    pub(crate) fn set_link(&self, link: Link) {
        self.lock().link = link;
        self.changed.notify_all();
    }

    pub(super) fn is_down(&self) -> bool {
        self.lock().link == Link::Down
    }

    /// Waits for the server's handshake; returns whether it has come.
    pub(super) fn wait_until_ready(&self, until: Instant) -> bool {
        let mut state = self.lock();
        while state.link == Link::Greeting && !state.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.link == Link::Ready
    }

    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits this long, or until the buffer is closed.
    pub(super) fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        while !state.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the socket has accepted all lines.
    pub(crate) fn wait_until_empty(&self, until: Instant) -> bool {
        let mut state = self.lock();
        while !state.waiting.is_empty() || state.taken > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Registers a category for this connection, by a line, and for later ones.
    fn register(&mut self, name: &[u8], parent: Option<&[u8]>) {
        if !self.categories.contains_key(name) {
            push_category(name, parent, &mut self.waiting);
            let parent = parent.map(<[u8]>::to_vec);
            self.categories.insert(name.to_vec(), parent);
        }
    }
}

fn push_category(name: &[u8], parent: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"CATEGORY\t");
    escape::escape_into(name, out);
    if let Some(parent) = parent {
        out.push(b'\t');
        escape::escape_into(parent, out);
    }
    out.push(b'\n');
}
