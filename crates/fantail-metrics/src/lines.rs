//! Many short lines at the end of a buffer.
//!
//! Their parts are short, and of lengths that are not known beforehand. So
//! they are copied as blocks of one size that are as long or longer, and what
//! is too much is written over by what follows: there is neither a loop nor a
//! call for a part, and room is made once for many lines.

use std::ops::Range;

use fantail_event::decimal::{EIGHT_DIGITS, eight, short};

use crate::decimal::push_whole;

/// What is copied at once.
const BLOCK: usize = 32;

/// Lines on their way to the end of a buffer.
#[derive(Debug)]
pub struct Lines<'a> {
    /// Longer than what it has, as far as there is room.
    out: &'a mut Vec<u8>,
    at: usize,
}

/// Appends the lines that `write` makes, for which room is made beforehand:
/// they should not take more than `most` bytes.
///
/// ```
/// use fantail_metrics::lines;
///
/// let mut out = b"# users\n".to_vec();
/// let names = b"annabert";
/// lines::append(&mut out, 20, |lines| {
///     for (range, logins) in [(0..4, 7), (4..8, 1_200)] {
///         lines.part(names, range);
///         lines.bytes(b" ");
///         lines.whole(logins);
///         lines.bytes(b"\n");
///     }
/// });
/// assert_eq!(out, b"# users\nanna 7\nbert 1200\n");
/// ```
#[inline]
pub fn append(out: &mut Vec<u8>, most: usize, write: impl FnOnce(&mut Lines<'_>)) {
    let at = out.len();
    out.resize(at + most + BLOCK, 0);
    let mut lines = Lines { out, at };
    write(&mut lines);
    let end = lines.at;
    out.truncate(end);
}

/// A text that many lines have, with something behind it.
#[derive(Debug, Clone)]
pub struct Text {
    padded: Vec<u8>,
    length: usize,
}

impl Text {
    /// A copy of these bytes.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        Self {
            padded: [text, &[0; BLOCK]].concat(),
            length: text.len(),
        }
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl Lines<'_> {
    /// Writes a block of which so many bytes count.
    #[inline]
    fn block<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        let rest = self.out.get_mut(self.at..);
        match rest.and_then(<[u8]>::first_chunk_mut) {
            Some(place) => {
                *place = *block;
                self.at += length;
            }
            None => self.push(block.get(..length).unwrap_or_default()),
        }
    }

    /// Appends what there is no room for.
    #[cold]
    fn push(&mut self, bytes: &[u8]) {
        self.out.truncate(self.at);
        self.out.extend_from_slice(bytes);
        self.at = self.out.len();
        let room = self.out.capacity().max(self.at + BLOCK);
        self.out.resize(room, 0);
    }

    /// Appends bytes whose number is known.
    #[inline]
    pub fn bytes<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.block(bytes, N);
    }

    /// Appends a part of a text. It costs least if the text goes on for 32
    /// bytes or more behind it.
    #[inline]
    pub fn part(&mut self, text: &[u8], range: Range<usize>) {
        let Range { mut start, end } = range;
        while let Some(block) = text.get(start..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            let left = end.saturating_sub(start);
            self.block(block, left.min(BLOCK));
            if left <= BLOCK {
                return;
            }
            start += BLOCK;
        }
        self.last(text.get(start..end).unwrap_or_default());
    }

    /// Appends a text.
    #[inline]
    pub fn text(&mut self, text: &Text) {
        self.part(&text.padded, 0..text.length);
    }

    /// Appends what nothing stands behind that could be copied, too.
    fn last(&mut self, bytes: &[u8]) {
        let rest = self.out.get_mut(self.at..);
        match rest.and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            None => self.push(bytes),
        }
    }

    /// Appends a whole number.
    #[inline]
    pub fn whole(&mut self, number: u64) {
        match number {
            0..10 => self.bytes(&[b'0' | u8::try_from(number).unwrap_or(0)]),
            10..EIGHT_DIGITS => {
                let (digits, length) = short(u32::try_from(number).unwrap_or_default());
                self.block(&digits, length);
            }
            _ => self.long(number),
        }
    }

    fn long(&mut self, number: u64) {
        let mut digits = Vec::new();
        push_whole(number, &mut digits);
        self.last(&digits);
    }

    /// Appends a whole number beyond 64 bits.
    #[inline]
    pub fn wide(&mut self, number: u128) {
        match u64::try_from(number) {
            Ok(number) => self.whole(number),
            Err(_) => self.last(number.to_string().as_bytes()),
        }
    }

    /// Appends a number below a million with all its six digits.
    #[inline]
    pub fn six_digits(&mut self, number: u64) {
        let [_, _, digits @ ..] = eight(u32::try_from(number).unwrap_or_default());
        self.bytes(&digits);
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Text, append};

    /// With room for it, and without.
    fn check(write: impl Fn(&mut Lines<'_>), expected: &str) {
        for most in [expected.len(), expected.len() / 2, 0] {
            let mut out = b"there ".to_vec();
            append(&mut out, most, |lines| {
                lines.bytes(b"<");
                write(lines);
                write(lines);
                lines.bytes(b">");
            });
            let expected = format!("there <{expected}{expected}>");
            assert_eq!(String::from_utf8_lossy(&out), expected, "room for {most}");
        }
    }

    #[test]
    fn parts_of_texts() {
        let text: String = (0..200).map(|at| char::from(b'0' + at % 75)).collect();
        for start in [0, 1, 40, 150, 199, 200] {
            for end in start..=text.len() {
                let part = &text[start..end];
                check(|lines| lines.part(text.as_bytes(), start..end), part);
                check(|lines| lines.text(&Text::new(part.as_bytes())), part);
            }
        }
        assert!(Text::new(b"").is_empty());
        assert_eq!(Text::new(b"12345").len(), 5);
        // There is no such part.
        check(|lines| lines.part(b"abc", 2..5), "");
        check(|lines| lines.part(b"abc", 7..9), "");
    }

    #[test]
    fn numbers() {
        let powers = (0..39).map(|exponent| 10_u128.pow(exponent));
        let numbers = powers.flat_map(|n| [n - 1, n, n + 1, n.saturating_mul(7)]);
        for number in numbers.chain([u64::MAX.into(), u128::MAX]) {
            check(|lines| lines.wide(number), &number.to_string());
        }
        for number in (0..100_000_u64).step_by(7).chain(99_990_000..=100_000_000) {
            let mut out = Vec::new();
            append(&mut out, 20, |lines| lines.whole(number));
            assert_eq!(out, number.to_string().as_bytes());
            let mut out = Vec::new();
            append(&mut out, 6, |lines| lines.six_digits(number % 1_000_000));
            assert_eq!(out, format!("{:06}", number % 1_000_000).as_bytes());
        }
    }
}
