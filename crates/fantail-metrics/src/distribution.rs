//! The distribution of the values of one field.

mod bins;
mod encode;
mod heap_values;
mod inline_values;
mod moments;
mod packed;
mod percentile;
mod quantiles;
mod sketch;

use std::borrow::Cow;

use self::{
    heap_values::HeapValues,
    inline_values::InlineValues,
    moments::as_f64,
    packed::{Packed, difference},
};
pub use self::{percentile::Percentile, quantiles::Quantiles};

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
    /// Every number follows from the values.
    Inline { first: u64, values: Packed },
    /// Values on the heap, and the latest ones.
    ///
    /// Those are added to the heap several at once: an event then touches 40
    /// bytes of the distribution, and not the two to five cache lines of the
    /// heap.
    Heap {
        latest: Packed,
        heap: Box<HeapValues>,
    },
}

/// The base of the latest values of [`Storage::Heap`].
const LATEST_BASE: u64 = 0;

fn latest_values(latest: &Packed) -> impl Iterator<Item = u64> + Clone {
    (0..latest.len()).map(|at| packed::value(LATEST_BASE, latest.get(at)))
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
        let storage = Storage::Inline {
            first: 0,
            values: Packed::default(),
        };
        Self { storage }
    }

    /// Adds a value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_and_grow(value);
    }

    /// Adds a value; returns the bytes on the heap that this took.
    #[inline]
    pub(crate) fn record_and_grow(&mut self, value: u64) -> usize {
        let (values, at, base) = match &mut self.storage {
            Storage::Inline { first, values } => {
                let Some(at) = values.len().checked_sub(1) else {
                    *first = value;
                    values.push_base();
                    return 0;
                };
                (values, at, *first)
            }
            Storage::Heap { latest, .. } => {
                let at = latest.len();
                (latest, at, LATEST_BASE)
            }
        };
        if values.push(at, difference(base, value)) {
            return 0;
        }
        self.make_room(value)
    }

    /// Adds a value that there is no room for so far; returns the bytes on the heap
    /// that this took. A sketch that replaces values may take fewer than they did,
    /// which counts as none.
    #[inline(never)]
    fn make_room(&mut self, value: u64) -> usize {
        let before = self.heap_bytes();
        match &mut self.storage {
            Storage::Heap { latest, heap } => {
                *latest = heap.record_latest(latest, value);
            }
            Storage::Inline { first, values } => {
                let inline = InlineValues::new(*first, values);
                if let Some(wider) = inline.widened(value) {
                    *values = wider;
                    return 0;
                }
                let mut heap = HeapValues::of_inline(inline, value);
                heap.record(value);
                self.storage = Storage::of_heap(heap);
            }
        }
        self.heap_bytes().saturating_sub(before)
    }

    /// Adds all values of another distribution.
    pub fn merge(&mut self, other: &Self) {
        match &other.storage {
            Storage::Inline { first, values } => {
                let inline = InlineValues::new(*first, values);
                match &mut self.storage {
                    Storage::Inline { .. } => self.extend(inline.iter()),
                    Storage::Heap { latest, heap } => {
                        heap.record_all(latest_values(latest));
                        *latest = Packed::default();
                        heap.merge_inline(inline);
                    }
                }
            }
            Storage::Heap {
                latest: other_latest,
                heap: other_heap,
            } => {
                match &mut self.storage {
                    Storage::Inline { values, .. } if values.len() == 0 => {
                        *self = other.clone();
                        return;
                    }
                    Storage::Inline { first, values } => {
                        let inline = InlineValues::new(*first, values);
                        let mut heap = HeapValues::of_inline(inline, other_heap.min);
                        heap.merge(other_heap);
                        self.storage = Storage::of_heap(heap);
                    }
                    Storage::Heap { latest, heap } => {
                        heap.record_all(latest_values(latest));
                        *latest = Packed::default();
                        heap.merge(other_heap);
                    }
                }
                self.extend(latest_values(other_latest));
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
            Storage::Inline { values, .. } => values.len() as u64,
            Storage::Heap { latest, heap } => heap.count_with(latest),
        }
    }

    /// Returns the sum of the values.
    #[must_use]
    #[inline]
    pub fn sum(&self) -> u128 {
        match &self.storage {
            Storage::Inline { first, values } => InlineValues::new(*first, values).sum(),
            Storage::Heap { latest, heap } => {
                let latest = latest_values(latest).map(u128::from);
                heap.moments.sum() + latest.sum::<u128>()
            }
        }
    }

    /// Returns the minimum; 0 without values.
    #[must_use]
    pub fn min(&self) -> u64 {
        self.ends().map_or(0, |(min, _)| min)
    }

    /// Returns the maximum; 0 without values.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.ends().map_or(0, |(_, max)| max)
    }

    /// The least and the greatest value, if there are any.
    fn ends(&self) -> Option<(u64, u64)> {
        match &self.storage {
            Storage::Inline { first, values } => InlineValues::new(*first, values).ends(),
            Storage::Heap { latest, heap } => {
                let of_heap = [heap.min, heap.max].into_iter();
                inline_values::ends(of_heap.chain(latest_values(latest)))
            }
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
            Storage::Inline { first, values } => {
                InlineValues::new(*first, values).moments().variance()
            }
            Storage::Heap { latest, heap } => {
                let mut moments = heap.moments;
                latest_values(latest).for_each(|value| moments.record(value));
                moments.variance()
            }
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
        let values = match self.sketched() {
            Some(heap) => Err(heap),
            None => {
                // No more than the values that are kept exactly.
                let mut values = Vec::with_capacity(usize::try_from(self.count()).unwrap_or(0));
                self.for_each_exact(|value| values.push(value));
                values.sort_unstable();
                Ok(values)
            }
        };
        let ends = self.ends().unwrap_or_default();
        Quantiles {
            count: self.count(),
            ends,
            values,
        }
    }

    /// Calls `each` with a value and a number of values that it represents, with a
    /// relative error of at most 1 %.
    ///
    /// A value is always represented by the same one, also while all values are exact. So
    /// more values never decrease the number at or below any bound.
    pub fn each_bin(&self, mut each: impl FnMut(u64, u64)) {
        let stands_for = |value| bins::representative(bins::bin_of(value));
        if let Storage::Heap { latest, heap } = &self.storage
            && let Some(sketch) = heap.sketch()
        {
            for (bin, count) in sketch.counts() {
                each(bins::representative(bin), count);
            }
            latest_values(latest).for_each(|value| each(stands_for(value), 1));
        } else {
            self.for_each_exact(|value| each(stands_for(value), 1));
        }
    }

    /// Returns whether the quantiles are exact.
    #[must_use]
    #[inline]
    pub const fn is_exact(&self) -> bool {
        match &self.storage {
            Storage::Inline { .. } => true,
            Storage::Heap { latest, heap } => {
                heap.sketch().is_none() && heap.count_with(latest) <= Self::EXACT_VALUES
            }
        }
    }

    /// All values together, where a sketch has taken their place.
    fn sketched(&self) -> Option<Cow<'_, HeapValues>> {
        match &self.storage {
            Storage::Heap { latest, heap } if !self.is_exact() => Some(heap.with(latest)),
            _ => None,
        }
    }

    /// Calls `each` with each value in the order of arrival; with no value if a
    /// sketch has replaced them.
    fn for_each_exact(&self, mut each: impl FnMut(u64)) {
        match &self.storage {
            Storage::Inline { first, values } => {
                let inline = InlineValues::new(*first, values);
                inline.iter().for_each(&mut each);
            }
            Storage::Heap { latest, heap } => {
                let values = heap.values.exact().chain(latest_values(latest));
                values.for_each(each);
            }
        }
    }

    /// Returns the number of bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.storage {
            Storage::Inline { .. } => 0,
            Storage::Heap { heap, .. } => size_of::<HeapValues>() + heap.values.heap_bytes(),
        }
    }
}

impl Storage {
    fn of_heap(heap: HeapValues) -> Self {
        Self::Heap {
            latest: Packed::default(),
            heap: Box::new(heap),
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
