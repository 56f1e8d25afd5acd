//! The statistics in the columns of a row.

use std::cell::OnceCell;

use fantail_metrics::{Distribution, Percentile, Quantiles};

use super::column::Column;
use crate::text::decimal::{push_fixed, push_whole, push_wide, scaled};

/// Appends a TAB and a value for each column. Only requested columns are
/// computed.
#[inline]
pub(super) fn write(distribution: &Distribution, columns: &[Column], out: &mut Vec<u8>) {
    let mut rest = columns;
    while let [column, after @ ..] = rest {
        match column {
            Column::Count => {
                out.push(b'\t');
                push_whole(distribution.count(), out);
            }
            Column::Sum => {
                out.push(b'\t');
                push_wide(distribution.sum(), out);
            }
            Column::Unknown(_) => out.push(b'\t'),
            _ => return write_any(distribution, rest, out),
        }
        rest = after;
    }
}

/// Appends columns that are computed. It is a separate function because its
/// preparations are costly.
#[inline(never)]
fn write_any(distribution: &Distribution, columns: &[Column], out: &mut Vec<u8>) {
    let ranks = Ranks {
        distribution,
        sorted: OnceCell::new(),
    };
    for column in columns {
        out.push(b'\t');
        ranks.write(column, out);
    }
}

/// Returns the root of the printed form of a number.
#[allow(
    clippy::cast_precision_loss,
    reason = "less than 2⁵³, or rounded as read"
)]
fn root_of_printed(number: f64) -> f64 {
    match scaled(number, 100).filter(|hundredths| *hundredths < 1 << f64::MANTISSA_DIGITS) {
        // Both numbers are exact, so their quotient is the nearest number,
        // which is also the result of parsing the decimals.
        Some(hundredths) => (hundredths as f64 / 100.0).sqrt(),
        None => format!("{number:.2}").parse().map_or(0.0, f64::sqrt),
    }
}

/// The values of a distribution by rank. Most distributions have few values,
/// which need no sorting.
struct Ranks<'a> {
    distribution: &'a Distribution,
    sorted: OnceCell<Quantiles<'a>>,
}

impl<'a> Ranks<'a> {
    /// Appends the value of a column.
    fn write(&self, column: &Column, out: &mut Vec<u8>) {
        let distribution = self.distribution;
        match column {
            Column::Min => push_whole(distribution.min(), out),
            Column::Max => push_whole(distribution.max(), out),
            Column::Mean => push_fixed(distribution.mean(), 2, out),
            Column::Median => push_whole(self.median(), out),
            Column::Variance => push_fixed(distribution.variance(), 2, out),
            Column::StandardDeviation => {
                push_fixed(root_of_printed(distribution.variance()), 2, out);
            }
            Column::Percentile(_, percentile) => push_whole(self.percentile(*percentile), out),
            Column::Count => push_whole(distribution.count(), out),
            Column::Sum => push_wide(distribution.sum(), out),
            Column::Unknown(_) => {}
        }
    }

    fn sorted(&self) -> &Quantiles<'a> {
        self.sorted.get_or_init(|| self.distribution.quantiles())
    }

    fn median(&self) -> u64 {
        let (min, max) = (self.distribution.min(), self.distribution.max());
        match self.distribution.count() {
            0..=2 => min + (max - min) / 2,
            _ if min == max => min,
            _ => self.sorted().median(),
        }
    }

    fn percentile(&self, percentile: Percentile) -> u64 {
        let (min, max) = (self.distribution.min(), self.distribution.max());
        let count = self.distribution.count();
        match percentile.rank(count) {
            None => 0,
            Some(0) => min,
            Some(rank) if rank >= count - 1 || min == max => max,
            Some(_) => self.sorted().percentile(percentile),
        }
    }
}
