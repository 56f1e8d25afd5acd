//! A bounded first-in, first-out buffer of payloads in memory.
//!
//! No locks and no threads. Small batches are copied into large ones, many
//! payloads with one copy; the transport's batch sizes apply when payloads are
//! taken out. A large batch is moved and not copied. The memory of batches is
//! reused, so that a push does not allocate in the steady state. Payloads are
//! dropped many at once, without a look at each.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, mem, sync::Arc};

use crate::{Batch, BatchLimits, PayloadId, Payloads, spool::Overflow};

use super::{
    memory::{Charge, QueueMemory},
    settings::QueueSettings,
};

/// Emptied batches whose memory is kept for later ones.
const SPARE_BATCHES: usize = 4;

/// Size up to which offered payloads are merged into one batch.
const MIN_MERGED_BATCH: BatchLimits = BatchLimits {
    payloads: 256,
    bytes: 64 * 1024,
};

/// Bytes from which an offered batch is moved instead of copied.
const WHOLE_BATCH_BYTES: usize = 16 * 1024;

/// Waiting bytes from which the thread that empties the buffer is woken early;
/// a fourth of the capacity does, too.
const WAKE_BYTES: usize = 256 * 1024;

/// A bounded buffer of payloads.
#[derive(Debug)]
pub(super) struct Buffer {
    max_payloads: usize,
    max_bytes: usize,
    overflow: Overflow,
    /// Limits of the batches that are taken out.
    limits: BatchLimits,
    /// Limits of the batches in the buffer.
    merged: BatchLimits,
    waiting: VecDeque<Stored>,
    /// The memory that other queues share; `None` if it is not bounded.
    memory: Option<Arc<dyn QueueMemory>>,
    /// Payloads at the front of the first batch that were dropped or taken.
    skip: usize,
    spare: Vec<Batch>,
    /// Payloads and bytes held, including those that were taken and have not
    /// left.
    payloads: usize,
    bytes: usize,
    /// The run of the ids of payloads.
    run: u64,
    /// Payloads accepted in total, and those that left or were dropped later.
    entered: u64,
    left: u64,
}

/// A batch that waits, and its memory.
#[derive(Debug)]
struct Stored {
    batch: Batch,
    charge: Charge,
}

/// A batch that was taken out, to be given back with [`Buffer::recycle`].
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) batch: Batch,
    /// Payloads at its front that were dropped.
    pub(super) skip: usize,
    /// Held while the batch is.
    _charge: Charge,
}

impl Taken {
    pub(super) fn payloads(&self) -> Payloads<'_> {
        self.batch.payloads().split_at(self.skip).1
    }
}

impl Buffer {
    /// Returns an empty buffer; taken batches keep to `limits`.
    pub(super) fn new(
        settings: &QueueSettings,
        limits: BatchLimits,
        memory: Option<Arc<dyn QueueMemory>>,
    ) -> Self {
        Self {
            max_payloads: settings.payloads,
            max_bytes: settings.bytes,
            overflow: settings.overflow,
            limits,
            merged: BatchLimits {
                payloads: limits.payloads.max(MIN_MERGED_BATCH.payloads),
                bytes: limits.bytes.max(MIN_MERGED_BATCH.bytes),
            },
            waiting: VecDeque::new(),
            memory,
            skip: 0,
            spare: Vec::new(),
            payloads: 0,
            bytes: 0,
            run: 0,
            entered: 0,
            left: 0,
        }
    }

    /// Sets the run of the ids of payloads.
    pub(super) fn of_run(self, run: u64) -> Self {
        Self { run, ..self }
    }

    /// Returns the id of the next payload that is accepted.
    const fn next_id(&self) -> PayloadId {
        PayloadId {
            run: self.run,
            number: self.entered,
        }
    }

    /// Accepts the payloads of a batch. Returns how many were dropped, of the
    /// batch or of those that waited longer. The contents of the batch are
    /// unspecified afterwards.
    pub(super) fn push(&mut self, batch: &mut Batch) -> u64 {
        let alone = batch.bytes() >= WHOLE_BATCH_BYTES || self.waiting.is_empty();
        if alone && self.missing(batch.len(), batch.bytes()) == (0, 0) {
            return self.push_whole(batch);
        }
        let mut dropped = 0;
        let mut rest = batch.payloads();
        while !rest.is_empty() {
            // Payloads that do not fit into an empty buffer displace no others.
            let fit = rest.fitting(self.max_payloads, self.max_bytes);
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

    /// Accepts a batch that fits, with its memory; returns how many payloads were
    /// dropped.
    fn push_whole(&mut self, batch: &mut Batch) -> u64 {
        if batch.is_empty() {
            return 0;
        }
        let mut dropped = 0;
        let mut charge = Charge::new(self.memory.as_ref());
        while !charge.grow(batch.allocated()) {
            match self.drop_oldest() {
                Some(count) => dropped += count,
                None => return dropped + batch.len() as u64,
            }
        }
        batch.begin_at(self.next_id());
        self.count(batch.payloads());
        let batch = mem::replace(batch, self.spare.pop().unwrap_or_default());
        self.waiting.push_back(Stored { batch, charge });
        dropped
    }

    /// Takes the payloads that waited longest. They count as held until they
    /// [`leave`](Self::leave).
    pub(super) fn take(&mut self) -> Option<Taken> {
        let first = self.waiting.front()?;
        let rest = first.batch.payloads().split_at(self.skip).1;
        let count = rest.fitting(self.limits.payloads, self.limits.bytes).max(1);
        if count < rest.len() {
            let mut batch = self.spare.pop().unwrap_or_default();
            batch.extend(rest.split_at(count).0);
            self.skip += count;
            // One small batch at a time, which is not charged.
            return Some(Taken {
                batch,
                ..Taken::default()
            });
        }
        let skip = mem::take(&mut self.skip);
        let Stored { batch, charge } = self.waiting.pop_front()?;
        Some(Taken {
            batch,
            skip,
            _charge: charge,
        })
    }

    /// Releases payloads that were taken.
    pub(super) fn leave(&mut self, payloads: Payloads<'_>) {
        self.payloads -= payloads.len();
        self.bytes -= payloads.bytes();
        self.left += payloads.len() as u64;
    }

    /// Keeps the memory of a batch, unless a large payload enlarged it.
    pub(super) fn recycle(&mut self, taken: Taken) {
        self.keep(taken.batch);
    }

    fn keep(&mut self, mut batch: Batch) {
        if self.spare.len() < SPARE_BATCHES && batch.bytes() <= self.merged.bytes {
            batch.clear();
            self.spare.push(batch);
        }
    }

    /// Drops all waiting payloads and returns how many.
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

    /// Returns whether the waiting payloads should be taken at once.
    pub(super) fn is_due(&self) -> bool {
        self.bytes >= WAKE_BYTES.min(self.max_bytes / 4) || self.payloads >= self.max_payloads / 4
    }

    pub(super) const fn payloads(&self) -> usize {
        self.payloads
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns how many payloads were accepted in total.
    pub(super) const fn entered(&self) -> u64 {
        self.entered
    }

    /// Returns how many accepted payloads left or were dropped later.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// Returns when the first waiting payload was offered.
    pub(super) fn oldest(&self) -> Option<u64> {
        let first = self.waiting.front()?;
        first.batch.payloads().split_at(self.skip).1.oldest()
    }

    /// Accepts payloads in place of waiting ones and returns how many were
    /// dropped: waiting payloads first, then the first of the new ones.
    fn displace(&mut self, payloads: Payloads<'_>) -> u64 {
        let dropped = self.make_room(payloads.len(), payloads.bytes());
        let (many, much) = self.missing(payloads.len(), payloads.bytes());
        let (gone, rest) = payloads.split_at(payloads.covering(much).max(many));
        dropped + gone.len() as u64 + self.append(rest)
    }

    /// Returns by how many payloads and bytes the buffer would exceed its limits.
    fn missing(&self, payloads: usize, bytes: usize) -> (usize, usize) {
        (
            (self.payloads + payloads).saturating_sub(self.max_payloads),
            (self.bytes + bytes).saturating_sub(self.max_bytes),
        )
    }

    /// Accepts payloads that fit, in order; returns how many did not fit.
    fn fill(&mut self, payloads: Payloads<'_>) -> u64 {
        let mut dropped = 0;
        let mut rest = payloads;
        loop {
            let room = self.max_payloads.saturating_sub(self.payloads);
            let fit = rest.fitting(room, self.max_bytes.saturating_sub(self.bytes));
            let (part, others) = rest.split_at(fit);
            dropped += self.append(part);
            if others.is_empty() || room == fit {
                return dropped + others.len() as u64;
            }
            // This payload does not fit; the next one may be shorter.
            dropped += 1;
            rest = others.split_at(1).1;
        }
    }

    /// Counts accepted payloads.
    fn count(&mut self, payloads: Payloads<'_>) {
        self.payloads += payloads.len();
        self.bytes += payloads.bytes();
        self.entered += payloads.len() as u64;
    }

    /// Accepts payloads that fit; returns how many payloads were dropped for want
    /// of memory.
    fn append(&mut self, payloads: Payloads<'_>) -> u64 {
        let mut dropped = 0;
        let mut rest = payloads;
        while !rest.is_empty() {
            let added = self.append_first(rest);
            if added > 0 {
                rest = rest.split_at(added).1;
                continue;
            }
            match self.drop_oldest() {
                Some(count) => dropped += count,
                None => return dropped + rest.len() as u64,
            }
        }
        dropped
    }

    /// Appends payloads to the last batch, or to a new one; returns how many: 0
    /// without memory.
    fn append_first(&mut self, payloads: Payloads<'_>) -> usize {
        let room = |batch: &Batch| {
            let most = self.merged.payloads.saturating_sub(batch.len());
            let bytes = self.merged.bytes.saturating_sub(batch.bytes());
            payloads.fitting(most, bytes)
        };
        if let Some(last) = self.waiting.back_mut()
            && let fit @ 1.. = room(&last.batch)
        {
            let (part, _) = payloads.split_at(fit);
            if !last.charge.grow(last.batch.growth(part)) {
                return 0;
            }
            last.batch.make_room(part);
            last.batch.extend(part);
            self.count(part);
            return fit;
        }
        let mut batch = self.spare.pop().unwrap_or_default();
        let fit = room(&batch).max(1);
        let (part, _) = payloads.split_at(fit);
        let mut charge = Charge::new(self.memory.as_ref());
        if !charge.grow(batch.allocated() + batch.growth(part)) {
            self.spare.push(batch);
            return 0;
        }
        batch.make_room(part);
        batch.extend(part);
        batch.begin_at(self.next_id());
        self.waiting.push_back(Stored { batch, charge });
        self.count(part);
        fit
    }

    /// Drops the batch that waited longest, if new payloads displace others;
    /// returns the number of its payloads, and `None` if nothing was dropped.
    fn drop_oldest(&mut self) -> Option<u64> {
        if self.overflow == Overflow::DropNewest {
            return None;
        }
        let Stored { batch, .. } = self.waiting.pop_front()?;
        let rest = batch.payloads().split_at(mem::take(&mut self.skip)).1;
        self.leave(rest);
        let count = rest.len() as u64;
        self.keep(batch);
        Some(count)
    }

    /// Drops the payloads that waited longest until these fit or none waits.
    /// Taken payloads stay.
    fn make_room(&mut self, payloads: usize, bytes: usize) -> u64 {
        let mut dropped = 0;
        while let Some(first) = self.waiting.front() {
            let (many, much) = self.missing(payloads, bytes);
            if many == 0 && much == 0 {
                break;
            }
            let rest = first.batch.payloads().split_at(self.skip).1;
            let (gone, others) = rest.split_at(rest.covering(much).max(many));
            let (count, size, whole) = (gone.len(), gone.bytes(), others.is_empty());
            self.payloads -= count;
            self.bytes -= size;
            self.left += count as u64;
            self.skip += count;
            dropped += count as u64;
            if whole && let Some(Stored { batch, .. }) = self.waiting.pop_front() {
                self.skip = 0;
                self.keep(batch);
            }
        }
        dropped
    }
}
