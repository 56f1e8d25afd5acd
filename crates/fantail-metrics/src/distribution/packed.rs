//! Up to 31 values in 31 bytes, in the order of their arrival.
//!
//! They are differences to a base, all in as many bytes as the widest needs: one
//! to three for most durations, eight for values that lie as far apart as can be.
//! The base is kept by the owner: the first value, or 0.

/// The capacity for differences in bytes.
const DIFFERENCE_BYTES: usize = 30;
/// Where the last eight bytes begin.
const LAST_EIGHT: usize = DIFFERENCE_BYTES - 8;
/// Bits of the shape that are the width less one; those above are the length.
const WIDTH_BITS: u32 = 3;

/// Differences of one width, and how many values they and the base stand for.
///
/// Invariant: the bytes behind the last difference are 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    /// Width and length.
    shape: u8,
    cells: [u8; DIFFERENCE_BYTES],
}

/// Bytes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Width(u8);

impl Width {
    pub(crate) const ONE: Self = Self(1);

    /// The least width of a difference.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // Eight at most.
    pub(crate) const fn of(difference: u64) -> Self {
        // Without a branch: 0 takes a byte, too.
        Self(8 - ((difference | 1).leading_zeros() / 8) as u8)
    }

    #[inline]
    pub(crate) const fn bytes(self) -> usize {
        self.0 as usize
    }
}

impl Default for Packed {
    fn default() -> Self {
        Self::with_width(Width::ONE)
    }
}

impl Packed {
    pub(crate) const fn with_width(width: Width) -> Self {
        Self {
            shape: width.0 - 1,
            cells: [0; DIFFERENCE_BYTES],
        }
    }

    /// Returns the number of values.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        (self.shape >> WIDTH_BITS) as usize
    }

    #[inline]
    pub(crate) const fn width(&self) -> Width {
        Width((self.shape & ((1 << WIDTH_BITS) - 1)) + 1)
    }

    /// Counts a value that is the base.
    #[inline]
    pub(crate) const fn push_base(&mut self) {
        self.shape += 1 << WIDTH_BITS;
    }

    /// Adds the next value as the difference at this index; `false` if it is too
    /// wide or there is no room.
    #[inline]
    pub(crate) fn push(&mut self, at: usize, difference: u64) -> bool {
        let width = self.width();
        let start = at * width.bytes();
        if Width::of(difference) > width || start + width.bytes() > DIFFERENCE_BYTES {
            return false;
        }
        // Eight bytes within the array. Those that are not of this difference are
        // 0 in it, and those behind it are 0 in the array.
        let from = start.min(LAST_EIGHT);
        let Some(eight) = self.cells.get_mut(from..).and_then(<[_]>::first_chunk_mut) else {
            return false;
        };
        let moved = difference << (8 * (start - from));
        *eight = (u64::from_le_bytes(*eight) | moved).to_le_bytes();
        self.shape += 1 << WIDTH_BITS;
        true
    }

    /// Returns the difference at an index.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        let width = self.width().bytes();
        let start = at * width;
        let from = start.min(LAST_EIGHT);
        let eight = self.cells.get(from..).and_then(<[_]>::first_chunk);
        debug_assert!(eight.is_some() && start < DIFFERENCE_BYTES, "no value {at}");
        let eight = u64::from_le_bytes(eight.copied().unwrap_or_default());
        let unused = 64 - 8 * width;
        eight >> (8 * (start - from)) << unused >> unused
    }
}

/// How a value differs from another, as a number that is small if it is little,
/// whichever is the greater one. It is taken modulo 2⁶⁴, so there is one for
/// any two values.
#[inline]
pub(crate) const fn difference(base: u64, value: u64) -> u64 {
    let difference = value.wrapping_sub(base);
    (difference << 1) ^ (difference >> 63).wrapping_neg()
}

/// The value that differs so from another.
#[inline]
pub(crate) const fn value(base: u64, difference: u64) -> u64 {
    base.wrapping_add((difference >> 1) ^ (difference & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::{DIFFERENCE_BYTES, Packed, Width, difference, value};

    #[test]
    fn differences_come_back_until_there_is_no_room() {
        for bytes in 1..=8_u32 {
            let most = u64::MAX >> (64 - 8 * bytes);
            let mut packed = Packed::with_width(Width::of(most));
            let room = DIFFERENCE_BYTES / bytes as usize;
            for at in 0..room {
                let difference = most - at as u64 % 3;
                assert_eq!(packed.len(), at);
                assert!(packed.push(at, difference));
                assert_eq!(packed.get(at), difference);
            }
            assert!(!packed.push(room, 0), "{bytes} bytes: no room");
            for at in 0..room {
                assert_eq!(packed.get(at), most - at as u64 % 3, "{bytes} bytes");
            }
            assert_eq!(packed.width().bytes(), bytes as usize);
            if bytes < 8 {
                let mut packed = Packed::with_width(Width::of(most));
                assert!(!packed.push(0, most + 1), "too wide");
                assert_eq!(packed.len(), 0);
            }
        }
    }

    #[test]
    fn a_base_takes_no_bytes() {
        let mut packed = Packed::default();
        packed.push_base();
        (0..DIFFERENCE_BYTES).for_each(|at| assert!(packed.push(at, 7)));
        assert_eq!(packed.len(), 1 + DIFFERENCE_BYTES);
        assert_eq!(size_of::<Packed>(), 31);
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
        assert_eq!(Width::of(0), Width::ONE);
    }
}
