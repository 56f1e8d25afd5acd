//! The buckets of native histograms.
//!
//! Their bounds are powers of 2^(1/8), schema 3 of Prometheus and scale 3 of OTLP:
//! neighbours differ by 9 %. A distribution counts values in bins that are five times as
//! narrow. The representative of its bin decides about the bucket of a value, from the first
//! value on: exact values are in the same buckets before and after a sketch replaces them,
//! and no bucket ever decreases. A value is counted in a neighbouring bucket if it is less
//! than 1 % beyond the bound.

use std::collections::BTreeMap;

use fantail_metrics::Distribution;

/// The logarithm to base 2 of the number of buckets for each power of two.
pub(super) const SCHEMA: u8 = 3;

/// The upper bounds of the buckets between 1/2 and 1, without 1: powers of 2^(1/8).
const BOUNDS: [f64; 8] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    0.707_106_781_186_547_5,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_4,
    0.917_004_043_204_671_2,
];

/// The values up to here are counted as zero: 2⁻¹²⁸, the default of Prometheus' client
/// libraries. A reader takes a histogram with a threshold as native.
pub(super) const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// The values of distributions in native buckets.
#[derive(Debug, Default)]
pub(crate) struct NativeBuckets {
    pub(super) zeros: u64,
    /// The number of values by the index of their bucket: its upper bound is 2^(index/8).
    pub(super) counts: BTreeMap<i32, u64>,
}

impl NativeBuckets {
    /// Adds the values of a distribution, each divided by `divisor`.
    pub(crate) fn add(&mut self, distribution: &Distribution, divisor: f64) {
        distribution.each_bin(|value, count| {
            let into = match value {
                0 => &mut self.zeros,
                #[allow(clippy::cast_precision_loss, reason = "53 bits are enough for 9 %")]
                value => self
                    .counts
                    .entry(index(value as f64 / divisor))
                    .or_default(),
            };
            *into = into.saturating_add(count);
        });
    }

    /// Returns the number of values.
    pub(crate) fn count(&self) -> u64 {
        let counts = self.counts.values();
        counts.fold(self.zeros, |sum, count| sum.saturating_add(*count))
    }
}

/// Returns the index of the bucket of a positive value: its upper bound is 2^(index/8).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "an exponent has 11 bits, and there are 8 bounds"
)]
fn index(value: f64) -> i32 {
    const FRACTION_BITS: u32 = 52;
    const EXPONENT_OF_HALF: i32 = 1022;
    debug_assert!(value.is_normal() && value > 0.0, "{value} is not positive");
    let bits = value.to_bits();
    // The value is a fraction from 1/2 to 1 times a power of 2.
    let exponent = (bits >> FRACTION_BITS) as i32 - EXPONENT_OF_HALF;
    let fraction_bits = bits & ((1 << FRACTION_BITS) - 1);
    let fraction = f64::from_bits(fraction_bits | (EXPONENT_OF_HALF as u64) << FRACTION_BITS);
    let within = BOUNDS.partition_point(|bound| *bound < fraction);
    within as i32 + (exponent - 1) * BOUNDS.len() as i32
}

#[cfg(test)]
mod tests {
    use super::index;

    #[test]
    fn buckets_include_their_upper_bounds() {
        for (value, expected) in [(1.0, 0), (2.0, 8), (0.5, -8), (1.0e-6, -159), (1.5, 5)] {
            assert_eq!(index(value), expected, "{value}");
        }
        let above = f64::from_bits(1.0_f64.to_bits() + 1);
        assert_eq!(index(above), 1);
        for exponent in 1..2_000_i32 {
            let bound = 2_f64.powf(f64::from(exponent - 1_000) / 8.0);
            let near = [bound * (1.0 - 1e-9), bound * (1.0 + 1e-9)].map(index);
            assert_eq!(near, [exponent - 1_000, exponent - 999]);
        }
    }
}
