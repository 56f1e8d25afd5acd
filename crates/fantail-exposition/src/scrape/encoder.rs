//! Encodings in which a series is written as a whole, and the values of such series.

use std::fmt;

use super::{bounds::Bound, native_buckets::NativeBuckets, value::Value};

/// Encodes the series of one family. The labels and exemplars that it gets are encoded as
/// protobuf.
pub(super) trait Encoder: fmt::Debug {
    /// Adds a series with a number.
    fn number(&mut self, labels: &[u8], value: Value, exemplar: Option<&[u8]>);

    /// Adds a series with a histogram.
    fn histogram(&mut self, labels: &[u8], histogram: &Histogram<'_>);

    /// Adds a series with a summary.
    fn summary(&mut self, labels: &[u8], summary: &Summary);

    /// Returns the bytes of the series that are not written yet.
    fn len(&self) -> usize;

    /// Appends the series so far; there is at least one.
    fn write(&mut self, text: &mut Vec<u8>);
}

/// The values of a histogram.
#[derive(Debug)]
pub(super) struct Histogram<'b> {
    pub(super) count: u64,
    /// `None` if a value is negative.
    pub(super) sum: Option<Value>,
    /// The buckets; none in native histograms.
    pub(super) buckets: Vec<ClassicBucket<'b>>,
    pub(super) native: Option<NativeBuckets>,
}

#[derive(Debug)]
pub(super) struct ClassicBucket<'b> {
    pub(super) bound: &'b Bound,
    /// The number of values up to the bound.
    pub(super) cumulative_count: u64,
    pub(super) exemplar: Option<Vec<u8>>,
}

/// The values of a summary.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) sum: Value,
    /// Quantiles, their texts, and their values.
    pub(super) quantiles: Vec<(f64, &'static str, Value)>,
}
