//! The upper bounds of buckets.

use fantail_metrics::Buckets;

use crate::text::numbers::bound;

/// The upper bound of a bucket.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) text: String,
    pub(super) number: f64,
    /// Whether the next bound is the same floating point number. Parsers refuse
    /// both in one histogram, so the next bucket includes this one.
    pub(super) is_merged: bool,
}

/// Returns the upper bounds of buckets of durations in microseconds, or of numbers.
pub(super) fn bounds(buckets: &Buckets, is_duration: bool) -> Vec<Bound> {
    let integers =
        (0..buckets.bounds()).filter_map(|bucket| u64::try_from(buckets.upper_bound(bucket)?).ok());
    let texts = integers.map(|value| bound(value, if is_duration { 6 } else { 0 }));
    let mut texts = texts.chain(["+Inf".to_owned()]).peekable();
    let mut bounds = Vec::new();
    while let Some(text) = texts.next() {
        let number = |text: &String| text.parse::<f64>().unwrap_or(f64::INFINITY);
        let next = texts.peek().map(number);
        bounds.push(Bound {
            is_merged: next.map(f64::to_bits) == Some(number(&text).to_bits()),
            number: number(&text),
            text,
        });
    }
    bounds
}
