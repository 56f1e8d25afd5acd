//! Memory that the queues of a program share.

use std::{fmt, sync::Arc};

/// Memory that the queues of a program share, beside the limits of each.
///
/// A queue asks for memory when a batch enters it or grows, not for each payload.
/// A payload without memory is dropped and counted as if the queue were full.
pub trait QueueMemory: fmt::Debug + Send + Sync {
    /// Reserves bytes; returns whether there were enough.
    fn reserve(&self, bytes: usize) -> bool;

    /// Gives reserved bytes back.
    fn release(&self, bytes: usize);
}

/// The reserved memory of one batch; given back when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Charge {
    /// `None` if the memory is not bounded.
    memory: Option<Arc<dyn QueueMemory>>,
    bytes: usize,
}

impl Charge {
    pub(super) fn new(memory: Option<&Arc<dyn QueueMemory>>) -> Self {
        Self {
            memory: memory.cloned(),
            bytes: 0,
        }
    }

    /// Reserves more bytes; returns whether there were enough.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let Some(memory) = &self.memory else {
            return true;
        };
        let fits = bytes == 0 || memory.reserve(bytes);
        if fits {
            self.bytes += bytes;
        }
        fits
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(memory) = &self.memory {
            memory.release(self.bytes);
        }
    }
}
