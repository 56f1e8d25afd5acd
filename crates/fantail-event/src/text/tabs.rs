//! Positions of TABs: where the arguments of a text end.
//!
//! 64 bytes at a time become 64 bits each for the TABs and the escapes. All
//! positions are written down before anything is parsed: arguments are short, so
//! that a search that starts anew for each of them spends its time with
//! starting, and one that stops after each mispredicts its end.
//!
//! Invariant: there is one position for each TAB, ascending, and then the text's
//! length.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod vector;

use alloc::vec::Vec;

use wide::u8x16;

const BLOCK: usize = 64;
const ESCAPE: u8 = 1;
/// TABs written without looking how many there are: most blocks have fewer.
const TABS_AT_ONCE: usize = 8;

/// The ends of a text's arguments, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct TabPositions {
    /// Longer than what is used.
    buffer: Vec<u32>,
    taken: usize,
}

impl TabPositions {
    /// Finds the ends of all arguments of a text of at most
    /// [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES); returns whether anything is
    /// escaped.
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

    /// Writes down all TABs; returns whether anything is escaped.
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
    pub(crate) fn as_slice(&self) -> &[u32] {
        self.buffer.get(..self.taken).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.taken = 0;
    }

    #[inline]
    pub(crate) fn push(&mut self, position: u32) {
        if let Some([first, ..]) = self.room(self.taken) {
            *first = position;
            self.taken += 1;
        }
    }

    /// Writes down the TABs of a block but for its first `known` bytes; the next
    /// byte is at `start`. Returns how many there are.
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
        if let Some(positions) = self.room(taken) {
            let (few, many) = positions.split_at_mut(TABS_AT_ONCE);
            let mut write = |positions: &mut [u32]| {
                for position in positions {
                    *position = start + tabs.trailing_zeros();
                    tabs &= tabs.wrapping_sub(1);
                }
            };
            // Always this many: a loop whose end is hard to predict costs more
            // than writing over what was too much.
            write(few);
            if count > TABS_AT_ONCE {
                write(many.get_mut(..count - TABS_AT_ONCE).unwrap_or_default());
            }
        }
        count
    }

    /// Room for a block.
    #[inline]
    fn room(&mut self, taken: usize) -> Option<&mut [u32; BLOCK]> {
        if self.buffer.len() < taken + BLOCK {
            grow(&mut self.buffer, taken);
        }
        self.buffer.get_mut(taken..)?.first_chunk_mut()
    }
}

#[cold]
fn grow(positions: &mut Vec<u32>, taken: usize) {
    positions.resize(2 * taken + 4 * BLOCK, 0);
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::TabPositions;

    /// Each way that the processor has.
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
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
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
    fn many_and_few_in_long_texts() {
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
    fn all_bytes_in_all_places() {
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
