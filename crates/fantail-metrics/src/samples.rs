//! The values of a distribution, exact while they are few.
//!
//! Dovecot's own median and percentiles are exact up to 480 values; so are
//! ours, and a [`Sketch`] follows. The exact values are kept as differences to
//! the first of them, all in as many bytes as the widest needs: one to three
//! for most durations, eight for values that lie as far apart as can be. The
//! first 30 bytes of differences are in place, without any memory of their
//! own; most sub-metrics never see more.

use crate::{bins::Binned, sketch::Sketch};

/// Up to so many values, quantiles are exact.
pub(crate) const EXACT: u64 = EXACT_USIZE as u64;

const EXACT_USIZE: usize = 480;
/// Bytes of differences that are kept in place.
const IN_PLACE: usize = 30;

/// How many values there are is known outside; it is what `count` below
/// means.
///
/// Written out in one enum, as structs within it would not leave room for its
/// tag: it is 40 bytes.
#[derive(Debug, Clone)]
pub(crate) enum Samples {
    /// The first value, and the differences of the others to it.
    Few {
        base: u64,
        /// Bytes of a difference, 1 to 8.
        width: u8,
        cells: [u8; IN_PLACE],
    },
    /// The same, for more.
    Many {
        base: u64,
        width: u8,
        cells: Vec<u8>,
    },
    Sketch(Sketch),
}

impl Default for Samples {
    fn default() -> Self {
        Self::few(0, 1)
    }
}

impl Samples {
    const fn few(base: u64, width: u8) -> Self {
        let cells = [0; IN_PLACE];
        Self::Few { base, width, cells }
    }

    /// Adds a value to `count` others.
    #[inline]
    pub(crate) fn record(&mut self, count: u64, binned: Binned) {
        if let Self::Sketch(sketch) = self {
            sketch.record(binned.bin);
        } else {
            self.record_exact(count, binned.value);
        }
    }

    fn record_exact(&mut self, count: u64, value: u64) {
        let recorded = match self {
            _ if count >= EXACT => false,
            Self::Few { base, width, cells } => record_few(base, *width, cells, count, value),
            Self::Many { base, width, cells } => record_many(*base, *width, cells, value),
            Self::Sketch(_) => false,
        };
        if !recorded {
            self.make_room(count, value);
        }
    }

    /// Adds a value that the kind of storage so far has no room for.
    #[cold]
    fn make_room(&mut self, count: u64, value: u64) {
        if count >= EXACT {
            self.with_sketch(count, |sketch| sketch.record(bin(value)));
            return;
        }
        let (base, width) = match self {
            Self::Few { base, width, .. } | Self::Many { base, width, .. } => (*base, *width),
            Self::Sketch(sketch) => return sketch.record(bin(value)),
        };
        let width = width.max(bytes_of(difference(base, value)));
        // One of the values is the base, but there is one more now.
        let differences = usize::try_from(count).unwrap_or(EXACT_USIZE);
        let bytes = differences * usize::from(width);
        let mut wider = if bytes <= IN_PLACE {
            Self::few(base, width)
        } else {
            let cells = Vec::with_capacity(bytes + 4 * usize::from(width));
            Self::Many { base, width, cells }
        };
        let mut new_count = 0;
        let mut add = |value| {
            match &mut wider {
                Self::Few { base, width, cells } => {
                    record_few(base, *width, cells, new_count, value);
                }
                Self::Many { base, width, cells } if new_count > 0 => {
                    record_many(*base, *width, cells, value);
                }
                Self::Many { .. } | Self::Sketch(_) => {}
            }
            new_count += 1;
        };
        self.for_each_exact(count, &mut add);
        add(value);
        *self = wider;
    }

    /// Changes the sketch of these `count` values, which they are from here
    /// on.
    fn with_sketch(&mut self, count: u64, change: impl FnOnce(&mut Sketch)) {
        if let Self::Sketch(sketch) = self {
            change(sketch);
            return;
        }
        let mut sketch = Sketch::new();
        self.for_each_exact(count, |value| sketch.record(bin(value)));
        change(&mut sketch);
        *self = Self::Sketch(sketch);
    }

    /// Adds `other_count` values to `count`.
    pub(crate) fn merge(&mut self, count: u64, other: &Self, other_count: u64) {
        let total = count.saturating_add(other_count);
        if let Self::Sketch(sketch) = other {
            self.with_sketch(count, |into| into.merge(sketch));
        } else if total > EXACT {
            self.with_sketch(count, |into| {
                other.for_each_exact(other_count, |value| into.record(bin(value)));
            });
        } else {
            let mut count = count;
            other.for_each_exact(other_count, |value| {
                self.record_exact(count, value);
                count += 1;
            });
        }
    }

    /// The values in the order they came; nothing for a sketch.
    pub(crate) fn for_each_exact(&self, count: u64, mut each: impl FnMut(u64)) {
        let (base, width, cells) = match self {
            Self::Few { base, width, cells } => (*base, *width, &cells[..]),
            Self::Many { base, width, cells } => (*base, *width, &cells[..]),
            Self::Sketch(_) => return,
        };
        let Some(others) = count.checked_sub(1) else {
            return;
        };
        each(base);
        let others = usize::try_from(others).unwrap_or(EXACT_USIZE);
        for cell in cells.chunks_exact(usize::from(width)).take(others) {
            let mut bytes = [0; 8];
            for (byte, stored) in bytes.iter_mut().zip(cell) {
                *byte = *stored;
            }
            each(base.wrapping_add(unzigzag(u64::from_le_bytes(bytes))));
        }
    }

    /// The sorted values, unless there is a sketch of them.
    pub(crate) fn sorted(&self, count: u64) -> Result<Vec<u64>, &Sketch> {
        if let Self::Sketch(sketch) = self {
            return Err(sketch);
        }
        let mut values = Vec::with_capacity(usize::try_from(count.min(EXACT)).unwrap_or(0));
        self.for_each_exact(count, |value| values.push(value));
        values.sort_unstable();
        Ok(values)
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Few { .. } => 0,
            Self::Many { cells, .. } => cells.capacity(),
            Self::Sketch(sketch) => sketch.heap_bytes(),
        }
    }
}

fn bin(value: u64) -> u16 {
    Binned::new(value).bin
}

/// `false` if there is no room.
fn record_few(
    base: &mut u64,
    width: u8,
    cells: &mut [u8; IN_PLACE],
    count: u64,
    value: u64,
) -> bool {
    let Some(others) = count.checked_sub(1) else {
        *base = value;
        return true;
    };
    let difference = difference(*base, value);
    let bytes = usize::from(width);
    let start = usize::try_from(others).unwrap_or(EXACT_USIZE) * bytes;
    match cells.get_mut(start..start + bytes) {
        Some(cell) if bytes_of(difference) <= width => {
            for (byte, new) in cell.iter_mut().zip(difference.to_le_bytes()) {
                *byte = new;
            }
            true
        }
        _ => false,
    }
}

/// `false` if the difference is too wide.
fn record_many(base: u64, width: u8, cells: &mut Vec<u8>, value: u64) -> bool {
    let difference = difference(base, value);
    if bytes_of(difference) > width {
        return false;
    }
    let width = usize::from(width);
    if cells.capacity() - cells.len() < width {
        // Half as much again, not twice: there are many of these. And never
        // more than they can come to.
        let all = EXACT_USIZE * width;
        let more = (cells.len() / 2).max(8 * width);
        let rest = all.saturating_sub(cells.len()).max(width);
        cells.reserve_exact(more.min(rest));
    }
    cells.extend(difference.to_le_bytes().into_iter().take(width));
    true
}

const fn difference(base: u64, value: u64) -> u64 {
    zigzag(value.wrapping_sub(base))
}

/// Bytes that it needs, one at least.
#[allow(clippy::cast_possible_truncation, reason = "at most 8")]
const fn bytes_of(difference: u64) -> u8 {
    (difference | 1).ilog2() as u8 / 8 + 1
}

/// Small differences of either sign become small numbers; the difference is
/// taken modulo 2⁶⁴, so there is one for any two values.
const fn zigzag(difference: u64) -> u64 {
    (difference << 1) ^ (difference >> 63).wrapping_neg()
}

const fn unzigzag(zigzag: u64) -> u64 {
    (zigzag >> 1) ^ (zigzag & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::Samples;

    fn check(values: &[u64], heap_bytes: usize) {
        let mut samples = Samples::default();
        for (count, value) in values.iter().enumerate() {
            samples.record(count as u64, crate::bins::Binned::new(*value));
        }
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        assert_eq!(samples.sorted(values.len() as u64).ok(), Some(sorted));
        let got = samples.heap_bytes();
        assert!(got <= heap_bytes, "{got} bytes for {} values", values.len());
    }

    #[test]
    fn exact_values_come_back() {
        check(&[], 0);
        check(&[u64::MAX], 0);
        check(&[4, 3, 2, 1], 0);
        check(&[4, 3, 2, 1, 0], 0);
        check(&[0, u64::MAX, 1 << 63, 1, u64::MAX - 1, (1 << 63) - 1], 96);
        check(&[1 << 40, 1, 2, 3, 1 << 40, 65_536, 1 << 41], 64);
        let near: Vec<u64> = (0..480).map(|n| 1_700_000_000_000_000 + 60 * n).collect();
        check(&near, 960);
        let spread: Vec<u64> = (0..480).map(|n| n * 4_000_000).collect();
        check(&spread, 1_920);
        for width in 1..=8 {
            let far = 1 << (8 * width - 2);
            let in_place: Vec<u64> = (0..=30 / width).map(|n| 7 + n % 2 * far).collect();
            check(&in_place, 0);
            check(&[&in_place[..], &[7]].concat(), 96);
        }
        let wide: Vec<u64> = (0..480).map(|n| n << 55).collect();
        check(&wide, 3_840);
    }
}
