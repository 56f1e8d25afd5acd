//! The distribution of the values of one field.

pub(crate) mod bins;
mod encode;
mod heap_values;
mod inline_values;
mod moments;
mod percentile;
mod sketch;

pub use self::percentile::Percentile;
use self::{
    bins::Binned,
    heap_values::Values,
    inline_values::InlineValues,
    moments::{Moments, as_f64},
    sketch::Sketch,
};

/// A distribution of 64-bit values: exact count, sum, minimum, maximum, mean
/// and variance, and quantiles. Quantiles are exact up to 480 values; with
/// more, their relative error is at most 1 %.
///
/// Values are unsigned, as in Dovecot: −1 counts as 2⁶⁴−1. The sum does not
/// wrap: −1 and 2 add up to 2⁶⁴+1, in Dovecot to 1. Merging distributions gives
/// the distribution of all their values, in any order.
///
/// A distribution has 40 bytes. They store the first 4 to 31 values inline: 11
/// durations in microseconds that differ by less than 8 seconds, for example.
/// More values use 104 bytes on the heap and 1 to 8 bytes for each value,
/// depending on their differences. Above 480 values, a sketch of 1 to 3 KB
/// replaces the values.
///
/// ```
/// # use fantail_metrics::{Distribution, Percentile};
/// let durations: Distribution = [30, 10, 20, 1_000].into_iter().collect();
/// assert_eq!((durations.count(), durations.sum()), (4, 1_060));
/// assert_eq!((durations.min(), durations.max()), (10, 1_000));
/// assert_eq!((durations.mean(), durations.median()), (265.0, 25));
/// assert_eq!(durations.percentile(Percentile::P95), 1_000);
/// ```
#[derive(Debug, Clone)]
pub struct Distribution {
    storage: Storage,
}

#[derive(Debug, Clone)]
enum Storage {
    /// All statistics are computed from these values.
    Inline(InlineValues),
    Heap(Box<HeapValues>),
}

/// Values on the heap, with the statistics that a sketch of the values cannot
/// give exactly.
#[derive(Debug, Clone)]
struct HeapValues {
    moments: Moments,
    min: u64,
    max: u64,
    values: Values,
}

impl HeapValues {
    /// Copies inline values to the heap, with capacity for `next`.
    fn of_inline(inline: &InlineValues, next: u64) -> Self {
        let (min, max) = inline.ends().unwrap_or((u64::MAX, 0));
        Self {
            moments: inline.moments(),
            min,
            max,
            values: Values::of_inline(inline, next),
        }
    }

    #[inline]
    fn record(&mut self, binned: Binned) {
        let value = binned.value;
        self.values.record(self.moments.count(), binned);
        self.moments.record(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn merge(&mut self, other: &Self) {
        let (count, other_count) = (self.moments.count(), other.moments.count());
        self.values.merge(count, &other.values, other_count);
        self.merge_numbers(&other.moments, (other.min, other.max));
    }

    fn merge_inline(&mut self, inline: &InlineValues) {
        let Some(ends) = inline.ends() else {
            return;
        };
        let count = self.moments.count();
        self.values.extend(count, inline.iter(), inline.count());
        self.merge_numbers(&inline.moments(), ends);
    }

    fn merge_numbers(&mut self, moments: &Moments, (min, max): (u64, u64)) {
        self.moments.merge(moments);
        self.min = self.min.min(min);
        self.max = self.max.max(max);
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

impl Distribution {
    /// The maximum number of values for which the median and percentiles are
    /// exact.
    pub const EXACT_VALUES: u64 = heap_values::MAX_EXACT_VALUES;

    /// Returns a distribution without values.
    #[must_use]
    pub fn new() -> Self {
        let storage = Storage::Inline(InlineValues::default());
        Self { storage }
    }

    /// Adds a value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_binned(Binned::new(value));
    }

    /// Adds a value whose bin is known, so that several distributions can share
    /// the computation.
    #[inline]
    pub(crate) fn record_binned(&mut self, binned: Binned) {
        match &mut self.storage {
            Storage::Inline(inline) => {
                if !inline.record(binned.value) {
                    self.make_room(binned);
                }
            }
            Storage::Heap(heap) => heap.record(binned),
        }
    }

    /// Adds a value for which the inline storage is too small or too narrow.
    #[cold]
    fn make_room(&mut self, binned: Binned) {
        let Storage::Inline(inline) = &self.storage else {
            return;
        };
        self.storage = if let Some(wider) = inline.widened(binned.value) {
            Storage::Inline(wider)
        } else {
            let mut heap = HeapValues::of_inline(inline, binned.value);
            heap.record(binned);
            Storage::Heap(Box::new(heap))
        };
    }

    /// Adds all values of another distribution.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.storage, &other.storage) {
            (Storage::Inline(_), Storage::Inline(inline)) => self.extend(inline.iter()),
            (Storage::Heap(heap), Storage::Inline(inline)) => heap.merge_inline(inline),
            (Storage::Heap(heap), Storage::Heap(other)) => heap.merge(other),
            (Storage::Inline(inline), Storage::Heap(_)) if inline.count() == 0 => {
                *self = other.clone();
            }
            (Storage::Inline(inline), Storage::Heap(other)) => {
                let mut heap = Box::new(HeapValues::of_inline(inline, other.min));
                heap.merge(other);
                self.storage = Storage::Heap(heap);
            }
        }
    }

    /// Removes all values and frees their memory.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Returns the number of values.
    #[must_use]
    #[inline]
    pub fn count(&self) -> u64 {
        match &self.storage {
            Storage::Inline(inline) => inline.count(),
            Storage::Heap(heap) => heap.moments.count(),
        }
    }

    /// Returns the sum of the values.
    #[must_use]
    #[inline]
    pub fn sum(&self) -> u128 {
        match &self.storage {
            Storage::Inline(inline) => inline.sum(),
            Storage::Heap(heap) => heap.moments.sum(),
        }
    }

    /// Returns the minimum; 0 without values.
    #[must_use]
    pub fn min(&self) -> u64 {
        match &self.storage {
            Storage::Inline(inline) => inline.ends().map_or(0, |(min, _)| min),
            Storage::Heap(heap) => heap.min,
        }
    }

    /// Returns the maximum; 0 without values.
    #[must_use]
    pub fn max(&self) -> u64 {
        match &self.storage {
            Storage::Inline(inline) => inline.ends().map_or(0, |(_, max)| max),
            Storage::Heap(heap) => heap.max,
        }
    }

    /// Returns the mean; 0 without values.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Rounded to the nearest.
    pub fn mean(&self) -> f64 {
        match self.count() {
            0 => 0.0,
            count => self.sum() as f64 / as_f64(count),
        }
    }

    /// Returns the population variance; 0 without values.
    #[must_use]
    pub fn variance(&self) -> f64 {
        match &self.storage {
            Storage::Inline(inline) => inline.moments().variance(),
            Storage::Heap(heap) => heap.moments.variance(),
        }
    }

    /// Returns the median, as [`Quantiles::median`] does.
    #[must_use]
    pub fn median(&self) -> u64 {
        self.quantiles().median()
    }

    /// Returns a percentile, as [`Quantiles::percentile`] does.
    #[must_use]
    pub fn percentile(&self, percentile: Percentile) -> u64 {
        self.quantiles().percentile(percentile)
    }

    /// Sorts the values once, for several quantiles.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles<'_> {
        let values = match &self.storage {
            Storage::Inline(inline) => {
                let mut values: Vec<u64> = inline.iter().collect();
                values.sort_unstable();
                Ok(values)
            }
            Storage::Heap(heap) => heap.values.sorted(self.count()),
        };
        Quantiles {
            distribution: self,
            values,
        }
    }

    /// Returns whether the quantiles are exact.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.sketch().is_none()
    }

    /// Returns the sketch, if it has replaced the values.
    const fn sketch(&self) -> Option<(&HeapValues, &Sketch)> {
        let Storage::Heap(heap) = &self.storage else {
            return None;
        };
        match &heap.values {
            Values::Sketch(sketch) => Some((heap, sketch)),
            Values::Exact { .. } => None,
        }
    }

    /// Calls `each` with each value in the order of arrival; with no value if a
    /// sketch has replaced them.
    fn for_each_exact(&self, mut each: impl FnMut(u64)) {
        match &self.storage {
            Storage::Inline(inline) => inline.iter().for_each(&mut each),
            Storage::Heap(heap) => heap.values.exact().for_each(each),
        }
    }

    /// Returns the number of bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.storage {
            Storage::Inline(_) => 0,
            Storage::Heap(heap) => size_of::<HeapValues>() + heap.values.heap_bytes(),
        }
    }
}

impl Extend<u64> for Distribution {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, values: I) {
        for value in values {
            self.record(value);
        }
    }
}

impl FromIterator<u64> for Distribution {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut distribution = Self::new();
        distribution.extend(values);
        distribution
    }
}

/// The quantiles of a [`Distribution`].
#[derive(Debug)]
pub struct Quantiles<'a> {
    distribution: &'a Distribution,
    values: Result<Vec<u64>, &'a Sketch>,
}

impl Quantiles<'_> {
    /// Returns the middle value, or the mean of the two middle values rounded
    /// down; 0 without values.
    #[must_use]
    pub fn median(&self) -> u64 {
        let Some(last) = self.distribution.count().checked_sub(1) else {
            return 0;
        };
        let (low, high) = (self.at(last / 2), self.at(last.div_ceil(2)));
        low + (high - low) / 2
    }

    /// Returns the sorted value at index ⌊n·p⌋, or one before it if n·p is
    /// whole; 0 without values.
    #[must_use]
    pub fn percentile(&self, percentile: Percentile) -> u64 {
        let rank = percentile.rank(self.distribution.count());
        rank.map_or(0, |rank| self.at(rank))
    }

    /// Returns all values in order if they are exact.
    #[cfg(test)]
    pub(crate) fn exact(&self) -> Option<&[u64]> {
        self.values.as_deref().ok()
    }

    fn at(&self, rank: u64) -> u64 {
        match &self.values {
            Ok(values) => {
                let at = usize::try_from(rank).ok().and_then(|rank| values.get(rank));
                at.copied().unwrap_or(self.distribution.max())
            }
            // The minimum and maximum are exact, and bound the sketch's answer.
            Err(_) if rank == 0 => self.distribution.min(),
            Err(_) if rank >= self.distribution.count() - 1 => self.distribution.max(),
            Err(sketch) => sketch
                .at_rank(rank)
                .clamp(self.distribution.min(), self.distribution.max()),
        }
    }
}
