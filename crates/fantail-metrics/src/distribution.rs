//! What is known of the values of one field.

mod saved;

use crate::{
    Percentile,
    bins::Binned,
    moments::{Moments, as_f64},
    samples::Samples,
    sketch::Sketch,
};

/// A distribution of 64-bit values: how many, their sum, least, greatest,
/// mean and variance exactly, and quantiles exactly up to 480 values, with a
/// relative error of at most 1 % beyond.
///
/// Values are unsigned, as Dovecot takes them: −1 is 2⁶⁴−1. The sum never
/// wraps (Dovecot's does at 2⁶⁴: there, −1 and 2 make a sum of 1, here of
/// 2⁶⁴+1). Distributions merge, and a merge equals the distribution of all
/// values together; the order in which they come does not matter.
///
/// It is 104 bytes, and room for the first 4 to 31 values is in there: 11 if
/// they are less than 8 seconds apart, as durations in microseconds. Up to 480
/// values add 1 to 8 bytes each, according to how far they lie apart; beyond,
/// a sketch of 1 to 3 KB takes their place.
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
    moments: Moments,
    /// 2⁶⁴−1 without values.
    min: u64,
    max: u64,
    samples: Samples,
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

impl Distribution {
    /// Up to so many values, median and percentiles are exact.
    pub const EXACT_VALUES: u64 = crate::samples::EXACT;

    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            moments: Moments::default(),
            min: u64::MAX,
            max: 0,
            samples: Samples::default(),
        }
    }

    /// Adds a value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_binned(Binned::new(value));
    }

    /// The same for a value that others take, too.
    #[inline]
    pub(crate) fn record_binned(&mut self, binned: Binned) {
        let value = binned.value;
        self.samples.record(self.moments.count(), binned);
        self.moments.record(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        self.samples
            .merge(self.count(), &other.samples, other.count());
        self.moments.merge(&other.moments);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Forgets all values, and frees their memory.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.moments.count()
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> u128 {
        self.moments.sum()
    }

    /// The least; 0 without values.
    #[must_use]
    pub const fn min(&self) -> u64 {
        if self.count() == 0 { 0 } else { self.min }
    }

    /// The greatest; 0 without values.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// The mean; 0 without values.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Rounded to the nearest.
    pub fn mean(&self) -> f64 {
        match self.count() {
            0 => 0.0,
            count => self.sum() as f64 / as_f64(count),
        }
    }

    /// The population variance; 0 without values.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.moments.variance()
    }

    /// The median: see [`Quantiles::median`].
    #[must_use]
    pub fn median(&self) -> u64 {
        self.quantiles().median()
    }

    /// A percentile: see [`Quantiles::percentile`].
    #[must_use]
    pub fn percentile(&self, percentile: Percentile) -> u64 {
        self.quantiles().percentile(percentile)
    }

    /// For several quantiles of the same values: sorts them once.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles<'_> {
        let values = self.samples.sorted(self.count());
        Quantiles {
            distribution: self,
            values,
        }
    }

    /// Whether the quantiles are exact.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        !matches!(self.samples, Samples::Sketch(_))
    }

    /// Bytes that it takes on the heap, besides its own size.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.samples.heap_bytes()
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
    /// The middle value, or the mean of the two in the middle without its
    /// fraction; 0 without values.
    #[must_use]
    pub fn median(&self) -> u64 {
        let Some(last) = self.distribution.count().checked_sub(1) else {
            return 0;
        };
        let (low, high) = (self.at(last / 2), self.at(last.div_ceil(2)));
        low + (high - low) / 2
    }

    /// The value at ⌊n·p⌋ of the sorted, one before where n·p is whole; 0
    /// without values.
    #[must_use]
    pub fn percentile(&self, percentile: Percentile) -> u64 {
        let rank = percentile.rank(self.distribution.count());
        rank.map_or(0, |rank| self.at(rank))
    }

    fn at(&self, rank: u64) -> u64 {
        match &self.values {
            Ok(values) => {
                let at = usize::try_from(rank).ok().and_then(|rank| values.get(rank));
                at.copied().unwrap_or(self.distribution.max())
            }
            // The ends are known exactly, and nothing is outside of them.
            Err(_) if rank == 0 => self.distribution.min(),
            Err(_) if rank >= self.distribution.count() - 1 => self.distribution.max(),
            Err(sketch) => sketch
                .at_rank(rank)
                .clamp(self.distribution.min(), self.distribution.max()),
        }
    }
}
