//! Up to 31 values that are stored inline.
//!
//! The first is kept as it is, the others as [differences](super::packed) to it.
//! Nothing else is kept: what is asked of so few values is worked out when it is
//! asked for. Most series never have more than these, and then an event touches
//! 40 bytes of its series.

use super::{
    moments::Moments,
    packed::{Packed, Width, difference, value},
};

/// Up to 31 values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InlineValues<'a> {
    /// The first value, if there are any.
    base: u64,
    packed: &'a Packed,
}

impl<'a> InlineValues<'a> {
    #[inline]
    pub(crate) const fn new(base: u64, packed: &'a Packed) -> Self {
        Self { base, packed }
    }

    /// The first value, and the width of the differences of the others to it.
    pub(crate) const fn shape(self) -> (u64, Width) {
        (self.base, self.packed.width())
    }

    #[inline]
    pub(crate) const fn count(self) -> u64 {
        self.packed.len() as u64
    }

    /// Returns the same values and another one that they have no room for: the
    /// differences with another width; `None` if there is not enough room.
    pub(crate) fn widened(self, value: u64) -> Option<Packed> {
        let last = difference(self.base, value);
        let others = self.packed.len().checked_sub(1)?;
        let mut wider = Packed::with_width(Width::of(last).max(self.packed.width()));
        wider.push_base();
        let is_there = (0..others).all(|at| wider.push(at, self.packed.get(at)));
        (is_there && wider.push(others, last)).then_some(wider)
    }

    /// Returns the values in the order in which they came.
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = u64> {
        let Self { base, packed } = self;
        (0..packed.len()).map(move |at| match at.checked_sub(1) {
            None => base,
            Some(at) => value(base, packed.get(at)),
        })
    }

    #[inline]
    pub(crate) fn sum(self) -> u128 {
        self.iter().map(u128::from).sum()
    }

    /// The least and the greatest, if there are any.
    #[inline]
    pub(crate) fn ends(self) -> Option<(u64, u64)> {
        ends(self.iter())
    }

    pub(crate) fn moments(self) -> Moments {
        let mut moments = Moments::default();
        self.iter().for_each(|value| moments.record(value));
        moments
    }
}

/// The least and the greatest of some values, if there are any.
#[inline]
pub(crate) fn ends(values: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
    let ends = values.map(|value| (value, value));
    ends.reduce(|(min, max), (value, _)| (min.min(value), max.max(value)))
}

#[cfg(test)]
mod tests {
    use crate::Distribution;

    /// How many of these there is room for.
    fn check(values: &[u64], expected: usize) {
        let mut distribution = Distribution::new();
        for (count, value) in values.iter().enumerate() {
            let before = values.get(..count).unwrap();
            let mut sorted = before.to_vec();
            sorted.sort_unstable();
            assert_eq!(distribution.quantiles().exact(), Some(&*sorted));
            assert_eq!(distribution.count(), count as u64);
            let sum: u128 = before.iter().map(|value| u128::from(*value)).sum();
            assert_eq!(distribution.sum(), sum);
            let ends = (distribution.min(), distribution.max());
            let expected_ends = sorted.first().copied().zip(sorted.last().copied());
            assert_eq!(ends, expected_ends.unwrap_or_default());
            distribution.record(*value);
            if distribution.heap_bytes() > 0 {
                assert_eq!(count, expected, "{values:?}");
                return;
            }
        }
        assert_eq!(values.len(), expected, "{values:?}");
    }

    #[test]
    fn values_come_back() {
        check(&[], 0);
        check(&[u64::MAX], 1);
        check(&[4, 3, 2, 1, 0], 5);
        check(&[7; 40], 31);
        check(&[0, u64::MAX, 1 << 63, 1], 4);
        check(&[0, u64::MAX, 1 << 63, 1, u64::MAX - 1, (1 << 63) - 1], 4);
        check(&[1 << 40, 1, 2, 3, 1 << 40, 65_536, 1 << 41], 6);
        for bytes in 1..=8 {
            let far = 1 << (8 * bytes - 2);
            let room = 1 + 30 / bytes;
            let values: Vec<u64> = (0..40).map(|n| 7 + n % 2 * far).collect();
            check(&values, room);
            // Wider from the second, or the last, on.
            let values: Vec<u64> = (0..40).map(|n| 7 + u64::from(n == 5) * far).collect();
            check(&values, if bytes > 5 { 5.max(room) } else { room });
        }
    }
}
