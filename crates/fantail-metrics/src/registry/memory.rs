//! Memory that the series of several registries share.

use std::{fmt, sync::Arc};

/// Memory that the series of several registries share, in addition to the
/// [`Limits`](crate::Limits) of each.
///
/// A metric reserves memory for new series in steps. If there is no memory for a new
/// series, its events are counted in the series `other`. The values of existing series
/// are always stored, and reserved too: they leave less memory for new series.
/// [`Distribution`](crate::Distribution) describes their size.
pub trait SeriesMemory: fmt::Debug + Send + Sync {
    /// Reserves bytes; returns `false` and reserves none if there are not enough.
    fn reserve(&self, bytes: usize) -> bool;

    /// Reserves bytes even if there are not enough.
    fn reserve_anyway(&self, bytes: usize);

    /// Releases reserved bytes.
    fn release(&self, bytes: usize);
}

/// The maximum step; a metric with few series reserves in smaller steps.
const MAX_STEP_BYTES: usize = 16 << 10;

/// The memory of the series of one metric; released when dropped.
#[derive(Debug, Default)]
pub(crate) struct Charge {
    /// `None` if the memory is not bounded.
    memory: Option<Arc<dyn SeriesMemory>>,
    /// The bytes of all series, and of their values on the heap.
    series: usize,
    values: usize,
    reserved: usize,
}

impl Charge {
    /// Replaces the memory, and tries to reserve the used bytes from it.
    pub(crate) fn share(&mut self, memory: Option<&Arc<dyn SeriesMemory>>) {
        self.give_back(self.reserved);
        self.memory = memory.cloned();
        self.grow(0);
    }

    /// Uses more bytes; returns `false` if there is not enough memory.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let needed = self.series + self.values + bytes;
        let missing = needed.saturating_sub(self.reserved);
        let fits = match &self.memory {
            Some(memory) if missing > 0 => {
                let step = (needed / 4).min(MAX_STEP_BYTES);
                let tried = [missing + step, missing].into_iter();
                let granted = tried.into_iter().find(|bytes| memory.reserve(*bytes));
                self.reserved += granted.unwrap_or_default();
                granted.is_some()
            }
            _ => true,
        };
        if fits {
            self.series += bytes;
        }
        fits
    }

    /// Uses more bytes for values of existing series.
    #[cold]
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.values += bytes;
        // Room for a new series is reserved in steps.
        if !self.take(0)
            && let Some(memory) = &self.memory
        {
            let missing = (self.series + self.values).saturating_sub(self.reserved);
            memory.reserve_anyway(missing);
            self.reserved += missing;
        }
    }

    /// Sets the bytes of the values after some were removed.
    pub(crate) fn set_values(&mut self, bytes: usize) {
        self.values = bytes;
        self.give_back_spare();
    }

    /// Releases the memory of dropped series: `kept` of `of` series stay.
    pub(crate) fn keep(&mut self, kept: usize, of: usize) {
        self.series = self.series / of.max(1) * kept;
        self.give_back_spare();
    }

    fn give_back_spare(&mut self) {
        let spare = self.reserved.saturating_sub(self.series + self.values);
        self.give_back(spare);
    }

    fn give_back(&mut self, bytes: usize) {
        self.reserved -= bytes;
        if let Some(memory) = &self.memory {
            memory.release(bytes);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.give_back(self.reserved);
    }
}
