//! The reading end of a spool.

use std::{collections::VecDeque, io, sync::Arc};

use crate::{Batch, BatchLimits, sync::MutexGuard, system::SystemFile};

use super::{
    SpoolError, SpoolErrorKind, SpoolGauge,
    cursor::Position,
    index::{Extent, Index, Shared, lock, remove_settled},
    window::Window,
};

/// Reads payloads in order and saves which are settled.
#[derive(Debug)]
pub struct SpoolReader {
    index: Shared,
    /// Held as long as either end exists.
    _lock: Arc<dyn SystemFile>,
    /// The open segment.
    open: Option<(u64, Window)>,
    /// The position after each record that was read and is not settled.
    in_flight: VecDeque<Position>,
    recovered: u64,
    damaged: u64,
}

/// The end of a read of one segment.
enum Step {
    /// The batch is full.
    Enough,
    /// All records written so far were read.
    CaughtUp,
    /// The segment was read to its end.
    Finished,
}

impl SpoolReader {
    pub(super) const fn new(
        index: Shared,
        lock: Arc<dyn SystemFile>,
        recovered: u64,
        damaged: u64,
    ) -> Self {
        Self {
            index,
            _lock: lock,
            open: None,
            in_flight: VecDeque::new(),
            recovered,
            damaged,
        }
    }

    /// Returns how many payloads the spool had when it was opened, including
    /// damaged ones.
    #[must_use]
    pub const fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Returns how many payloads were damaged since the last call.
    pub const fn take_damaged(&mut self) -> u64 {
        std::mem::replace(&mut self.damaged, 0)
    }

    /// Fills a batch with the next payloads, of one file and with consecutive numbers;
    /// leaves it empty if there are none. Damaged records are skipped and counted.
    ///
    /// # Errors
    /// A segment could not be opened, or could not be read; the rest of an
    /// unreadable segment counts as damaged. The batch has the payloads that were
    /// read before.
    pub fn read(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<(), SpoolError> {
        batch.clear();
        let shared = self.index.clone();
        let mut index = lock(&shared);
        let limits = BatchLimits {
            bytes: limits.bytes.min(index.max_read_bytes),
            ..limits
        };
        let mut result = Ok(());
        while let Some(extent) = index.readable() {
            match self.read_segment(&mut index, &extent, batch, limits) {
                Ok(Step::Enough | Step::CaughtUp) => break,
                Ok(Step::Finished) => {
                    self.finish(&mut index, &extent);
                    // The ids of the next segment have another run.
                    if !batch.is_empty() {
                        break;
                    }
                }
                Err(error) => {
                    result = Err(index.folder.error(SpoolErrorKind::Read, error));
                    break;
                }
            }
        }
        index.in_flight = self.in_flight.len() as u64;
        if index.in_flight == 0 && index.settled != index.read {
            let saved = index.save();
            result = result.and(self.settled(index, saved));
        }
        result
    }

    /// Settles the next payloads, in the order in which they were read.
    ///
    /// # Errors
    /// The position could not be saved: after a restart these payloads are
    /// read again.
    pub fn settle(&mut self, payloads: usize) -> Result<(), SpoolError> {
        let payloads = payloads.min(self.in_flight.len());
        let last = self.in_flight.drain(..payloads).next_back();
        let Some(last) = last else {
            return Ok(());
        };
        let mut index = lock(&self.index);
        let saved = index.settle(last, payloads as u64);
        self.settled(index, saved)
    }

    /// Removes the segments before a position that was saved.
    fn settled(
        &self,
        index: MutexGuard<'_, Index>,
        saved: io::Result<()>,
    ) -> Result<(), SpoolError> {
        let is_over = index.has_settled();
        drop(index);
        let removed = match is_over {
            true => remove_settled(&self.index),
            false => Ok(()),
        };
        let settled = saved.and(removed);
        settled.map_err(|error| {
            lock(&self.index)
                .folder
                .error(SpoolErrorKind::Settle, error)
        })
    }

    pub(crate) fn gauge(&self) -> SpoolGauge {
        SpoolGauge(self.index.clone())
    }

    fn read_segment(
        &mut self,
        index: &mut Index,
        extent: &Extent,
        batch: &mut Batch,
        limits: BatchLimits,
    ) -> io::Result<Step> {
        let grows = index.growing == Some(extent.segment);
        let Some(window) = window(&mut self.open, index, extent.segment)? else {
            self.give_up(index, extent);
            return Ok(if grows {
                Step::CaughtUp
            } else {
                Step::Finished
            });
        };
        loop {
            if batch.len() >= limits.payloads {
                return Ok(Step::Enough);
            }
            let found = match window.find(index.read.offset, extent.end) {
                Ok(Some(found)) => found,
                Ok(None) if grows => return Ok(Step::CaughtUp),
                Ok(None) => return Ok(Step::Finished),
                Err(error) => {
                    self.give_up(index, extent);
                    return Err(error);
                }
            };
            if found.number >= extent.next {
                // The disk reported an error for this record and for those behind
                // it, so that their numbers were given to others.
                return Ok(Step::Finished);
            }
            let payload = window.payload(&found);
            if !batch.is_empty() && batch.bytes() + payload.len() > limits.bytes {
                return Ok(Step::Enough);
            }
            let expected = index.read.number;
            if found.number > expected && !batch.is_empty() {
                return Ok(Step::Enough);
            }
            index.read.offset = found.end();
            // A stale block of the disk: this number was read already.
            if found.number < expected {
                continue;
            }
            self.damaged += found.number - expected;
            index.read.number = found.number.saturating_add(1);
            if batch.is_empty() {
                batch.begin_at(window.id(&found));
            }
            batch.push_offered(payload, found.offered);
            self.in_flight.push_back(index.read);
        }
    }

    /// Counts the rest of a segment as damaged.
    fn give_up(&mut self, index: &mut Index, extent: &Extent) {
        self.damaged += extent.next.saturating_sub(index.read.number);
        index.read.offset = extent.end;
        index.read.number = index.read.number.max(extent.next);
    }

    fn finish(&mut self, index: &mut Index, extent: &Extent) {
        self.give_up(index, extent);
        index.finish(extent);
        self.open = None;
    }
}

/// Returns the window of a segment; opens it if it is not open. `None` if the
/// file is gone or its header damaged.
fn window<'a>(
    open: &'a mut Option<(u64, Window)>,
    index: &Index,
    segment: u64,
) -> io::Result<Option<&'a mut Window>> {
    if open.as_ref().is_none_or(|(number, _)| *number != segment) {
        *open = match Window::open(&index.folder, segment) {
            Ok(opened) => opened.map(|(window, _)| (segment, window)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
    }
    Ok(open.as_mut().map(|(_, window)| window))
}
