//! What waits in memory: bounded, first in, first out.
//!
//! No locks and no threads. Payloads are copied into batches of the size that
//! the transport likes, and the memory of batches that were sent is used
//! again, so that a push does not allocate once all is warm.

use std::collections::VecDeque;

use crate::{Batch, BatchLimits, EventIds, Payload, Payloads};

use super::settings::{Overflow, QueueSettings};

/// Batches whose memory is kept for later ones.
const SPARE: usize = 4;

/// A bounded buffer of payloads.
#[derive(Debug)]
pub(super) struct Buffer {
    most_payloads: usize,
    most_bytes: usize,
    overflow: Overflow,
    limits: BatchLimits,
    waiting: VecDeque<Batch>,
    /// Payloads at the front of the first batch that were dropped already.
    skip: usize,
    spare: Vec<Batch>,
    /// Payloads and bytes held, those on their way among them.
    payloads: usize,
    bytes: usize,
    /// Payloads ever let in, and ever let out or dropped again.
    entered: u64,
    left: u64,
}

/// A batch taken out, to be given back with [`Buffer::recycle`].
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) batch: Batch,
    /// Payloads at its front that were dropped already.
    pub(super) skip: usize,
}

impl Taken {
    pub(super) fn payloads(&self) -> Payloads<'_> {
        self.batch.payloads().split_at(self.skip).1
    }
}

impl Buffer {
    pub(super) fn new(settings: &QueueSettings, limits: BatchLimits) -> Self {
        Self {
            most_payloads: settings.payloads,
            most_bytes: settings.bytes,
            overflow: settings.overflow,
            limits,
            waiting: VecDeque::new(),
            skip: 0,
            spare: Vec::new(),
            payloads: 0,
            bytes: 0,
            entered: 0,
            left: 0,
        }
    }

    /// Lets payloads in, and returns how many had to be dropped for want of
    /// room: of them, or of those that waited longer.
    pub(super) fn push(
        &mut self,
        payloads: Payloads<'_>,
        now: u64,
        ids: &mut Option<EventIds>,
    ) -> u64 {
        let mut dropped = 0;
        for mut payload in payloads.iter() {
            if payload.id.is_none() {
                payload.id = ids.as_mut().map(EventIds::next_id);
            }
            let can_fit = payload.bytes.len() <= self.most_bytes;
            if can_fit && self.overflow == Overflow::DropOldest {
                while !self.has_room(payload.bytes.len()) && self.drop_oldest() {
                    dropped += 1;
                }
            }
            if self.has_room(payload.bytes.len()) {
                self.append(payload, now);
            } else {
                dropped += 1;
            }
        }
        dropped
    }

    /// The batch that waited longest. Its payloads count as held until they
    /// [`leave`](Self::leave).
    pub(super) fn take(&mut self) -> Option<Taken> {
        let batch = self.waiting.pop_front()?;
        let skip = std::mem::take(&mut self.skip);
        Some(Taken { batch, skip })
    }

    /// Payloads that were taken are held no more.
    pub(super) fn leave(&mut self, payloads: Payloads<'_>) {
        self.payloads -= payloads.len();
        self.bytes -= payloads.bytes();
        self.left += payloads.len() as u64;
    }

    /// Keeps the memory of a batch.
    pub(super) fn recycle(&mut self, taken: Taken) {
        if self.spare.len() < SPARE {
            let mut batch = taken.batch;
            batch.clear();
            self.spare.push(batch);
        }
    }

    /// Drops all that waits, and returns how many.
    pub(super) fn drop_waiting(&mut self) -> u64 {
        let mut dropped = 0;
        while let Some(taken) = self.take() {
            dropped += taken.payloads().len() as u64;
            self.leave(taken.payloads());
        }
        dropped
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) const fn payloads(&self) -> usize {
        self.payloads
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many payloads ever came in.
    pub(super) const fn entered(&self) -> u64 {
        self.entered
    }

    /// How many payloads ever left, or were dropped after they came in.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// When the first of those that wait was offered.
    pub(super) fn oldest(&self) -> Option<u64> {
        let first = self.waiting.front()?;
        first.payloads().split_at(self.skip).1.oldest()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.payloads < self.most_payloads && bytes <= self.most_bytes.saturating_sub(self.bytes)
    }

    fn append(&mut self, payload: Payload<'_>, now: u64) {
        let size = payload.bytes.len();
        let fits = |batch: &Batch| {
            batch.len() < self.limits.payloads && batch.bytes() + size <= self.limits.bytes
        };
        if !self.waiting.back().is_some_and(fits) {
            self.waiting.push_back(self.spare.pop().unwrap_or_default());
        }
        if let Some(last) = self.waiting.back_mut() {
            last.push_offered(payload, now);
            self.payloads += 1;
            self.bytes += size;
            self.entered += 1;
        }
    }

    /// Drops the payload that waited longest; what was taken stays.
    fn drop_oldest(&mut self) -> bool {
        let Some(first) = self.waiting.front() else {
            return false;
        };
        let (oldest, others) = first.payloads().split_at(self.skip).1.split_at(1);
        let (bytes, last) = (oldest.bytes(), others.is_empty());
        self.payloads -= 1;
        self.bytes -= bytes;
        self.left += 1;
        self.skip += 1;
        if last && let Some(taken) = self.take() {
            self.recycle(taken);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, Overflow, QueueSettings};
    use crate::{Batch, BatchLimits};

    fn batch(payloads: &str) -> Batch {
        let mut batch = Batch::new();
        for payload in payloads.split_whitespace() {
            batch.push(payload.as_bytes());
        }
        batch
    }

    /// Offers words to a buffer of 5 payloads and 12 bytes, and compares the
    /// batches that come out and how many were dropped.
    fn check(overflow: Overflow, offered: &[&str], expected: &[&str], dropped: u64) {
        let settings = QueueSettings {
            payloads: 5,
            bytes: 12,
            overflow,
            ..QueueSettings::default()
        };
        let limits = BatchLimits {
            payloads: 3,
            bytes: 8,
        };
        let mut buffer = Buffer::new(&settings, limits);
        let mut lost = 0;
        for words in offered {
            lost += buffer.push(batch(words).payloads(), 0, &mut None);
        }
        let mut out = Vec::new();
        while let Some(taken) = buffer.take() {
            let words: Vec<_> = taken.payloads().iter().map(|p| p.bytes).collect();
            out.push(String::from_utf8(words.join(&b' ')).unwrap());
            buffer.leave(taken.payloads());
            buffer.recycle(taken);
        }
        assert_eq!(
            (out, lost),
            (expected.iter().map(|s| (*s).to_owned()).collect(), dropped)
        );
        assert_eq!((buffer.payloads(), buffer.bytes()), (0, 0));
        assert_eq!(buffer.entered(), buffer.left());
    }

    #[test]
    fn batches_are_as_the_transport_likes_them() {
        let check = |offered: &[&str], expected: &[&str]| {
            check(Overflow::DropNewest, offered, expected, 0);
        };
        check(&[], &[]);
        check(&["a", "b", "c d"], &["a b c", "d"]);
        check(&["aaaa bbbb", "cc"], &["aaaa bbbb", "cc"]);
        check(&["a", "more-than-8", ""], &["a", "more-than-8"]);
    }

    #[test]
    fn the_newest_go_if_the_oldest_stay() {
        let check = |offered: &[&str], expected: &[&str], dropped| {
            check(Overflow::DropNewest, offered, expected, dropped);
        };
        check(&["a b c d e f g"], &["a b c", "d e"], 2);
        check(&["aaaa bbbb", "ccccc", "d"], &["aaaa bbbb", "d"], 1);
        check(&["longer-than-12-bytes", "a"], &["a"], 1);
    }

    #[test]
    fn the_oldest_go_if_the_newest_stay() {
        let check = |offered: &[&str], expected: &[&str], dropped| {
            check(Overflow::DropOldest, offered, expected, dropped);
        };
        check(&["a b c d e f g"], &["c", "d e f", "g"], 2);
        check(&["a b c d e", "f g h i"], &["e f", "g h i"], 4);
        check(&["aaaa bbbb", "cccccc"], &["bbbb", "cccccc"], 1);
        // Nothing makes room for this one, so nothing has to go.
        check(&["a b", "longer-than-12-bytes", "c"], &["a b c"], 1);
    }

    #[test]
    fn what_is_on_its_way_is_held_but_not_dropped() {
        let settings = QueueSettings {
            payloads: 2,
            overflow: Overflow::DropOldest,
            ..QueueSettings::default()
        };
        let mut buffer = Buffer::new(&settings, BatchLimits::default());
        assert_eq!(buffer.push(batch("a b").payloads(), 0, &mut None), 0);
        let taken = buffer.take().unwrap();
        assert_eq!(buffer.push(batch("c").payloads(), 0, &mut None), 1);
        buffer.leave(taken.payloads().split_at(1).0);
        assert_eq!(buffer.push(batch("d e").payloads(), 0, &mut None), 1);
        assert_eq!((buffer.payloads(), buffer.left()), (2, 2));
    }
}
