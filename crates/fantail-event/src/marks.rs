//! Where the arguments of a text end.
//!
//! 64 bytes at a time become 64 bits each for the TABs and the escapes. The
//! places of the TABs are written down before anything is read: arguments are
//! short, so that a search that begins anew for each of them spends its time
//! with beginning, and one that stops after each mispredicts its end.
//!
//! Invariant: what is written down is one place for each TAB, ascending, and
//! then the text's length.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod vector;

use alloc::vec::Vec;

use wide::u8x16;

const BLOCK: usize = 64;
const ESCAPE: u8 = 1;
/// So many arguments mostly end in a block.
const FEW: usize = 8;

/// The ends of a text's arguments, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// More room than is taken.
    places: Vec<u32>,
    taken: usize,
}

impl Ends {
    /// Finds the ends of all arguments of a text of at most
    /// [`MAX_TEXT`](crate::MAX_TEXT) bytes; whether anything is escaped.
    #[inline]
    pub(crate) fn find(&mut self, text: &[u8]) -> bool {
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        if let Some(is_escaped) = vector::find(self, text) {
            self.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            return is_escaped;
        }
        self.find_plainly(text)
    }

    /// The same, by any processor.
    #[inline(never)]
    fn find_plainly(&mut self, text: &[u8]) -> bool {
        let is_escaped = self.find_in_blocks(text);
        self.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        is_escaped
    }

    /// Notes all TABs; whether anything is escaped.
    #[inline(always)]
    fn find_in_blocks(&mut self, text: &[u8]) -> bool {
        let mut taken = 0;
        let mut start = 0;
        let mut escapes = u8x16::ZERO;
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        for block in blocks {
            taken += self.take(block, start, 0, taken, &mut escapes);
            start += 64;
        }
        let mut filled = [0; BLOCK];
        // The last 64 bytes, of which some are known; or what there is.
        let (block, known) = match text.last_chunk() {
            Some(block) => (block, 64 - rest.len()),
            None => {
                if let Some(start) = filled.get_mut(..rest.len()) {
                    start.copy_from_slice(rest);
                }
                (&filled, 0)
            }
        };
        if !rest.is_empty() {
            taken += self.take(block, start, known, taken, &mut escapes);
        }
        self.taken = taken;
        escapes.to_bitmask() != 0
    }

    /// Where the arguments end.
    #[inline]
    pub(crate) fn places(&self) -> &[u32] {
        self.places.get(..self.taken).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.taken = 0;
    }

    #[inline]
    pub(crate) fn push(&mut self, place: u32) {
        if let Some([first, ..]) = self.room(self.taken) {
            *first = place;
            self.taken += 1;
        }
    }

    /// Notes the TABs of a block but for its first `known` bytes, the next of
    /// which is at `start`; how many there are.
    #[inline(always)]
    fn take(
        &mut self,
        block: &[u8; BLOCK],
        start: u32,
        known: usize,
        taken: usize,
        escapes: &mut u8x16,
    ) -> usize {
        let mut tabs = 0;
        let (parts, _) = block.as_chunks::<16>();
        for (shift, part) in (0_u32..).step_by(16).zip(parts) {
            let part = u8x16::new(*part);
            let found = part.simd_eq(u8x16::splat(b'\t')).to_bitmask();
            tabs |= u64::from(found) << shift;
            *escapes |= part.simd_eq(u8x16::splat(ESCAPE));
        }
        tabs >>= known;
        let count = tabs.count_ones() as usize;
        if let Some(places) = self.room(taken) {
            let (few, many) = places.split_at_mut(FEW);
            let mut write = |places: &mut [u32]| {
                for place in places {
                    *place = start + tabs.trailing_zeros();
                    tabs &= tabs.wrapping_sub(1);
                }
            };
            // Always so many, because a number that is hard to predict costs
            // more than to write over what was too much.
            write(few);
            if count > FEW {
                write(many.get_mut(..count - FEW).unwrap_or_default());
            }
        }
        count
    }

    /// Room for a block.
    #[inline]
    fn room(&mut self, taken: usize) -> Option<&mut [u32; BLOCK]> {
        if self.places.len() < taken + BLOCK {
            grow(&mut self.places, taken);
        }
        self.places.get_mut(taken..)?.first_chunk_mut()
    }
}

#[cold]
fn grow(places: &mut Vec<u32>, taken: usize) {
    places.resize(2 * taken + 4 * BLOCK, 0);
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::Ends;

    /// Each way that the processor has.
    fn check(text: &[u8], ends: &mut Ends) {
        let tabs = (0..text.len()).filter(|at| text[*at] == b'\t');
        let expected: Vec<usize> = tabs.collect();
        let found = |is_escaped: bool, ends: &Ends| {
            assert_eq!(is_escaped, text.contains(&1), "{}", text.escape_ascii());
            let places = ends.places().iter().map(|at| *at as usize);
            let found: Vec<usize> = places.filter(|at| *at < text.len()).collect();
            assert_eq!(found, expected, "{}", text.escape_ascii());
        };
        found(ends.find_plainly(text), ends);
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        if let Some(is_escaped) = super::vector::by_bits(ends, text) {
            found(is_escaped, ends);
        }
        found(ends.find(text), ends);
        assert_eq!(
            ends.places().last().map(|at| *at as usize),
            Some(text.len())
        );
    }

    #[test]
    fn many_and_few_in_long_texts() {
        let mut ends = Ends::default();
        for every in 1..70 {
            for length in [15, 64, 65, 1_000, 5_000] {
                let byte = |at: usize| if at % every == every / 2 { b'\t' } else { b'x' };
                let mut text: Vec<u8> = (0..length).map(byte).collect();
                check(&text, &mut ends);
                text[length - 1] = 1;
                check(&text, &mut ends);
            }
        }
    }

    #[test]
    fn all_bytes_in_all_places() {
        let mut ends = Ends::default();
        for byte in 0..=u8::MAX {
            for length in [1, 7, 8, 9, 63, 64, 65, 128, 130] {
                for at in [0, length / 2, length - 1] {
                    for other in [b'x', b'\t', 0, 1, 0xff] {
                        let mut text = alloc::vec![other; length];
                        text[at] = byte;
                        check(&text, &mut ends);
                    }
                }
            }
        }
        check(b"", &mut ends);
    }
}
