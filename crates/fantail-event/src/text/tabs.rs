//! Positions of TABs: where the arguments of a text end.
//!
//! Blocks of 64 bytes are compared with TAB and the escape byte at once. All
//! positions are stored before anything is parsed: arguments are short, and a search
//! per argument would cost more for its start and its mispredicted end than for its
//! bytes.
//!
//! Invariant: the positions are those of all TABs, ascending, and the length of the
//! text.

mod equal;
#[cfg(all(feature = "simd", target_arch = "x86_64", target_feature = "sse2"))]
mod vector;

use alloc::vec::Vec;

use self::equal::Equal;
use crate::invariant::Invariant as _;

const BLOCK_BYTES: usize = 64;
const ESCAPE: u8 = 1;
/// TABs that are stored without testing how many the block has: most have fewer.
const TABS_AT_ONCE: usize = 8;

/// The ends of a text's arguments, in a reused buffer.
#[derive(Debug, Default)]
pub(crate) struct TabPositions {
    /// Longer than `taken`.
    buffer: Vec<u32>,
    taken: usize,
}

impl TabPositions {
    /// Finds the ends of all arguments of a text of at most
    /// [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES); returns whether anything is
    /// escaped.
    #[inline]
    pub(crate) fn find(&mut self, text: &[u8]) -> bool {
        #[cfg(all(feature = "simd", target_arch = "x86_64", target_feature = "sse2"))]
        if let Some(is_escaped) = vector::find(self, text) {
            self.push(u32::try_from(text.len()).always());
            return is_escaped;
        }
        self.find_plainly(text)
    }

    /// As [`find`](Self::find), on any processor.
    #[inline(never)]
    fn find_plainly(&mut self, text: &[u8]) -> bool {
        let is_escaped = self.find_in_blocks(text);
        self.push(u32::try_from(text.len()).always());
        is_escaped
    }

    /// Stores the positions of all TABs; returns whether anything is escaped.
    #[inline(always)]
    fn find_in_blocks(&mut self, text: &[u8]) -> bool {
        let mut taken = 0;
        let mut start = 0;
        let mut escapes = Equal::NONE;
        let (blocks, rest) = text.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            taken += self.take(block, start, 0, taken, &mut escapes);
            start += 64;
        }
        let mut filled = [0; BLOCK_BYTES];
        // The last 64 bytes, which overlap the last block; or the whole text.
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
        escapes.bits() != 0
    }

    /// The ends of the arguments.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u32] {
        self.buffer.get(..self.taken).always()
    }

    pub(crate) fn clear(&mut self) {
        self.taken = 0;
    }

    #[inline]
    pub(crate) fn push(&mut self, position: u32) {
        if let Some([first, ..]) = self.free_positions(self.taken) {
            *first = position;
            self.taken += 1;
        }
    }

    /// Stores the TABs of a block except those in its first `known` bytes; the byte
    /// after these is at `start`. Returns their number.
    #[inline(always)]
    fn take(
        &mut self,
        block: &[u8; BLOCK_BYTES],
        start: u32,
        known: usize,
        taken: usize,
        escapes: &mut Equal,
    ) -> usize {
        let mut tabs = 0;
        let (parts, _) = block.as_chunks::<16>();
        for (shift, part) in (0_u32..).step_by(16).zip(parts) {
            tabs |= u64::from(Equal::find(part, b'\t').bits()) << shift;
            *escapes = escapes.or(Equal::find(part, ESCAPE));
        }
        tabs >>= known;
        let count = tabs.count_ones() as usize;
        if let Some(positions) = self.free_positions(taken) {
            let (few, many) = positions.split_at_mut(TABS_AT_ONCE);
            let mut write = |positions: &mut [u32]| {
                for position in positions {
                    *position = start + tabs.trailing_zeros();
                    tabs &= tabs.wrapping_sub(1);
                }
            };
            // A fixed number: a loop with a mispredicted end costs more than
            // overwriting the surplus.
            write(few);
            if count > TABS_AT_ONCE {
                write(many.get_mut(..count - TABS_AT_ONCE).always());
            }
        }
        count
    }

    /// The positions for the TABs of another block.
    #[inline]
    fn free_positions(&mut self, taken: usize) -> Option<&mut [u32; BLOCK_BYTES]> {
        if self.buffer.len() < taken + BLOCK_BYTES {
            grow(&mut self.buffer, taken);
        }
        self.buffer.get_mut(taken..)?.first_chunk_mut()
    }
}

#[cold]
fn grow(positions: &mut Vec<u32>, taken: usize) {
    positions.resize(2 * taken + 4 * BLOCK_BYTES, 0);
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::TabPositions;

    /// Compares each implementation that the processor supports.
    fn check(text: &[u8], positions: &mut TabPositions) {
        let tabs = (0..text.len()).filter(|at| text[*at] == b'\t');
        let expected: Vec<usize> = tabs.collect();
        let found = |is_escaped: bool, positions: &TabPositions| {
            assert_eq!(is_escaped, text.contains(&1), "{}", text.escape_ascii());
            let positions = positions.as_slice().iter().map(|at| *at as usize);
            let found: Vec<usize> = positions.filter(|at| *at < text.len()).collect();
            assert_eq!(found, expected, "{}", text.escape_ascii());
        };
        found(positions.find_plainly(text), positions);
        #[cfg(all(feature = "simd", target_arch = "x86_64", target_feature = "sse2"))]
        if let Some(is_escaped) = super::vector::by_bits(positions, text) {
            found(is_escaped, positions);
        }
        found(positions.find(text), positions);
        assert_eq!(
            positions.as_slice().last().map(|at| *at as usize),
            Some(text.len())
        );
    }

    #[test]
    fn many_and_few_tabs_are_found_in_long_texts() {
        let mut positions = TabPositions::default();
        for every in 1..70 {
            for length in [15, 64, 65, 1_000, 5_000] {
                let byte = |at: usize| if at % every == every / 2 { b'\t' } else { b'x' };
                let mut text: Vec<u8> = (0..length).map(byte).collect();
                check(&text, &mut positions);
                text[length - 1] = 1;
                check(&text, &mut positions);
            }
        }
    }

    #[test]
    fn each_byte_is_found_at_each_position() {
        let mut positions = TabPositions::default();
        for byte in 0..=u8::MAX {
            for length in [1, 7, 8, 9, 63, 64, 65, 128, 130] {
                for at in [0, length / 2, length - 1] {
                    for other in [b'x', b'\t', 0, 1, 0xff] {
                        let mut text = alloc::vec![other; length];
                        text[at] = byte;
                        check(&text, &mut positions);
                    }
                }
            }
        }
        check(b"", &mut positions);
    }
}
