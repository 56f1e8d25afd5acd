//! Where the TABs and the escapes of a text are.
//!
//! 64 bytes at a time become 64 bits, of which those that are set are taken
//! one by one: the arguments of events are short, so that a search that
//! begins anew for each of them spends its time with beginning. The bits are
//! made with whole words (eight bytes a step), in safe code; the instructions
//! that would do sixteen bytes a step cannot be had without `unsafe`, and save
//! about a tenth of what it costs to read an event.

/// TAB and the escape byte differ in this bit.
const DIFFERENCE: u64 = 0x08;
const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = EACH << 7;
/// Moves the lowest bit of byte *n* to bit 56 + *n*.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// The places of all TABs and escape bytes, ascending.
#[derive(Debug, Clone)]
pub(crate) struct Marks<'t> {
    /// What follows the current block.
    rest: &'t [u8],
    /// Where the current block begins, and its marks that are left.
    start: usize,
    next_start: usize,
    bits: u64,
}

impl<'t> Marks<'t> {
    pub(crate) const fn new(text: &'t [u8]) -> Self {
        Self {
            rest: text,
            start: 0,
            next_start: 0,
            bits: 0,
        }
    }

    /// Takes the next block; `false` at the end.
    #[inline]
    fn advance(&mut self) -> bool {
        self.start = self.next_start;
        self.next_start += 64;
        if let Some((block, rest)) = self.rest.split_first_chunk() {
            self.bits = bits(block);
            self.rest = rest;
            return true;
        }
        if self.rest.is_empty() {
            return false;
        }
        let mut block = [0; 64];
        if let Some(filled) = block.get_mut(..self.rest.len()) {
            filled.copy_from_slice(self.rest);
        }
        self.bits = bits(&block);
        self.rest = &[];
        true
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            if !self.advance() {
                return None;
            }
        }
        let bit = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.start + bit as usize)
    }
}

/// A bit for each byte that is a mark.
#[inline]
fn bits(block: &[u8; 64]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mut bits = 0;
    for (shift, word) in (0_u32..).step_by(8).zip(words) {
        // Marks become zero.
        let word = (u64::from_le_bytes(*word) & !(EACH * DIFFERENCE)) ^ EACH;
        // The high bit of each byte that is not: no carry crosses a byte.
        let others = ((word & !HIGH) + !HIGH) | word;
        let marks = (!others & HIGH) >> 7;
        bits |= (marks.wrapping_mul(GATHER) >> 56) << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::Marks;

    fn check(text: &[u8]) {
        let found: Vec<usize> = Marks::new(text).collect();
        let is_mark = |at: &usize| matches!(text[*at], 1 | b'\t');
        let expected: Vec<usize> = (0..text.len()).filter(is_mark).collect();
        assert_eq!(found, expected, "{}", text.escape_ascii());
    }

    #[test]
    fn all_bytes_in_all_places() {
        for byte in 0..=u8::MAX {
            for length in [1, 7, 8, 9, 63, 64, 65, 128, 130] {
                for at in [0, length / 2, length - 1] {
                    for other in [b'x', b'\t', 0, 0xff] {
                        let mut text = alloc::vec![other; length];
                        text[at] = byte;
                        check(&text);
                    }
                }
            }
        }
        check(b"");
    }
}
