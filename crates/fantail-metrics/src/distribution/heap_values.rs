//! The values of a distribution on the heap, exact up to a limit.
//!
//! Dovecot's median and percentiles are exact up to 480 values. fantail's are
//! too; above, a [`Sketch`] replaces the values. Exact values have the encoding
//! of [`InlineValues`].

use std::borrow::Cow;

use super::{
    LATEST_BASE,
    bins::bin_of,
    inline_values::InlineValues,
    latest_values,
    moments::Moments,
    packed::{Packed, Width, difference, value},
    sketch::Sketch,
};

/// The maximum number of values that are stored exactly.
pub(crate) const MAX_EXACT_VALUES: u64 = MAX_EXACT as u64;

const MAX_EXACT: usize = 480;

/// Values on the heap, and the numbers that do not follow from a sketch.
#[derive(Debug, Clone)]
pub(crate) struct HeapValues {
    pub(super) moments: Moments,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) values: Values,
}

impl HeapValues {
    /// The same values, with room for another one.
    pub(super) fn of_inline(inline: InlineValues<'_>, next: u64) -> Self {
        let (min, max) = inline.ends().unwrap_or((u64::MAX, 0));
        Self {
            moments: inline.moments(),
            min,
            max,
            values: Values::of_inline(inline, next),
        }
    }

    pub(super) const fn count_with(&self, latest: &Packed) -> u64 {
        self.moments.count().saturating_add(latest.len() as u64)
    }

    pub(super) const fn sketch(&self) -> Option<&Sketch> {
        match &self.values {
            Values::Sketch(sketch) => Some(sketch),
            Values::Exact { .. } => None,
        }
    }

    #[inline]
    pub(super) fn record(&mut self, value: u64) {
        self.values.record(self.moments.count(), value);
        self.moments.record(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds values in their order.
    pub(super) fn record_all(&mut self, values: impl Iterator<Item = u64>) {
        values.for_each(|value| self.record(value));
    }

    /// Takes over the latest values; returns the next ones, `value` first, in a
    /// width that would have been enough for all of these.
    pub(super) fn record_latest(&mut self, latest: &Packed, value: u64) -> Packed {
        let first = difference(LATEST_BASE, value);
        let bits = (0..latest.len()).fold(first, |bits, at| bits | latest.get(at));
        self.record_all(latest_values(latest));
        let mut next = Packed::with_width(Width::of(bits));
        let is_there = next.push(0, first);
        debug_assert!(is_there, "there is room for one value");
        next
    }

    /// The same with the latest values.
    pub(super) fn with(&self, latest: &Packed) -> Cow<'_, Self> {
        if latest.len() == 0 {
            return Cow::Borrowed(self);
        }
        let mut all = self.clone();
        all.record_all(latest_values(latest));
        Cow::Owned(all)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let (count, other_count) = (self.moments.count(), other.moments.count());
        self.values.merge(count, &other.values, other_count);
        self.merge_numbers(&other.moments, (other.min, other.max));
    }

    pub(super) fn merge_inline(&mut self, inline: InlineValues<'_>) {
        let Some(ends) = inline.ends() else {
            return;
        };
        let count = self.moments.count();
        self.values.extend(count, inline.iter(), inline.count());
        self.merge_numbers(&inline.moments(), ends);
    }

    fn merge_numbers(&mut self, moments: &Moments, (min, max): (u64, u64)) {
        self.moments.merge(moments);
        self.min = self.min.min(min);
        self.max = self.max.max(max);
    }
}

/// How many values there are is known outside; it is what `count` below
/// means.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    /// The first value, and the difference of each other value to it.
    Exact {
        base: u64,
        width: Width,
        cells: Vec<u8>,
    },
    Sketch(Sketch),
}

impl Values {
    /// The same values, with room for another one.
    fn of_inline(inline: InlineValues<'_>, next: u64) -> Self {
        let (base, width) = inline.shape();
        let mut values = Self::with_capacity(base, width, inline.count(), next);
        inline.iter().skip(1).for_each(|value| values.push(value));
        values
    }

    /// Stores the first of `count` values, with capacity for all of them, for
    /// `next`, and for three more.
    fn with_capacity(base: u64, width: Width, count: u64, next: u64) -> Self {
        let width = width.max(Width::of(difference(base, next)));
        let others = usize::try_from(count).unwrap_or(MAX_EXACT);
        let cells = Vec::with_capacity((others + 4) * width.bytes());
        Self::Exact { base, width, cells }
    }

    /// Adds a value within the capacity.
    fn push(&mut self, value: u64) {
        if let Self::Exact { base, width, cells } = self {
            record_exact(*base, *width, cells, value);
        }
    }

    /// Adds a value to `count` others, at least one.
    #[inline]
    fn record(&mut self, count: u64, value: u64) {
        match self {
            Self::Sketch(sketch) => sketch.record(bin_of(value)),
            Self::Exact { base, width, cells } => {
                if count >= MAX_EXACT_VALUES || !record_exact(*base, *width, cells, value) {
                    self.make_room(count, value);
                }
            }
        }
    }

    /// Adds a value that needs wider differences or a sketch.
    #[cold]
    fn make_room(&mut self, count: u64, value: u64) {
        match self {
            Self::Exact { base, width, .. } if count < MAX_EXACT_VALUES => {
                let mut wider = Self::with_capacity(*base, *width, count, value);
                self.exact().skip(1).for_each(|value| wider.push(value));
                wider.push(value);
                *self = wider;
            }
            _ => self.with_sketch(|sketch| sketch.record(bin_of(value))),
        }
    }

    /// Changes the sketch of these values; makes it first if the values are
    /// exact.
    fn with_sketch(&mut self, change: impl FnOnce(&mut Sketch)) {
        if let Self::Sketch(sketch) = self {
            change(sketch);
            return;
        }
        let mut sketch = Sketch::new();
        self.exact().for_each(|value| sketch.record(bin_of(value)));
        change(&mut sketch);
        *self = Self::Sketch(sketch);
    }

    /// Adds `other_count` values to `count`, one at least.
    fn merge(&mut self, count: u64, other: &Self, other_count: u64) {
        if let Self::Sketch(sketch) = other {
            self.with_sketch(|into| into.merge(sketch));
        } else {
            self.extend(count, other.exact(), other_count);
        }
    }

    /// Adds `other_count` values to `count` others.
    fn extend(&mut self, count: u64, others: impl Iterator<Item = u64>, other_count: u64) {
        if count.saturating_add(other_count) > MAX_EXACT_VALUES {
            self.with_sketch(|into| {
                others.for_each(|value| into.record(bin_of(value)));
            });
            return;
        }
        for (value, count) in others.zip(count..) {
            self.record(count, value);
        }
    }

    /// Returns the exact values in the order of arrival; none for a sketch.
    pub(crate) fn exact(&self) -> impl Iterator<Item = u64> {
        let (base, width, cells) = match self {
            Self::Exact { base, width, cells } => (Some(*base), *width, &cells[..]),
            Self::Sketch(_) => (None, Width::ONE, &[][..]),
        };
        let others = cells.chunks_exact(width.bytes()).map(move |cell| {
            let mut bytes = [0; 8];
            for (byte, stored) in bytes.iter_mut().zip(cell) {
                *byte = *stored;
            }
            value(base.unwrap_or_default(), u64::from_le_bytes(bytes))
        });
        base.into_iter().chain(others)
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Exact { cells, .. } => cells.capacity(),
            Self::Sketch(sketch) => sketch.heap_bytes(),
        }
    }
}

/// `false` if the difference is too wide.
fn record_exact(base: u64, width: Width, cells: &mut Vec<u8>, value: u64) -> bool {
    let difference = difference(base, value);
    if Width::of(difference) > width {
        return false;
    }
    let width = width.bytes();
    if cells.capacity() - cells.len() < width {
        // Grows by half, not to twice the size, because there are many of these
        // vectors; never beyond the size of the maximum number of values.
        let all = MAX_EXACT * width;
        let more = (cells.len() / 2).max(8 * width);
        let rest = all.saturating_sub(cells.len()).max(width);
        cells.reserve_exact(more.min(rest));
    }
    cells.extend(difference.to_le_bytes().into_iter().take(width));
    true
}

#[cfg(test)]
mod tests {
    use crate::Distribution;

    fn check(values: &[u64], heap_bytes: usize) {
        let distribution: Distribution = values.iter().copied().collect();
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let quantiles = distribution.quantiles();
        assert_eq!(quantiles.exact(), Some(&*sorted));
        let got = distribution.heap_bytes();
        assert!(got <= heap_bytes, "{got} bytes for {} values", values.len());
    }

    #[test]
    fn exact_values_come_back() {
        check(&[], 0);
        check(&[4, 3, 2, 1, 0], 0);
        check(&[0, u64::MAX, 1 << 63, 1, u64::MAX - 1, (1 << 63) - 1], 200);
        check(&[1 << 40, 1, 2, 3, 1 << 40, 65_536, 1 << 41], 168);
        let near: Vec<u64> = (0..480).map(|n| 1_700_000_000_000_000 + 60 * n).collect();
        check(&near, 1_064);
        let spread: Vec<u64> = (0..480).map(|n| n * 4_000_000).collect();
        check(&spread, 2_024);
        for width in 1..=8 {
            let far = 1 << (8 * width - 2);
            let in_place: Vec<u64> = (0..=30 / width).map(|n| 7 + n % 2 * far).collect();
            check(&in_place, 0);
            check(&[&in_place[..], &[7]].concat(), 200);
        }
        let wide: Vec<u64> = (0..480).map(|n| n << 55).collect();
        check(&wide, 3_944);
    }
}
