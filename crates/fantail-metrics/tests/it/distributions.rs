//! Distributions compared with exact arithmetic, on difficult values.

use fantail_metrics::{Distribution, Percentile};
use proptest::prelude::*;

use crate::fixture::random;

fn percentiles() -> Vec<Percentile> {
    [
        "0", "1", "25", "50", "90", "95", "99", "99.9", "99.999", "100",
    ]
    .into_iter()
    .map(|text| Percentile::parse(text.as_bytes()))
    .collect()
}

/// Compares all statistics of a distribution with the sorted values.
#[track_caller]
fn check(values: &[u64]) {
    let distribution: Distribution = values.iter().copied().collect();
    check_against(&distribution, values);
    for parts in [2, 7] {
        let mut merged = Distribution::new();
        for part in 0..parts {
            let part: Distribution = values.iter().copied().skip(part).step_by(parts).collect();
            merged.merge(&part);
        }
        check_equal(&merged, &distribution);
    }
}

#[track_caller]
fn check_against(distribution: &Distribution, values: &[u64]) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let count = sorted.len() as u64;
    let exact_sum: u128 = sorted.iter().map(|value| u128::from(*value)).sum();
    assert_eq!(distribution.count(), count);
    assert_eq!(distribution.sum(), exact_sum);
    assert_eq!(distribution.min(), sorted.first().copied().unwrap_or(0));
    assert_eq!(distribution.max(), sorted.last().copied().unwrap_or(0));
    check_variance(distribution.variance(), &sorted, exact_sum);

    let exact = count <= Distribution::EXACT_VALUES;
    assert_eq!(distribution.is_exact(), exact);
    let close = |got: u64, true_value: u64| {
        if exact {
            got == true_value
        } else {
            u128::from(got.abs_diff(true_value)) * 100 <= u128::from(true_value)
        }
    };
    let quantiles = distribution.quantiles();
    for percentile in percentiles() {
        let rank = percentile.rank(count);
        let true_value = rank.map_or(0, |rank| sorted[usize::try_from(rank).unwrap()]);
        let got = quantiles.percentile(percentile);
        assert!(
            close(got, true_value),
            "{percentile:?}: {got} for {true_value}"
        );
    }
    let median = match sorted.len() {
        0 => 0,
        n => {
            let (low, high) = (sorted[(n - 1) / 2], sorted[n / 2]);
            low + (high - low) / 2
        }
    };
    let got = quantiles.median();
    assert!(close(got, median), "median {got} for {median}");
}

/// Computes the variance in two passes with the exact mean, in units of 1/n.
#[track_caller]
fn check_variance(got: f64, values: &[u64], sum: u128) {
    let count = values.len() as u128;
    let mean = |value: f64| {
        if count == 0 {
            0.0
        } else {
            value / count as f64
        }
    };
    let deviations = values.iter().map(|value| {
        let scaled = u128::from(*value) * count;
        let distance = scaled.abs_diff(sum) as f64 / count as f64;
        distance * distance
    });
    let expected = mean(deviations.sum());
    assert!(
        (got - expected).abs() <= expected * 1e-9,
        "variance {got} for {expected}"
    );
}

#[track_caller]
fn check_equal(left: &Distribution, right: &Distribution) {
    let all = |d: &Distribution| {
        let quantiles = d.quantiles();
        let ranks: Vec<u64> = percentiles()
            .iter()
            .map(|p| quantiles.percentile(*p))
            .collect();
        let variance = d.variance().to_bits();
        (
            d.count(),
            d.sum(),
            d.min(),
            d.max(),
            variance,
            quantiles.median(),
            ranks,
            d.is_exact(),
        )
    };
    assert_eq!(all(left), all(right));
}

const SIZES: [usize; 9] = [0, 1, 2, 5, 479, 480, 481, 482, 20_000];

#[test]
fn constants() {
    for size in SIZES {
        for value in [0, 1, 99, 127, 128, 4_095, 4_096, 1_000_003, u64::MAX] {
            check(&vec![value; size]);
        }
    }
}

#[test]
fn two_clusters() {
    for size in SIZES {
        let clusters = random(1).map(|r| {
            if r & 1 == 0 {
                r >> 54
            } else {
                1_000_000_000 + (r >> 54)
            }
        });
        check(&clusters.take(size).collect::<Vec<_>>());
        // One in a thousand.
        let rare = random(2).map(|r| if r % 1_000 == 0 { 1_000_000_000 } else { 3 });
        check(&rare.take(size).collect::<Vec<_>>());
    }
}

#[test]
fn extremes() {
    for size in SIZES {
        check(
            &random(3)
                .map(|r| if r & 1 == 0 { 0 } else { u64::MAX })
                .take(size)
                .collect::<Vec<_>>(),
        );
        check(
            &random(4)
                .map(|r| u64::MAX - (r & 7))
                .take(size)
                .collect::<Vec<_>>(),
        );
        check(&random(5).take(size).collect::<Vec<_>>());
        // Equally many values of each magnitude: every bin of the sketch is in
        // use.
        check(
            &random(6)
                .map(|r| r >> (r & 63))
                .take(size)
                .collect::<Vec<_>>(),
        );
    }
}

#[test]
fn in_order_and_reversed() {
    for size in SIZES {
        let rising: Vec<u64> = (0..size as u64).map(|n| n * 977).collect();
        check(&rising);
        check(&rising.into_iter().rev().collect::<Vec<_>>());
    }
}

/// Pareto distributions with a shape of 1 and of 1/2 have no finite mean.
#[test]
fn heavy_tails() {
    for size in SIZES {
        let tail = |r: u64| u64::MAX / (r | 1);
        check(&random(7).map(tail).take(size).collect::<Vec<_>>());
        check(
            &random(8)
                .map(|r| tail(r).saturating_mul(tail(r)))
                .take(size)
                .collect::<Vec<_>>(),
        );
    }
}

/// As in Dovecot, −1 is 2^64 − 1, but the sum does not wrap.
#[test]
fn negative_integers() {
    let values = [-1_i64, 2].map(i64::cast_unsigned);
    let distribution: Distribution = values.into_iter().collect();
    assert_eq!(distribution.sum(), (1 << 64) + 1);
    // Dovecot's median of numbers above 2^63 wraps, too.
    assert_eq!(distribution.median(), (1 << 63));
}

#[test]
fn reset_forgets_all() {
    let mut distribution: Distribution = random(9).take(1_000).collect();
    distribution.reset();
    check_equal(&distribution, &Distribution::new());
    assert_eq!(distribution.heap_bytes(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_values(
        values in prop::collection::vec(
            prop_oneof![any::<u64>(), 0_u64..1_000, (0_u32..64).prop_map(|shift| 1 << shift)],
            0..1_200,
        ),
    ) {
        check(&values);
    }

    /// Values arrive and parts merge in any order.
    #[test]
    fn any_parts(parts in prop::collection::vec((0_usize..600, any::<u64>()), 1..6)) {
        let part = |&(size, seed): &(usize, u64)| random(seed).map(|r| r >> (r & 63)).take(size);
        let whole: Distribution = parts.iter().flat_map(part).collect();
        let mut merged = Distribution::new();
        for one in parts.iter().rev() {
            merged.merge(&part(one).collect());
        }
        check_equal(&merged, &whole);
    }
}
