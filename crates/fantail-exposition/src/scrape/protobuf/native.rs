//! The buckets of native histograms: runs of neighbours, and the difference of each to the
//! one before.

use super::super::{
    native_buckets::{NativeBuckets, SCHEMA, ZERO_THRESHOLD},
    wire::{push_bytes, push_double, push_unsigned, push_zigzag},
};

/// The maximum number of empty buckets within a span: two bytes, a span needs six.
const MAX_GAP: i32 = 2;

mod field {
    pub(super) const SCHEMA: u32 = 5;
    pub(super) const ZERO_THRESHOLD: u32 = 6;
    pub(super) const ZERO_COUNT: u32 = 7;
    pub(super) const POSITIVE_SPAN: u32 = 12;
    pub(super) const POSITIVE_DELTA: u32 = 13;
    pub(super) const SPAN_OFFSET: u32 = 1;
    pub(super) const SPAN_LENGTH: u32 = 2;
}

/// Appends the fields of a `Histogram`.
pub(super) fn encode(native: &NativeBuckets, out: &mut Vec<u8>) {
    push_zigzag(field::SCHEMA, SCHEMA.into(), out);
    push_double(field::ZERO_THRESHOLD, ZERO_THRESHOLD, out);
    push_unsigned(field::ZERO_COUNT, native.zeros, out);
    let (spans, deltas) = spans(native);
    for (offset, length) in spans {
        let mut span = Vec::new();
        push_zigzag(field::SPAN_OFFSET, offset.into(), &mut span);
        push_unsigned(field::SPAN_LENGTH, length, &mut span);
        push_bytes(field::POSITIVE_SPAN, &span, out);
    }
    for delta in deltas {
        push_zigzag(field::POSITIVE_DELTA, delta, out);
    }
}

/// Returns the runs of buckets, each with the distance to the one before, and the
/// difference of each bucket to the one before.
fn spans(native: &NativeBuckets) -> (Vec<(i32, u64)>, Vec<i64>) {
    let mut spans: Vec<(i32, u64)> = Vec::new();
    let mut deltas = Vec::new();
    let (mut next, mut before) = (0, 0_u64);
    let mut push = |count: u64| {
        deltas.push(count.wrapping_sub(before).cast_signed());
        before = count;
    };
    for (&index, &count) in &native.counts {
        let gap = index - next;
        match spans.last_mut() {
            Some((_, length)) if gap <= MAX_GAP => {
                (0..gap).for_each(|_| push(0));
                *length += 1 + u64::from(gap.unsigned_abs());
            }
            _ => spans.push((gap, 1)),
        }
        push(count);
        next = index + 1;
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use super::{NativeBuckets, spans};

    /// Small gaps are empty buckets, others begin a span.
    #[test]
    fn spans_have_differences() {
        let counts = [(-3, 5), (-2, 7), (1, 1), (5, 2)].into_iter().collect();
        let buckets = NativeBuckets { zeros: 4, counts };
        assert_eq!(buckets.count(), 19);
        let (spans, deltas) = spans(&buckets);
        assert_eq!(spans, [(-3, 5), (3, 1)]);
        assert_eq!(deltas, [5, 2, -7, 0, 1, 1]);
    }
}
