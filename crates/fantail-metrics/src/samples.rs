//! The values of a distribution, exact while they are few.
//!
//! Dovecot's own median and percentiles are exact up to 480 values; so are
//! ours, and a [`Sketch`] follows. The exact values are kept in two stages:
//! four in place, without any memory of their own (most sub-metrics never see
//! more), and then as differences to the first value in as many bytes as the
//! widest needs. Durations take two to four bytes a value that way; only
//! values that differ by more than 2³¹ take eight.

use crate::sketch::Sketch;

/// Up to so many values, quantiles are exact.
pub(crate) const EXACT: u64 = EXACT_USIZE as u64;

const EXACT_USIZE: usize = 480;
const FEW: usize = 4;

/// How many values there are is known outside; it is what `count` below
/// means.
#[derive(Debug, Clone)]
pub(crate) enum Samples {
    Few([u64; FEW]),
    Many(Differences),
    Sketch(Box<Sketch>),
}

impl Default for Samples {
    fn default() -> Self {
        Self::Few([0; FEW])
    }
}

impl Samples {
    /// Adds a value to `count` others.
    #[inline]
    pub(crate) fn record(&mut self, count: u64, value: u64) {
        if let Self::Sketch(sketch) = self {
            sketch.record(value);
        } else {
            self.record_exact(count, value);
        }
    }

    fn record_exact(&mut self, count: u64, value: u64) {
        match self {
            _ if count >= EXACT => self.with_sketch(count, |sketch| sketch.record(value)),
            Self::Few(values) => {
                let room = usize::try_from(count)
                    .ok()
                    .and_then(|at| values.get_mut(at));
                if let Some(place) = room {
                    *place = value;
                } else {
                    let mut many = Differences::new(values[0]);
                    values.iter().for_each(|&old| many.push(old));
                    many.push(value);
                    *self = Self::Many(many);
                }
            }
            Self::Many(values) => values.push(value),
            Self::Sketch(sketch) => sketch.record(value),
        }
    }

    /// Changes the sketch of these `count` values, which they are from here
    /// on.
    fn with_sketch(&mut self, count: u64, change: impl FnOnce(&mut Sketch)) {
        if let Self::Sketch(sketch) = self {
            change(sketch);
            return;
        }
        let mut sketch = Box::new(Sketch::new());
        self.for_each_exact(count, |value| sketch.record(value));
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
                other.for_each_exact(other_count, |value| into.record(value));
            });
        } else {
            let mut count = count;
            other.for_each_exact(other_count, |value| {
                self.record(count, value);
                count += 1;
            });
        }
    }

    /// The values in the order they came; nothing for a sketch.
    pub(crate) fn for_each_exact(&self, count: u64, mut each: impl FnMut(u64)) {
        match self {
            Self::Few(values) => {
                let count = usize::try_from(count).unwrap_or(FEW);
                values.iter().take(count).for_each(|&value| each(value));
            }
            Self::Many(values) => values.for_each(each),
            Self::Sketch(_) => {}
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
            Self::Few(_) => 0,
            Self::Many(values) => values.bytes.capacity(),
            Self::Sketch(sketch) => size_of::<Sketch>() + sketch.heap_bytes(),
        }
    }
}

/// Values as differences to a base, all in the same number of bytes.
#[derive(Debug, Clone)]
pub(crate) struct Differences {
    base: u64,
    /// Bytes of a difference: 2, 3, 4 or 8.
    width: u8,
    bytes: Vec<u8>,
}

impl Differences {
    const fn new(base: u64) -> Self {
        Self {
            base,
            width: 2,
            bytes: Vec::new(),
        }
    }

    fn push(&mut self, value: u64) {
        let difference = zigzag(value.wrapping_sub(self.base));
        let needed = match difference {
            0..=0xFFFF => 2,
            0x1_0000..=0xFF_FFFF => 3,
            0x100_0000..=0xFFFF_FFFF => 4,
            _ => 8,
        };
        if needed > self.width {
            self.widen(needed);
        }
        self.append(difference);
    }

    fn append(&mut self, difference: u64) {
        let width = usize::from(self.width);
        if self.bytes.capacity() - self.bytes.len() < width {
            // A quarter as much again, not twice: there are many of these, most
            // with few values. And never more than they can come to.
            let all = EXACT_USIZE * width;
            let more = (self.bytes.len() / 4 / width).max(2) * width;
            let rest = all.saturating_sub(self.bytes.len()).max(width);
            self.bytes.reserve_exact(more.min(rest));
        }
        self.bytes
            .extend_from_slice(&difference.to_le_bytes()[..width]);
    }

    fn widen(&mut self, width: u8) {
        let mut wider = Self {
            base: self.base,
            width,
            bytes: Vec::new(),
        };
        let count = self.bytes.len() / usize::from(self.width);
        wider.bytes.reserve_exact((count + 2) * usize::from(width));
        self.for_each(|value| wider.append(zigzag(value.wrapping_sub(self.base))));
        *self = wider;
    }

    fn for_each(&self, mut each: impl FnMut(u64)) {
        for cell in self.bytes.chunks_exact(usize::from(self.width)) {
            let mut bytes = [0; 8];
            bytes[..cell.len()].copy_from_slice(cell);
            each(self.base.wrapping_add(unzigzag(u64::from_le_bytes(bytes))));
        }
    }
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
            samples.record(count as u64, *value);
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
        check(&[4, 3, 2, 1, 0], 12);
        // Durations that lie some milliseconds apart.
        let ten: Vec<u64> = (0..10).map(|n| n * 90_001 % 100_000).collect();
        check(&ten, 36);
        check(&[0, 1 << 23, (1 << 23) + 1, 1 << 31, 1 << 32], 40);
        check(&[0, u64::MAX, 1 << 63, 1, u64::MAX - 1, (1 << 63) - 1], 96);
        check(&[1 << 40, 1, 2, 3, 1 << 40, 65_536, 1 << 41], 96);
        let near: Vec<u64> = (0..480).map(|n| 1_700_000_000_000_000 + 60 * n).collect();
        check(&near, 960);
        let spread: Vec<u64> = (0..480).map(|n| n * 4_000_000).collect();
        check(&spread, 1_920);
        let wide: Vec<u64> = (0..480).map(|n| n << 55).collect();
        check(&wide, 3_840);
    }
}
