//! Up to 31 values stored inline, in the order of their arrival.
//!
//! The first value is stored whole, the others as differences to it. All
//! differences have the width of the widest: one to three bytes for most
//! durations, at most eight. Statistics are not stored but computed on request:
//! most series never have more than these values, and an event then touches 40
//! bytes of its series.

use super::moments::Moments;

/// The capacity for differences, in bytes.
const DIFFERENCE_BYTES: usize = 30;

/// Up to 31 values.
///
/// Invariant: all bytes after the last difference are 0.
#[derive(Debug, Clone)]
pub(crate) struct InlineValues {
    /// The first value.
    base: u64,
    width: Width,
    count: u8,
    cells: [u8; DIFFERENCE_BYTES],
}

/// The width of a difference in bytes. The compiler uses the invalid values to
/// distinguish [`InlineValues`] from the other variant of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Width {
    One = 1,
    Two,
    Three,
    Four,
    Five,
    Six,
    Seven,
    Eight,
}

impl Width {
    /// Returns the width that a difference needs.
    #[inline]
    pub(crate) const fn of(difference: u64) -> Self {
        match difference.leading_zeros() / 8 {
            0 => Self::Eight,
            1 => Self::Seven,
            2 => Self::Six,
            3 => Self::Five,
            4 => Self::Four,
            5 => Self::Three,
            6 => Self::Two,
            _ => Self::One,
        }
    }

    #[inline]
    pub(crate) const fn bytes(self) -> usize {
        self as usize
    }
}

impl Default for InlineValues {
    fn default() -> Self {
        Self::with_width(Width::One)
    }
}

impl InlineValues {
    const fn with_width(width: Width) -> Self {
        Self {
            base: 0,
            width,
            count: 0,
            cells: [0; DIFFERENCE_BYTES],
        }
    }

    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.count.into()
    }

    /// Returns the first value and the width of the differences.
    pub(crate) const fn shape(&self) -> (u64, Width) {
        (self.base, self.width)
    }

    /// Adds a value; returns `false` if the capacity or the width is too small.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) -> bool {
        let Some(others) = self.count.checked_sub(1) else {
            self.base = value;
            self.count = 1;
            return true;
        };
        let difference = difference(self.base, value);
        if Width::of(difference) > self.width {
            return false;
        }
        let start = usize::from(others) * self.width.bytes();
        let cells = self.cells.get_mut(start..).unwrap_or_default();
        if let Some(cell) = cells.first_chunk_mut() {
            // The bytes after the difference stay 0.
            *cell = difference.to_le_bytes();
        } else if let Some(cell) = cells.get_mut(..self.width.bytes()) {
            let bytes = difference.to_le_bytes();
            cell.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        } else {
            return false;
        }
        self.count += 1;
        true
    }

    /// Returns a copy with wider differences that includes `value`; `None` if
    /// the capacity is too small.
    pub(crate) fn widened(&self, value: u64) -> Option<Self> {
        let width = Width::of(difference(self.base, value)).max(self.width);
        let mut wider = Self::with_width(width);
        let is_there = self.iter().all(|value| wider.record(value));
        (is_there && wider.record(value)).then_some(wider)
    }

    /// Returns the values in the order of arrival.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        (0..usize::from(self.count)).map(|at| match at.checked_sub(1) {
            None => self.base,
            Some(at) => value(self.base, self.cell(at)),
        })
    }

    #[inline]
    fn cell(&self, at: usize) -> u64 {
        let bytes = self.width.bytes();
        let (start, unused) = (at * bytes, 64 - 8 * bytes);
        let from = self.cells.get(start..).unwrap_or_default();
        if let Some(eight) = from.first_chunk() {
            return u64::from_le_bytes(*eight) << unused >> unused;
        }
        // Near the end of the cells, reads the eight bytes that end with the
        // difference.
        let until = self.cells.get(..start + bytes).unwrap_or_default();
        let eight = until.last_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(eight) >> unused
    }

    #[inline]
    pub(crate) fn sum(&self) -> u128 {
        self.iter().map(u128::from).sum()
    }

    /// Returns the minimum and the maximum, if there are values.
    #[inline]
    pub(crate) fn ends(&self) -> Option<(u64, u64)> {
        let ends = self.iter().map(|value| (value, value));
        ends.reduce(|(min, max), (value, _)| (min.min(value), max.max(value)))
    }

    pub(crate) fn moments(&self) -> Moments {
        let mut moments = Moments::default();
        self.iter().for_each(|value| moments.record(value));
        moments
    }
}

/// Returns the difference of a value to a base, as a number that is small if
/// the two are close, in either direction. It is modulo 2⁶⁴, so any two values
/// have one.
#[inline]
pub(crate) const fn difference(base: u64, value: u64) -> u64 {
    let difference = value.wrapping_sub(base);
    (difference << 1) ^ (difference >> 63).wrapping_neg()
}

/// Returns the value with this difference to a base.
#[inline]
pub(crate) const fn value(base: u64, difference: u64) -> u64 {
    base.wrapping_add((difference >> 1) ^ (difference & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::{DIFFERENCE_BYTES, InlineValues, Width, difference, value};

    /// Checks how many of these values fit.
    fn check(values: &[u64], expected: usize) {
        let mut inline = InlineValues::default();
        for (count, value) in values.iter().enumerate() {
            assert!(inline.iter().eq(values[..count].iter().copied()));
            assert_eq!(inline.count(), count as u64);
            let sum: u128 = values[..count].iter().map(|value| u128::from(*value)).sum();
            assert_eq!(inline.sum(), sum);
            let ends = values[..count]
                .iter()
                .min()
                .zip(values[..count].iter().max());
            assert_eq!(inline.ends(), ends.map(|(min, max)| (*min, *max)));
            if inline.record(*value) {
                continue;
            }
            let Some(wider) = inline.widened(*value) else {
                assert_eq!(count, expected, "{values:?}");
                return;
            };
            inline = wider;
        }
        assert_eq!(values.len(), expected, "{values:?}");
        assert!(inline.iter().eq(values.iter().copied()));
    }

    #[test]
    fn values_come_back() {
        check(&[], 0);
        check(&[u64::MAX], 1);
        check(&[4, 3, 2, 1, 0], 5);
        check(&[7; 40], 31);
        check(&[0, u64::MAX, 1 << 63, 1], 4);
        check(&[0, u64::MAX, 1 << 63, 1, u64::MAX - 1, (1 << 63) - 1], 4);
        check(&[1 << 40, 1, 2, 3, 1 << 40, 65_536, 1 << 41], 6);
        for bytes in 1..=8 {
            let far = 1 << (8 * bytes - 2);
            let values: Vec<u64> = (0..40).map(|n| 7 + n % 2 * far).collect();
            check(&values, 1 + DIFFERENCE_BYTES / bytes);
            // The second or the last value needs wider differences.
            let values: Vec<u64> = (0..40).map(|n| 7 + u64::from(n == 5) * far).collect();
            check(
                &values,
                if bytes > 5 {
                    5.max(1 + DIFFERENCE_BYTES / bytes)
                } else {
                    1 + DIFFERENCE_BYTES / bytes
                },
            );
        }
    }

    #[test]
    fn differences() {
        for (base, other, expected) in [
            (0, 0, 0),
            (5, 4, 1),
            (5, 6, 2),
            (0, u64::MAX, 1),
            (0, 1 << 63, u64::MAX),
        ] {
            assert_eq!(difference(base, other), expected);
            assert_eq!(value(base, expected), other);
        }
        for bytes in 1..=8_u32 {
            let most = u64::MAX >> (64 - 8 * bytes);
            assert_eq!(Width::of(most).bytes(), bytes as usize);
            assert_eq!(Width::of(most / 256 + 1).bytes(), bytes as usize);
        }
        assert_eq!(Width::of(0), Width::One);
    }
}
