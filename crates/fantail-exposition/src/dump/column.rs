//! The columns of a dump.

use fantail_metrics::Percentile;

/// A statistic of a distribution.
///
/// ```
/// use fantail_exposition::dump::{Column, default_columns};
///
/// assert_eq!(Column::parse(b"count"), Column::Count);
/// assert!(matches!(Column::parse(b"%95"), Column::Percentile(..)));
/// assert!(default_columns().contains(&Column::Median));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// `count`
    Count,
    /// `sum`
    Sum,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `avg`, with two decimals
    Mean,
    /// `median`
    Median,
    /// `variance`, with two decimals
    Variance,
    /// `stddev`, with two decimals: the root of the variance that the stats
    /// process prints. `doveadm` computes it, the stats process does not print
    /// it.
    StandardDeviation,
    /// `%95`, `%99.9`: the written form and its percentile
    Percentile(Vec<u8>, Percentile),
    /// An unknown column: always empty
    Unknown(Vec<u8>),
}

impl Column {
    /// Parses the name of a column; unknown names are valid.
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        match name {
            b"count" => Self::Count,
            b"sum" => Self::Sum,
            b"min" => Self::Min,
            b"max" => Self::Max,
            b"avg" => Self::Mean,
            b"median" => Self::Median,
            b"variance" => Self::Variance,
            b"stddev" => Self::StandardDeviation,
            [b'%', number @ ..] => Self::Percentile(name.to_vec(), Percentile::parse(number)),
            other => Self::Unknown(other.to_vec()),
        }
    }

    /// Returns the name of the column.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Count => b"count",
            Self::Sum => b"sum",
            Self::Min => b"min",
            Self::Max => b"max",
            Self::Mean => b"avg",
            Self::Median => b"median",
            Self::Variance => b"variance",
            Self::StandardDeviation => b"stddev",
            Self::Percentile(name, _) | Self::Unknown(name) => name,
        }
    }
}

/// Returns the columns of `doveadm stats dump` without `-f`.
#[must_use]
pub fn default_columns() -> Vec<Column> {
    let names = "count sum min max avg median stddev %95";
    names
        .split(' ')
        .map(|name| Column::parse(name.as_bytes()))
        .collect()
}
