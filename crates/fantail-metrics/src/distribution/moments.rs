//! Count, sum and sum of squares, exact.
//!
//! The integers are exact, unlike Welford's recurrence: an update costs one
//! wide multiplication and a few additions with carry instead of a division,
//! the result does not depend on the order of the values, and a merge of parts
//! equals the whole to the last bit.
//!
//! Invariants: the sum of fewer than 2⁶⁴ values of 64 bits fits in 128 bits,
//! the sum of their squares in 192. Nothing wraps while the count is below 2⁶⁴,
//! and the count saturates.

/// Count, sum and sum of squares; the lowest limb is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moments {
    count: u64,
    sum: [u64; 2],
    squares: [u64; 3],
}

impl Moments {
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        self.count = self.count.saturating_add(1);
        let sum = join(self.sum).wrapping_add(u128::from(value));
        self.sum = split(sum);
        let [low, high, top] = self.squares;
        let square = u128::from(value) * u128::from(value);
        let (squares, over) = join([low, high]).overflowing_add(square);
        let [low, high] = split(squares);
        self.squares = [low, high, top.wrapping_add(u64::from(over))];
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        add_limbs(&mut self.sum, &other.sum);
        add_limbs(&mut self.squares, &other.squares);
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn sum(&self) -> u128 {
        join(self.sum)
    }

    /// Returns count, sum and sum of squares; the lowest limb is first.
    pub(crate) const fn limbs(&self) -> [u64; 6] {
        let ([a, b], [x, y, z]) = (self.sum, self.squares);
        [self.count, a, b, x, y, z]
    }

    /// Converts the result of [`limbs`](Self::limbs) back; `None` if no values
    /// between `min` and `max` have these sums.
    pub(crate) fn from_limbs(limbs: [u64; 6], min: u64, max: u64) -> Option<Self> {
        let [count, a, b, x, y, z] = limbs;
        let moments = Self {
            count,
            sum: [a, b],
            squares: [x, y, z],
        };
        let times = |value: u64| u128::from(value) * u128::from(count);
        let sum_fits = (times(min)..=times(max)).contains(&moments.sum());
        // (Σx)² ≤ n·Σx²: otherwise the variance would be negative.
        let mut least = [0; 4];
        add_product(&mut least, &moments.sum, &moments.sum);
        let mut most = [0; 4];
        add_product(&mut most, &moments.squares, &[count]);
        let squares_fit = least.iter().rev().le(most.iter().rev());
        (sum_fits && squares_fit).then_some(moments)
    }

    /// Returns the population variance, 0 without values: (n·Σx² − (Σx)²) / n².
    /// The numerator is exact.
    pub(crate) fn variance(&self) -> f64 {
        let mut numerator = [0; 4];
        add_product(&mut numerator, &self.squares, &[self.count]);
        let mut square_of_sum = [0; 4];
        add_product(&mut square_of_sum, &self.sum, &self.sum);
        subtract(&mut numerator, &square_of_sum);
        match self.count {
            0 => 0.0,
            count => to_f64(&numerator) / (as_f64(count) * as_f64(count)),
        }
    }
}

const fn join([low, high]: [u64; 2]) -> u128 {
    low as u128 | (high as u128) << 64
}

/// Returns the low and the high half.
#[allow(clippy::cast_possible_truncation)]
const fn split(wide: u128) -> [u64; 2] {
    [wide as u64, (wide >> 64) as u64]
}

/// Returns the nearest `f64`; a count or limb above 2⁵³ is rounded.
#[allow(clippy::cast_precision_loss)]
pub(crate) const fn as_f64(value: u64) -> f64 {
    value as f64
}

fn add_limbs(into: &mut [u64], terms: &[u64]) {
    let mut carry = false;
    for (index, limb) in into.iter_mut().enumerate() {
        let term = terms.get(index).copied().unwrap_or(0);
        let (sum, over) = limb.overflowing_add(term);
        let (sum, over_again) = sum.overflowing_add(u64::from(carry));
        *limb = sum;
        carry = over || over_again;
    }
}

fn subtract(from: &mut [u64; 4], terms: &[u64; 4]) {
    let mut borrow = false;
    for (limb, term) in from.iter_mut().zip(terms) {
        let (rest, under) = limb.overflowing_sub(*term);
        let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
        *limb = rest;
        borrow = under || under_again;
    }
}

fn add_product(into: &mut [u64; 4], a: &[u64], b: &[u64]) {
    for (shift, &x) in a.iter().enumerate() {
        let mut carry = 0_u128;
        let from = into.iter_mut().skip(shift);
        // After the end of `b`, only the carry propagates.
        let factors = b.iter().copied().chain(core::iter::repeat(0));
        for (limb, y) in from.zip(factors) {
            let wide = u128::from(x) * u128::from(y) + u128::from(*limb) + carry;
            let [low, high] = split(wide);
            *limb = low;
            carry = u128::from(high);
        }
    }
}

fn to_f64(limbs: &[u64]) -> f64 {
    limbs.iter().rev().fold(0.0, |sum, &limb| {
        sum * 18_446_744_073_709_551_616.0 + as_f64(limb)
    })
}

#[cfg(test)]
mod tests {
    use super::Moments;

    fn check(values: &[u64], sum: u128, variance: f64) {
        let mut whole = Moments::default();
        values.iter().for_each(|&value| whole.record(value));
        assert_eq!(whole.count(), values.len() as u64);
        assert_eq!(whole.sum(), sum);
        let close = (whole.variance() - variance).abs() <= variance * 1e-15;
        assert!(close, "{values:?}: {} is not {variance}", whole.variance());
        for cut in 0..=values.len() {
            let (mut left, mut right) = (Moments::default(), Moments::default());
            values[..cut].iter().for_each(|&value| left.record(value));
            values[cut..].iter().for_each(|&value| right.record(value));
            left.merge(&right);
            assert_eq!(left, whole);
        }
    }

    #[test]
    fn sums_and_variances_are_exact() {
        check(&[], 0, 0.0);
        check(&[7], 7, 0.0);
        check(&[1, 2, 3, 4], 10, 1.25);
        check(&[5; 9], 45, 0.0);
        // Sums of squares in floating point would cancel here.
        check(
            &[1_000_000_000_000_000, 1_000_000_000_000_002],
            2_000_000_000_000_002,
            1.0,
        );
        let max = u128::from(u64::MAX);
        check(&[u64::MAX; 5], 5 * max, 0.0);
        // ((2^64 - 1) / 2)^2
        check(&[0, u64::MAX], max, 8.507_059_173_023_462e37);
        check(
            &[0, u64::MAX, 0, u64::MAX],
            2 * max,
            8.507_059_173_023_462e37,
        );
    }
}
