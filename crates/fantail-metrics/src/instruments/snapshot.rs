//! The values of all instruments at one time.

use super::{Families, handles::Handle, names::Labels};
use crate::{Buckets, Distribution};

/// The values of all instruments at one time.
#[derive(Debug, Clone)]
pub struct InstrumentSnapshot {
    families: Vec<InstrumentFamily>,
    overflowed: u64,
    refused: u64,
}

/// The instruments with one name.
///
/// ```
/// use fantail_metrics::{InstrumentFamily, InstrumentSeries, Instruments};
///
/// let instruments = Instruments::new();
/// instruments.describe("hits", "requests so far");
/// instruments.counter("hits", &[("path", "/")]).increment(2);
/// let snapshot = instruments.snapshot();
/// let family: &InstrumentFamily = &snapshot.families()[0];
/// assert_eq!(family.description, "requests so far");
/// let series: &InstrumentSeries = &family.series[0];
/// assert_eq!(series.labels, [("path".to_owned(), "/".to_owned())]);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InstrumentFamily {
    /// The name, legal in Prometheus, without `_total`.
    pub name: String,
    /// The description; empty if there is none.
    pub description: String,
    /// The series in the order of their labels; all are of one kind.
    pub series: Vec<InstrumentSeries>,
}

/// One instrument.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InstrumentSeries {
    /// The legal names and the values of the labels.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: InstrumentValue,
}

/// The value of an instrument.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum InstrumentValue {
    /// The count of a counter.
    Counter(u64),
    /// The value of a gauge.
    Gauge(f64),
    /// The values of a histogram, in millionths.
    Histogram(Distribution),
    /// The values of a histogram with buckets, in millionths, and the number in each.
    Buckets(Distribution, Buckets, Box<[u64]>),
}

impl InstrumentSnapshot {
    /// Returns the instruments in the order of their names.
    #[must_use]
    pub fn families(&self) -> &[InstrumentFamily] {
        &self.families
    }

    /// Returns how often labels were given the series `other`.
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Returns how often a handle was given that belongs to no series: of a name of
    /// another kind, or beyond the limit of all series.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

impl Families {
    pub(super) fn snapshot(&self) -> InstrumentSnapshot {
        let families = self.by_name.iter().map(|(name, family)| {
            let overflow = family
                .overflow
                .iter()
                .map(|(labels, handle)| (labels, handle));
            let series = family.series.iter().chain(overflow);
            InstrumentFamily {
                name: String::from(&**name),
                description: family.description.clone(),
                series: series
                    .map(|(labels, handle)| series_of(labels, handle))
                    .collect(),
            }
        });
        InstrumentSnapshot {
            families: families
                .filter(|family| !family.series.is_empty())
                .collect(),
            overflowed: self.overflowed,
            refused: self.refused,
        }
    }
}

fn series_of(labels: &Labels, handle: &Handle) -> InstrumentSeries {
    let owned = |text: &str| text.to_owned();
    let labels = labels
        .iter()
        .map(|(name, value)| (owned(name), owned(value)));
    InstrumentSeries {
        labels: labels.collect(),
        value: match handle {
            Handle::Counter(counter) => InstrumentValue::Counter(counter.get()),
            Handle::Gauge(gauge) => InstrumentValue::Gauge(gauge.get()),
            Handle::Histogram(histogram) => {
                let counted = histogram.0.merged();
                match histogram.0.buckets {
                    None => InstrumentValue::Histogram(counted.distribution),
                    Some(buckets) => {
                        InstrumentValue::Buckets(counted.distribution, buckets, counted.buckets)
                    }
                }
            }
        },
    }
}
