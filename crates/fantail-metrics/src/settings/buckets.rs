//! The buckets of an exponential or linear `group_by`.
//!
//! Every 64-bit integer is in exactly one: the first reaches down to −2⁶³,
//! the last up to 2⁶³−1, and each of the others begins where the one before
//! it ends. (Dovecot leaves out −2⁶³, and after a last linear step that is cut
//! short; such a value ends its process.)

use std::io::Write as _;

use super::{Exponential, Linear, Method};

/// The buckets of a quantizing method, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buckets {
    /// At powers of 2 or 10.
    Exponential(Exponential),
    /// Of equal width.
    Linear(Linear),
}

impl Method {
    /// Returns its buckets, if it is quantizing.
    #[must_use]
    pub const fn buckets(&self) -> Option<Buckets> {
        match self {
            Self::Discrete(_) => None,
            Self::Exponential(exponential) => Some(Buckets::Exponential(*exponential)),
            Self::Linear(linear) => Some(Buckets::Linear(*linear)),
        }
    }
}

impl Buckets {
    /// Returns the number of buckets, the two open ones included.
    #[must_use]
    pub fn count(self) -> u32 {
        self.bounds() + 1
    }

    /// Returns the number of bounds between buckets: one less than buckets.
    #[must_use]
    pub fn bounds(self) -> u32 {
        match self {
            Self::Exponential(e) => e.max_magnitude() - e.min_magnitude() + 1,
            Self::Linear(l) => l.steps() + 1,
        }
    }

    /// Returns the greatest value of a bucket, from 0; `None` for the last.
    #[must_use]
    pub fn upper_bound(self, bucket: u32) -> Option<i64> {
        if bucket >= self.bounds() {
            return None;
        }
        Some(match self {
            Self::Exponential(e) => i64::from(e.base()).saturating_pow(e.min_magnitude() + bucket),
            Self::Linear(l) => {
                let bound = l.step().saturating_mul(u64::from(bucket));
                let bound = bound.saturating_add(l.min()).min(l.max());
                i64::try_from(bound).unwrap_or(i64::MAX)
            }
        })
    }

    /// Returns the bucket of a value.
    #[must_use]
    pub fn bucket(self, value: i64) -> u32 {
        // Below 1 every magnitude is too large; base⁰ = 1 is the least bound.
        let Some(positive) = u64::try_from(value).ok().filter(|value| *value > 0) else {
            return 0;
        };
        match self {
            Self::Exponential(e) => {
                // ⌈log value⌉
                let magnitude = match positive - 1 {
                    0 => 0,
                    below => below.ilog(u64::from(e.base())) + 1,
                };
                magnitude
                    .clamp(e.min_magnitude(), e.max_magnitude() + 1)
                    .saturating_sub(e.min_magnitude())
            }
            Self::Linear(l) if positive > l.max() => l.steps() + 1,
            Self::Linear(l) => {
                let steps = positive.saturating_sub(l.min()).div_ceil(l.step());
                // No more than `l.steps()`.
                u32::try_from(steps).unwrap_or(u32::MAX)
            }
        }
    }

    /// Appends the label of a bucket: `field_ninf_10`, `field_11_100`,
    /// `field_101_inf`.
    pub fn write_label(self, field: &[u8], bucket: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(field);
        let below = bucket
            .checked_sub(1)
            .and_then(|below| self.upper_bound(below));
        // Writing to a vector cannot fail.
        let _ = match below {
            None => write!(out, "_ninf"),
            Some(below) => write!(out, "_{}", i128::from(below) + 1),
        };
        let _ = match self.upper_bound(bucket) {
            None => write!(out, "_inf"),
            Some(bound) => write!(out, "_{bound}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::Buckets;
    use crate::settings::{Exponential, Linear};

    fn exponential(min: u32, max: u32, base: u32) -> Buckets {
        Buckets::Exponential(Exponential::new(min, max, base).unwrap())
    }

    fn linear(min: u64, max: u64, step: u64) -> Buckets {
        Buckets::Linear(Linear::new(min, max, step).unwrap())
    }

    fn check(buckets: Buckets, labels: &[&str], values: &[(i64, usize)]) {
        let got: Vec<_> = (0..buckets.count())
            .map(|bucket| {
                let mut label = Vec::new();
                buckets.write_label(b"x", bucket, &mut label);
                String::from_utf8(label).unwrap()
            })
            .collect();
        assert_eq!(got, labels);
        for (value, bucket) in values {
            assert_eq!(
                buckets.bucket(*value) as usize,
                *bucket,
                "{value} in {labels:?}"
            );
        }
    }

    #[test]
    fn labels_and_buckets() {
        check(
            exponential(1, 3, 10),
            &["x_ninf_10", "x_11_100", "x_101_1000", "x_1001_inf"],
            &[
                (i64::MIN, 0),
                (-1, 0),
                (0, 0),
                (10, 0),
                (11, 1),
                (100, 1),
                (101, 2),
                (i64::MAX, 3),
            ],
        );
        check(
            exponential(0, 2, 2),
            &["x_ninf_1", "x_2_2", "x_3_4", "x_5_inf"],
            &[(1, 0), (2, 1), (3, 2), (4, 2), (5, 3)],
        );
        check(
            linear(0, 30, 10),
            &["x_ninf_0", "x_1_10", "x_11_20", "x_21_30", "x_31_inf"],
            &[
                (i64::MIN, 0),
                (0, 0),
                (1, 1),
                (10, 1),
                (11, 2),
                (30, 3),
                (31, 4),
                (i64::MAX, 4),
            ],
        );
        // The last step is cut short.
        check(
            linear(5, 30, 10),
            &["x_ninf_5", "x_6_15", "x_16_25", "x_26_30", "x_31_inf"],
            &[(5, 0), (6, 1), (25, 2), (26, 3), (30, 3), (31, 4)],
        );
        check(
            linear(0, i64::MAX as u64, i64::MAX as u64),
            &[
                "x_ninf_0",
                "x_1_9223372036854775807",
                "x_9223372036854775808_inf",
            ],
            &[(0, 0), (1, 1), (i64::MAX, 1)],
        );
    }

    /// The bucket of a value is the one whose bounds it lies between.
    #[test]
    fn every_value_is_in_exactly_one_bucket() {
        let all = [
            exponential(0, 62, 2),
            exponential(0, 18, 10),
            exponential(17, 18, 10),
            exponential(5, 9, 2),
            linear(0, 1_000, 100),
            linear(0, 1_000, 7),
            linear(3, 4, 1),
            linear(1 << 62, (1 << 63) - 1, 1 << 50),
        ];
        for buckets in all {
            let bounds: Vec<i64> = (0..buckets.bounds())
                .map(|bucket| buckets.upper_bound(bucket).unwrap())
                .collect();
            assert!(bounds.is_sorted_by(|a, b| a < b), "{buckets:?}");
            let near = bounds
                .iter()
                .flat_map(|bound| [-1, 0, 1].map(|offset| bound.saturating_add(offset)));
            let powers = (0..63).map(|shift| 1_i64 << shift);
            let signs = powers.clone().map(i64::wrapping_neg);
            for value in near
                .chain(powers)
                .chain(signs)
                .chain([0, i64::MIN, i64::MAX])
            {
                let expected = bounds.iter().filter(|bound| **bound < value).count();
                assert_eq!(
                    buckets.bucket(value) as usize,
                    expected,
                    "{value}: {buckets:?}"
                );
            }
        }
    }
}
