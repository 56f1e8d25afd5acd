//! A buffer for many short rows.
//!
//! The parts of a row are short and of varying length. Each is copied as one or
//! more blocks of a fixed size, and the next part overwrites the excess: so a
//! part needs neither a loop nor a call, and the buffer grows once for many rows.

use fantail_event::internal::decimal::{EIGHT_DIGITS, eight, short};

use super::decimal::push_whole;

/// The size of a copied block.
const BLOCK_BYTES: usize = 32;

/// A buffer for rows and other text. Clearing it keeps its memory, initialised.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    bytes: Vec<u8>,
    /// The length of the text, if the vector has unused bytes after it.
    end: Option<usize>,
}

impl From<Vec<u8>> for RowBuffer {
    /// Creates a buffer with this text.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, end: None }
    }
}

impl RowBuffer {
    /// Returns the text.
    #[inline]
    pub(crate) fn written(&self) -> &[u8] {
        let written = self.bytes.get(..self.len());
        debug_assert!(written.is_some(), "more was written than there is");
        written.unwrap_or_default()
    }

    /// Returns the length of the text in bytes.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        match self.end {
            Some(end) => end,
            None => self.bytes.len(),
        }
    }

    /// Removes the text.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.end = Some(0);
    }

    /// Returns the text as a vector to append to.
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        if let Some(end) = self.end.take() {
            self.bytes.truncate(end);
        }
        &mut self.bytes
    }

    /// Appends the rows that `write` makes, with at most `max_bytes` bytes. If
    /// they are longer, `write` is called again with a larger buffer.
    #[inline]
    pub(crate) fn rows(&mut self, max_bytes: usize, write: impl Fn(&mut RowWriter<'_>)) {
        let start = self.len();
        let mut max_bytes = max_bytes;
        loop {
            let all = start.saturating_add(max_bytes).saturating_add(BLOCK_BYTES);
            if self.bytes.len() < all {
                self.bytes.resize(all, 0);
            }
            let mut rows = RowWriter {
                room: self.bytes.get_mut(start..).unwrap_or_default(),
                is_full: false,
            };
            write(&mut rows);
            let RowWriter { room, is_full } = rows;
            if !is_full {
                let left = room.len();
                self.end = Some(self.bytes.len().saturating_sub(left));
                return;
            }
            max_bytes = max_bytes.saturating_mul(2).max(BLOCK_BYTES);
        }
    }
}

/// Writes rows to the end of a [`RowBuffer`].
///
/// It is only passed to inlined functions, so that it stays in registers.
#[derive(Debug)]
pub(crate) struct RowWriter<'a> {
    /// The unused part of the buffer.
    room: &'a mut [u8],
    /// Whether a part did not fit.
    is_full: bool,
}

/// A text that many rows contain.
#[derive(Debug, Clone)]
pub(crate) struct RowText {
    block: [u8; BLOCK_BYTES],
    length: usize,
    /// The text after the first block.
    rest: Vec<u8>,
}

impl RowText {
    /// Copies a text.
    pub(crate) fn new(text: &[u8]) -> Self {
        let (first, rest) = text.split_at(text.len().min(BLOCK_BYTES));
        let mut block = [0; BLOCK_BYTES];
        block
            .iter_mut()
            .zip(first)
            .for_each(|(to, from)| *to = *from);
        Self {
            block,
            length: first.len(),
            rest: rest.to_vec(),
        }
    }

    /// Returns the length of the text in bytes.
    pub(crate) const fn len(&self) -> usize {
        self.length + self.rest.len()
    }
}

impl RowWriter<'_> {
    /// Writes a block and keeps its first `length` bytes.
    #[inline]
    fn block<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        let room = std::mem::take(&mut self.room);
        match room.first_chunk_mut() {
            Some(place) => {
                *place = *block;
                self.room = room.get_mut(length.min(N)..).unwrap_or_default();
            }
            None => self.is_full = true,
        }
    }

    /// Appends bytes of a constant length.
    #[inline]
    pub(crate) fn bytes<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.block(bytes, N);
    }

    /// Appends a text.
    #[inline]
    pub(crate) fn text(&mut self, text: &RowText) {
        self.block(&text.block, text.length);
        if !text.rest.is_empty() {
            self.slice(&text.rest);
        }
    }

    /// Appends any bytes.
    #[inline]
    pub(crate) fn slice(&mut self, bytes: &[u8]) {
        let room = std::mem::take(&mut self.room);
        match room.split_at_mut_checked(bytes.len()) {
            Some((place, rest)) => {
                place.copy_from_slice(bytes);
                self.room = rest;
            }
            None => self.is_full = true,
        }
    }

    /// Moves the first `length` bytes of `text` to the row. At most 32 bytes of a
    /// text with at least 32 bytes are fastest.
    #[inline]
    pub(crate) fn first(&mut self, text: &mut &[u8], length: usize) {
        match text.first_chunk::<BLOCK_BYTES>() {
            Some(block) if length <= BLOCK_BYTES => {
                self.block(block, length);
                *text = text.get(length..).unwrap_or_default();
            }
            _ => {
                let (first, rest) = text.split_at(length.min(text.len()));
                self.slice(first);
                *text = rest;
            }
        }
    }

    /// Appends an integer.
    #[inline]
    pub(crate) fn whole(&mut self, number: u64) {
        match number {
            0..10 => self.bytes(&[digit(number)]),
            10..EIGHT_DIGITS => {
                let (digits, length) = short(u32::try_from(number).unwrap_or_default());
                self.block(&digits, length);
            }
            _ => self.slice(&long(number)),
        }
    }

    /// Appends an integer between two bytes.
    #[inline]
    pub(crate) fn whole_between(&mut self, before: u8, number: u64, after: u8) {
        if number < 10 {
            // Writes all three bytes as one block.
            self.block(&[before, digit(number), after, 0], 3);
        } else {
            self.bytes(&[before]);
            self.whole(number);
            self.bytes(&[after]);
        }
    }

    /// Appends an integer of up to 128 bits.
    #[inline]
    pub(crate) fn wide(&mut self, number: u128) {
        match u64::try_from(number) {
            Ok(number) => self.whole(number),
            Err(_) => self.slice(number.to_string().as_bytes()),
        }
    }

    /// Appends a number below a million with six digits.
    #[inline]
    pub(crate) fn six_digits(&mut self, number: u64) {
        let [_, _, digits @ ..] = eight(u32::try_from(number).unwrap_or_default());
        self.bytes(&digits);
    }
}

/// Returns the digit of a number below ten.
#[inline]
fn digit(number: u64) -> u8 {
    b'0' | u8::try_from(number).unwrap_or(0)
}

fn long(number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    push_whole(number, &mut digits);
    digits
}

#[cfg(test)]
mod tests {
    use super::{RowBuffer, RowText, RowWriter};

    /// Checks with a buffer that is large enough, and with a small one.
    fn check(write: impl Fn(&mut RowWriter<'_>), expected: &str) {
        for max_bytes in [expected.len(), expected.len() / 2, 0] {
            let mut buffer = RowBuffer::from(b"gone".to_vec());
            buffer.clear();
            assert_eq!(buffer.len(), 0);
            buffer.text().extend_from_slice(b"there ");
            buffer.rows(max_bytes, |rows| {
                rows.bytes(b"<");
                write(rows);
            });
            buffer.rows(max_bytes, &write);
            buffer.text().push(b'>');
            let expected = format!("there <{expected}{expected}>");
            let written = String::from_utf8_lossy(buffer.written());
            assert_eq!(written, expected, "room for {max_bytes} bytes");
            assert_eq!(buffer.len(), expected.len());
        }
    }

    #[test]
    fn texts() {
        let text: String = (0..200).map(|at| char::from(b'0' + at % 75)).collect();
        for length in [0, 1, 5, 31, 32, 33, 64, 65, 200] {
            let part = &text[..length];
            check(|rows| rows.slice(part.as_bytes()), part);
            let copy = RowText::new(part.as_bytes());
            check(|rows| rows.text(&copy), part);
            assert_eq!(copy.len(), length);
        }
    }

    #[test]
    fn parts_of_a_text() {
        let text: String = (0..200).map(|at| char::from(b'0' + at % 75)).collect();
        for lengths in [&[3, 32, 0, 33, 31, 70, 1, 30][..], &[200], &[150, 50, 7]] {
            let all = |rows: &mut RowWriter<'_>| {
                let mut text = text.as_bytes();
                for length in lengths {
                    rows.first(&mut text, *length);
                    rows.bytes(b"|");
                }
            };
            let mut expected = String::new();
            let mut at = 0;
            for length in lengths {
                let end = text.len().min(at + length);
                expected.extend([&text[at..end], "|"]);
                at = end;
            }
            check(all, &expected);
        }
    }

    #[test]
    fn numbers() {
        let powers = (0..39).map(|exponent| 10_u128.pow(exponent));
        let numbers = powers.flat_map(|n| [n - 1, n, n + 1, n.saturating_mul(7)]);
        for number in numbers.chain([u64::MAX.into(), u128::MAX]) {
            check(|rows| rows.wide(number), &number.to_string());
        }
        for number in (0..100_000_u64).step_by(7).chain(99_990_000..=100_000_000) {
            check(|rows| rows.whole(number), &number.to_string());
            let between = format!("<{number}>");
            check(|rows| rows.whole_between(b'<', number, b'>'), &between);
            let digits = format!("{:06}", number % 1_000_000);
            check(|rows| rows.six_digits(number % 1_000_000), &digits);
        }
    }
}
