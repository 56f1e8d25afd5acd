//! Quantiles of a distribution.

use std::borrow::Cow;

use super::{heap_values::HeapValues, percentile::Percentile};

/// The quantiles of a [`Distribution`](super::Distribution).
///
/// ```
/// use fantail_metrics::{Distribution, Percentile, Quantiles};
///
/// let distribution: Distribution = [5, 1, 9].into_iter().collect();
/// // Sorts once for several questions.
/// let quantiles: Quantiles<'_> = distribution.quantiles();
/// assert_eq!(quantiles.median(), 5);
/// assert_eq!(quantiles.percentile(Percentile::P99), 9);
/// ```
#[derive(Debug)]
pub struct Quantiles<'a> {
    pub(super) count: u64,
    /// The least and the greatest value.
    pub(super) ends: (u64, u64),
    /// All values in order, or those of a sketch.
    pub(super) values: Result<Vec<u64>, Cow<'a, HeapValues>>,
}

impl Quantiles<'_> {
    /// Returns the middle value, or the mean of the two middle values rounded
    /// down; 0 without values.
    #[must_use]
    pub fn median(&self) -> u64 {
        let Some(last) = self.count.checked_sub(1) else {
            return 0;
        };
        let (low, high) = (self.at(last / 2), self.at(last.div_ceil(2)));
        low + (high - low) / 2
    }

    /// Returns the sorted value at index ⌊n·p⌋, or one before it if n·p is
    /// whole; 0 without values.
    #[must_use]
    pub fn percentile(&self, percentile: Percentile) -> u64 {
        let rank = percentile.rank(self.count);
        rank.map_or(0, |rank| self.at(rank))
    }

    /// Returns all values in order if they are exact.
    #[cfg(test)]
    pub(crate) fn exact(&self) -> Option<&[u64]> {
        self.values.as_deref().ok()
    }

    fn at(&self, rank: u64) -> u64 {
        let (min, max) = self.ends;
        match &self.values {
            Ok(values) => {
                let at = usize::try_from(rank).ok().and_then(|rank| values.get(rank));
                at.copied().unwrap_or(max)
            }
            // The ends are known exactly, and nothing is outside of them.
            Err(_) if rank == 0 => min,
            Err(_) if rank >= self.count - 1 => max,
            Err(heap) => {
                let sketch = heap.sketch();
                debug_assert!(sketch.is_some(), "{} values have a sketch", self.count);
                let at = sketch.map_or(max, |sketch| sketch.at_rank(rank));
                at.clamp(min, max)
            }
        }
    }
}
