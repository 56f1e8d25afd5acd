//! What is known of the values of one field.

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
    heap_values::Samples,
    inline_values::Few,
    moments::{Moments, as_f64},
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
/// It is 40 bytes, and room for the first 4 to 31 values is in there: 11 if
/// they are less than 8 seconds apart, as durations in microseconds. More take
/// 104 bytes besides: up to 480 values 1 to 8 bytes each, according to how far
/// they lie apart; beyond, a sketch of 1 to 3 KB takes their place.
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
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    /// Everything else follows from them.
    Few(Few),
    Many(Box<Many>),
}

/// More values than are kept in place.
#[derive(Debug, Clone)]
struct Many {
    moments: Moments,
    min: u64,
    max: u64,
    samples: Samples,
}

impl Many {
    /// What there is, with room for another value.
    fn of_few(few: &Few, next: u64) -> Self {
        let (min, max) = few.ends().unwrap_or((u64::MAX, 0));
        Self {
            moments: few.moments(),
            min,
            max,
            samples: Samples::of_few(few, next),
        }
    }

    #[inline]
    fn record(&mut self, binned: Binned) {
        let value = binned.value;
        self.samples.record(self.moments.count(), binned);
        self.moments.record(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn merge(&mut self, other: &Self) {
        let (count, other_count) = (self.moments.count(), other.moments.count());
        self.samples.merge(count, &other.samples, other_count);
        self.merge_numbers(&other.moments, (other.min, other.max));
    }

    fn merge_few(&mut self, few: &Few) {
        let Some(ends) = few.ends() else {
            return;
        };
        let count = self.moments.count();
        self.samples.extend(count, few.iter(), few.count());
        self.merge_numbers(&few.moments(), ends);
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
    /// Up to so many values, median and percentiles are exact.
    pub const EXACT_VALUES: u64 = heap_values::EXACT;

    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        let values = Values::Few(Few::default());
        Self { values }
    }

    /// Adds a value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_binned(Binned::new(value));
    }

    /// The same for a value that others take, too.
    #[inline]
    pub(crate) fn record_binned(&mut self, binned: Binned) {
        match &mut self.values {
            Values::Few(few) => {
                if !few.record(binned.value) {
                    self.make_room(binned);
                }
            }
            Values::Many(many) => many.record(binned),
        }
    }

    /// Adds a value that there is no room for so far.
    #[cold]
    fn make_room(&mut self, binned: Binned) {
        let Values::Few(few) = &self.values else {
            return;
        };
        self.values = if let Some(wider) = few.widened(binned.value) {
            Values::Few(wider)
        } else {
            let mut many = Many::of_few(few, binned.value);
            many.record(binned);
            Values::Many(Box::new(many))
        };
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.values, &other.values) {
            (Values::Few(_), Values::Few(few)) => self.extend(few.iter()),
            (Values::Many(many), Values::Few(few)) => many.merge_few(few),
            (Values::Many(many), Values::Many(other)) => many.merge(other),
            (Values::Few(few), Values::Many(_)) if few.count() == 0 => *self = other.clone(),
            (Values::Few(few), Values::Many(other)) => {
                let mut many = Box::new(Many::of_few(few, other.min));
                many.merge(other);
                self.values = Values::Many(many);
            }
        }
    }

    /// Forgets all values, and frees their memory.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// How many values there are.
    #[must_use]
    #[inline]
    pub fn count(&self) -> u64 {
        match &self.values {
            Values::Few(few) => few.count(),
            Values::Many(many) => many.moments.count(),
        }
    }

    /// Their sum.
    #[must_use]
    #[inline]
    pub fn sum(&self) -> u128 {
        match &self.values {
            Values::Few(few) => few.sum(),
            Values::Many(many) => many.moments.sum(),
        }
    }

    /// The least; 0 without values.
    #[must_use]
    pub fn min(&self) -> u64 {
        match &self.values {
            Values::Few(few) => few.ends().map_or(0, |(min, _)| min),
            Values::Many(many) => many.min,
        }
    }

    /// The greatest; 0 without values.
    #[must_use]
    pub fn max(&self) -> u64 {
        match &self.values {
            Values::Few(few) => few.ends().map_or(0, |(_, max)| max),
            Values::Many(many) => many.max,
        }
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
        match &self.values {
            Values::Few(few) => few.moments().variance(),
            Values::Many(many) => many.moments.variance(),
        }
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
        let values = match &self.values {
            Values::Few(few) => {
                let mut values: Vec<u64> = few.iter().collect();
                values.sort_unstable();
                Ok(values)
            }
            Values::Many(many) => many.samples.sorted(self.count()),
        };
        Quantiles {
            distribution: self,
            values,
        }
    }

    /// Whether the quantiles are exact.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.sketch().is_none()
    }

    /// The sketch that has taken the place of the values.
    const fn sketch(&self) -> Option<(&Many, &Sketch)> {
        let Values::Many(many) = &self.values else {
            return None;
        };
        match &many.samples {
            Samples::Sketch(sketch) => Some((many, sketch)),
            Samples::Exact { .. } => None,
        }
    }

    /// Calls with each value, in the order in which they came, unless there is
    /// a sketch of them.
    fn for_each_exact(&self, mut each: impl FnMut(u64)) {
        match &self.values {
            Values::Few(few) => few.iter().for_each(&mut each),
            Values::Many(many) => many.samples.exact().for_each(each),
        }
    }

    /// Bytes that it takes on the heap, besides its own size.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.values {
            Values::Few(_) => 0,
            Values::Many(many) => size_of::<Many>() + many.samples.heap_bytes(),
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

    /// All values in order, if they are exact.
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
            // The ends are known exactly, and nothing is outside of them.
            Err(_) if rank == 0 => self.distribution.min(),
            Err(_) if rank >= self.distribution.count() - 1 => self.distribution.max(),
            Err(sketch) => sketch
                .at_rank(rank)
                .clamp(self.distribution.min(), self.distribution.max()),
        }
    }
}
