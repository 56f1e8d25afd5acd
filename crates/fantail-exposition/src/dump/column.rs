//! The columns that a dump may have.

use fantail_metrics::Percentile;

/// One number of a distribution.
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
    /// process prints. It does not print it itself, `doveadm` computes it.
    StandardDeviation,
    /// `%95`, `%99.9`: as it is written, and which it is
    Percentile(Vec<u8>, Percentile),
    /// Anything else: always empty.
    Unknown(Vec<u8>),
}

impl Column {
    /// Parses the name of a column; any name is one.
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

    /// Returns its name.
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
