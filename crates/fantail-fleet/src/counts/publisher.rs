//! The host's side: which parts to publish, and when.
//!
//! - A part is dirty until its message is acknowledged. One message of a part is under
//!   way at a time; the next one has all that changed meanwhile. No values are queued.
//! - A message that fails makes the next one a base.
//! - The head is published after the parts, at an interval and at the end.
//! - What a lost connection may have cost is published again: parts that no acknowledged
//!   head names. A stream that has an older head than the acknowledged one gets all parts.

use std::time::Duration;

use super::{Contents, PARTS, PartId, RunHead, SLOTS};

/// The rules of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherRules {
    /// The time between heads.
    pub head_interval: Duration,
    /// The age after which a base is published again.
    pub base_age: Duration,
}

impl Default for PublisherRules {
    /// Returns a head every 10 seconds, a base every 15 minutes.
    fn default() -> Self {
        Self {
            head_interval: Duration::from_secs(10),
            base_age: Duration::from_secs(15 * 60),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublisherInput {
    /// Series of a part changed.
    Changed(PartId),
    /// Time passed: parts may be published.
    Tick,
    /// A delta is too long: its part is published as a base.
    TooLong(PartId),
    /// The messages of this part and version are stored.
    Acknowledged(PartId, u64),
    /// A message of this part and version was refused, or it is unknown whether it is
    /// stored.
    Failed(PartId, u64),
    /// The messages of a tick are answered: the head may be published.
    Answered,
    /// The head of this version is stored.
    HeadAcknowledged(u64),
    /// It is unknown whether the head is stored.
    HeadFailed,
    /// The connection is there, for the first time or again.
    Connected,
    /// The connection is lost.
    Disconnected,
    /// The stream has an older head than the acknowledged one.
    StreamLost,
    /// The run ends.
    Close,
}

/// A part to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOrder {
    /// The part.
    pub part: PartId,
    /// Its version.
    pub version: u64,
    /// The version that it builds on, and the slot; `None` for a base.
    pub delta: Option<(u64, u8)>,
}

impl PartOrder {
    /// Returns the contents of the message `chunk` of `chunks`.
    #[must_use]
    pub fn contents(&self, chunk: u16, chunks: u16) -> Contents {
        match self.delta {
            Some((since, slot)) => Contents::Delta { since, slot },
            None => Contents::Base { chunk, chunks },
        }
    }
}

/// A head to publish.
pub(super) type HeadOrder = RunHead;

/// What to publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Orders {
    /// Parts; the caller must give an answer to each.
    pub(super) parts: Vec<PartOrder>,
    /// The head, which must be answered, too.
    pub(super) head: Option<HeadOrder>,
}

/// Decides what a run publishes.
#[derive(Debug, Clone)]
pub(super) struct Publisher {
    rules: PublisherRules,
    parts: Vec<Part>,
    is_connected: bool,
    is_closing: bool,
    head: u64,
    acknowledged_head: u64,
    /// Whether the head that was sent last says that the run has ended.
    is_closed: bool,
    last_head: Option<Duration>,
    /// Whether a head was stored since the connection is there: then the stream has lost
    /// nothing.
    is_verified: bool,
}

#[derive(Debug, Clone, Default)]
struct Part {
    is_dirty: bool,
    /// The version of the message under way, and whether it is a base.
    flying: Option<(u64, bool)>,
    /// The version of the last message, stored or not.
    version: u64,
    acknowledged: u64,
    /// The version that the last sent head has, and that of the last acknowledged one.
    in_heads: [u64; 2],
    /// The slot of the next delta; `None` if the next message is a base.
    slot: Option<u8>,
    /// The time of the last base.
    base_at: Duration,
}

impl Publisher {
    /// Returns the publisher of a new run, which has no connection.
    #[must_use]
    pub(super) fn new(rules: PublisherRules) -> Self {
        Self {
            rules,
            parts: vec![Part::default(); PARTS],
            is_connected: false,
            is_closing: false,
            head: 0,
            acknowledged_head: 0,
            is_closed: false,
            last_head: None,
            is_verified: false,
        }
    }

    /// Returns whether the run has ended, and all values and a head that says so are
    /// stored.
    #[must_use]
    pub(super) fn is_done(&self) -> bool {
        self.is_closed && self.acknowledged_head == self.head && self.is_clean()
    }

    /// Returns whether all changes are stored, and the stream has lost none of them.
    #[must_use]
    pub(super) fn is_settled(&self) -> bool {
        self.is_verified && self.is_clean()
    }

    fn is_clean(&self) -> bool {
        self.parts.iter().all(Part::is_clean)
    }

    /// Takes an input; returns what to publish: parts after [`Tick`](PublisherInput::Tick),
    /// a head after [`Answered`](PublisherInput::Answered).
    pub(super) fn step(&mut self, input: PublisherInput, now: Duration) -> Orders {
        let mut orders = Orders::default();
        match input {
            PublisherInput::Changed(part) => self.with(part, |part| part.is_dirty = true),
            PublisherInput::TooLong(part) => self.with(part, Part::send_base),
            PublisherInput::Acknowledged(part, version) => {
                self.with(part, |part| part.acknowledge(version, now));
            }
            PublisherInput::Failed(part, version) => self.with(part, |part| part.fail(version)),
            PublisherInput::Tick if self.is_connected => orders.parts = self.order_parts(now),
            PublisherInput::Answered if self.is_connected => orders.head = self.order_head(now),
            PublisherInput::Tick | PublisherInput::Answered => {}
            PublisherInput::HeadAcknowledged(version) => self.head_stored(version),
            PublisherInput::HeadFailed => self.last_head = None,
            PublisherInput::Connected => self.connect(),
            PublisherInput::Disconnected => self.is_connected = false,
            PublisherInput::StreamLost => self.parts.iter_mut().for_each(Part::repeat),
            PublisherInput::Close => self.is_closing = true,
        }
        orders
    }

    fn with(&mut self, part: PartId, change: impl FnOnce(&mut Part)) {
        if let Some(part) = self.parts.get_mut(usize::from(part)) {
            change(part);
        }
    }

    /// What was acknowledged after the last acknowledged head may be lost: the stream can
    /// lose its last messages, and the next head would not show it.
    fn connect(&mut self) {
        self.is_connected = true;
        self.is_verified = false;
        self.last_head = None;
        for part in &mut self.parts {
            if let Some((version, _)) = part.flying {
                part.fail(version);
            }
            let [_, stored] = part.in_heads;
            if part.acknowledged > stored {
                part.repeat();
            }
        }
    }

    fn head_stored(&mut self, version: u64) {
        self.acknowledged_head = self.acknowledged_head.max(version);
        if version == self.head {
            self.is_verified = true;
            for part in &mut self.parts {
                let [sent, stored] = &mut part.in_heads;
                *stored = *sent;
            }
        }
    }

    fn order_parts(&mut self, now: Duration) -> Vec<PartOrder> {
        let base_age = self.rules.base_age;
        let parts = (0..=PartId::MAX).zip(&mut self.parts);
        let orders = parts.filter_map(|(number, part)| part.order(number, base_age, now));
        orders.collect()
    }

    fn order_head(&mut self, now: Duration) -> Option<HeadOrder> {
        let is_clean = self.is_clean();
        let ends = self.is_closing && is_clean;
        let last = self.last_head;
        let is_due = last.is_none_or(|last| now.saturating_sub(last) >= self.rules.head_interval);
        if !is_due && (!ends || self.is_closed) {
            return None;
        }
        self.head += 1;
        self.last_head = Some(now);
        self.is_closed = ends;
        for part in &mut self.parts {
            part.in_heads[0] = part.acknowledged;
        }
        let parts = (0..=PartId::MAX).zip(&self.parts);
        let parts = parts.filter(|(_, part)| part.acknowledged > 0);
        Some(RunHead {
            version: self.head,
            parts: parts
                .map(|(number, part)| (number, part.acknowledged))
                .collect(),
            is_closed: ends,
        })
    }
}

impl Part {
    fn is_clean(&self) -> bool {
        !self.is_dirty && self.flying.is_none() && self.version == self.acknowledged
    }

    fn acknowledge(&mut self, version: u64, now: Duration) {
        // Others are answers to messages that were given up.
        if let Some((flying, is_base)) = self.flying
            && flying == version
        {
            if is_base {
                self.base_at = now;
            }
            self.acknowledged = version;
            self.flying = None;
        }
    }

    /// The next message is a base: it is unknown what is stored.
    fn fail(&mut self, version: u64) {
        if self.flying.is_some_and(|(flying, _)| flying == version) {
            self.flying = None;
            self.is_dirty = true;
            self.slot = None;
        }
    }

    /// Has the part published again as a base, although nothing has changed.
    fn repeat(&mut self) {
        self.is_dirty |= self.version > 0;
        self.slot = None;
    }

    fn send_base(&mut self) {
        if let Some((_, is_base)) = &mut self.flying {
            *is_base = true;
            self.slot = Some(0);
        }
    }

    fn order(&mut self, part: PartId, base_age: Duration, now: Duration) -> Option<PartOrder> {
        let is_old = self.version > 0 && now.saturating_sub(self.base_at) >= base_age;
        if self.flying.is_some() || !(self.is_dirty || is_old) {
            return None;
        }
        let slot = self.slot.filter(|slot| *slot < SLOTS && !is_old);
        self.version += 1;
        self.slot = Some(slot.map_or(0, |slot| slot + 1));
        self.is_dirty = false;
        self.flying = Some((self.version, slot.is_none()));
        Some(PartOrder {
            part,
            version: self.version,
            delta: slot.map(|slot| (self.acknowledged, slot)),
        })
    }
}
