//! What waits in memory: bounded, first in, first out.
//!
//! No locks and no threads. Payloads are copied into large batches, many with
//! one copy, whatever the size of those that the transport likes: those are
//! cut off when they are taken. A batch that is large already is not copied,
//! but taken as it is. The memory of batches is used again, so that a
//! push does not allocate once all is warm. What has to be dropped is skipped,
//! many at once; nothing is looked at one by one.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, mem};

use crate::{Batch, BatchLimits, Payloads, spool::Overflow};

use super::settings::QueueSettings;

/// Batches whose memory is kept for later ones.
const SPARE: usize = 4;

/// What is kept together at least, if there is so much.
const TOGETHER: BatchLimits = BatchLimits {
    payloads: 256,
    bytes: 64 * 1024,
};

/// A batch of so many bytes is worth to be kept on its own.
const LARGE: usize = 16 * 1024;

/// So many bytes, or a fourth of the room, are worth waking a thread for.
const MUCH: usize = 256 * 1024;

/// A bounded buffer of payloads.
#[derive(Debug)]
pub(super) struct Buffer {
    most_payloads: usize,
    most_bytes: usize,
    overflow: Overflow,
    /// What is taken out at once at most.
    limits: BatchLimits,
    /// What is kept in one batch at most.
    together: BatchLimits,
    waiting: VecDeque<Batch>,
    /// Payloads at the front of the first batch that are not in it any more:
    /// dropped, or taken.
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
    /// Gives out batches of at most `limits`.
    pub(super) fn new(settings: &QueueSettings, limits: BatchLimits) -> Self {
        Self {
            most_payloads: settings.payloads,
            most_bytes: settings.bytes,
            overflow: settings.overflow,
            limits,
            together: BatchLimits {
                payloads: limits.payloads.max(TOGETHER.payloads),
                bytes: limits.bytes.max(TOGETHER.bytes),
            },
            waiting: VecDeque::new(),
            skip: 0,
            spare: Vec::new(),
            payloads: 0,
            bytes: 0,
            entered: 0,
            left: 0,
        }
    }

    /// Lets the payloads of a batch in, and returns how many had to be dropped
    /// for want of room: of them, or of those that waited longer. What is in
    /// the batch then means nothing.
    pub(super) fn push(&mut self, batch: &mut Batch) -> u64 {
        let alone = batch.bytes() >= LARGE || self.waiting.is_empty();
        if alone && self.missing(batch.len(), batch.bytes()) == (0, 0) {
            if !batch.is_empty() {
                self.count(batch.payloads());
                let memory = self.spare.pop().unwrap_or_default();
                self.waiting.push_back(mem::replace(batch, memory));
            }
            return 0;
        }
        let mut dropped = 0;
        let mut rest = batch.payloads();
        while !rest.is_empty() {
            // Only what fits into an empty buffer is worth dropping others.
            let fit = rest.fitting(self.most_payloads, self.most_bytes);
            let (part, others) = rest.split_at(fit.max(1));
            rest = others;
            dropped += match self.overflow {
                _ if fit == 0 => 1,
                Overflow::DropNewest => self.fill(part),
                Overflow::DropOldest => self.displace(part),
            };
        }
        dropped
    }

    /// The payloads that waited longest. They count as held until they
    /// [`leave`](Self::leave).
    pub(super) fn take(&mut self) -> Option<Taken> {
        let first = self.waiting.front()?;
        let rest = first.payloads().split_at(self.skip).1;
        let count = rest.fitting(self.limits.payloads, self.limits.bytes).max(1);
        if count < rest.len() {
            let mut batch = self.spare.pop().unwrap_or_default();
            batch.extend(rest.split_at(count).0);
            self.skip += count;
            return Some(Taken { batch, skip: 0 });
        }
        let skip = mem::take(&mut self.skip);
        let batch = self.waiting.pop_front()?;
        Some(Taken { batch, skip })
    }

    /// Payloads that were taken are held no more.
    pub(super) fn leave(&mut self, payloads: Payloads<'_>) {
        self.payloads -= payloads.len();
        self.bytes -= payloads.bytes();
        self.left += payloads.len() as u64;
    }

    /// Keeps the memory of a batch, unless one large payload made it large.
    pub(super) fn recycle(&mut self, taken: Taken) {
        if self.spare.len() < SPARE && taken.batch.bytes() <= self.together.bytes {
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

    /// Whether there is so much that it should be taken at once.
    pub(super) fn has_much(&self) -> bool {
        self.bytes >= MUCH.min(self.most_bytes / 4) || self.payloads >= self.most_payloads / 4
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

    /// Takes all, for others; returns how many these were. Where those that
    /// wait are not enough, the first of these go, too.
    fn displace(&mut self, payloads: Payloads<'_>) -> u64 {
        let dropped = self.make_room(payloads.len(), payloads.bytes());
        let (many, much) = self.missing(payloads.len(), payloads.bytes());
        let (gone, rest) = payloads.split_at(payloads.covering(much).max(many));
        self.append(rest);
        dropped + gone.len() as u64
    }

    /// How many payloads and bytes would be too many, with these.
    fn missing(&self, payloads: usize, bytes: usize) -> (usize, usize) {
        (
            (self.payloads + payloads).saturating_sub(self.most_payloads),
            (self.bytes + bytes).saturating_sub(self.most_bytes),
        )
    }

    /// Takes what has room, in order; returns how many had none.
    fn fill(&mut self, payloads: Payloads<'_>) -> u64 {
        let mut dropped = 0;
        let mut rest = payloads;
        loop {
            let room = self.most_payloads.saturating_sub(self.payloads);
            let fit = rest.fitting(room, self.most_bytes.saturating_sub(self.bytes));
            let (part, others) = rest.split_at(fit);
            self.append(part);
            if others.is_empty() || room == fit {
                return dropped + others.len() as u64;
            }
            // One that is too long; the next may be shorter.
            dropped += 1;
            rest = others.split_at(1).1;
        }
    }

    /// Payloads came in.
    fn count(&mut self, payloads: Payloads<'_>) {
        self.payloads += payloads.len();
        self.bytes += payloads.bytes();
        self.entered += payloads.len() as u64;
    }

    fn append(&mut self, payloads: Payloads<'_>) {
        self.count(payloads);
        let mut rest = payloads;
        while !rest.is_empty() {
            let room = |batch: &Batch| {
                let payloads = self.together.payloads.saturating_sub(batch.len());
                let bytes = self.together.bytes.saturating_sub(batch.bytes());
                rest.fitting(payloads, bytes)
            };
            let mut fit = self.waiting.back().map_or(0, room);
            if fit == 0 {
                let batch = self.spare.pop().unwrap_or_default();
                fit = room(&batch).max(1);
                self.waiting.push_back(batch);
            }
            let (part, others) = rest.split_at(fit);
            if let Some(last) = self.waiting.back_mut() {
                last.extend(part);
            }
            rest = others;
        }
    }

    /// Drops those that waited longest until there is room for so many, or
    /// none waits; what was taken stays.
    fn make_room(&mut self, payloads: usize, bytes: usize) -> u64 {
        let mut dropped = 0;
        while let Some(first) = self.waiting.front() {
            let (many, much) = self.missing(payloads, bytes);
            if many == 0 && much == 0 {
                break;
            }
            let rest = first.payloads().split_at(self.skip).1;
            let (gone, others) = rest.split_at(rest.covering(much).max(many));
            let (count, size, whole) = (gone.len(), gone.bytes(), others.is_empty());
            self.payloads -= count;
            self.bytes -= size;
            self.left += count as u64;
            self.skip += count;
            dropped += count as u64;
            if whole && let Some(batch) = self.waiting.pop_front() {
                self.skip = 0;
                self.recycle(Taken { batch, skip: 0 });
            }
        }
        dropped
    }
}
