//! Strings without special bytes: checked and copied in one step.
//!
//! Nearly all keys and values are short and need no escape. A short string is
//! loaded into one or two vectors of 16 bytes, tested as a whole, and stored with
//! its delimiters in one block; the rest of the block is cut off. There is no loop,
//! no copy of unknown length, and one check of the buffer's capacity.
//!
//! Strings with special bytes are left to the caller.

use super::bytes16::Bytes16;
use crate::export::MAX_LOGGED_BYTES;

/// Bytes that are tested at once.
const VECTOR_BYTES: usize = 16;

/// The longest string that is appended without a loop.
const MAX_SHORT_BYTES: usize = 2 * VECTOR_BYTES;
// Short strings need not be tested whether they are cut.
const _: () = assert!(MAX_SHORT_BYTES < MAX_LOGGED_BYTES);

/// Block for a string of up to 32 bytes with its delimiters.
const SHORT_BYTES: usize = 64;

/// Block for two such strings.
const PAIR_BYTES: usize = 80;

/// Marks bytes that JSON escapes, DEL, and bytes that are not ASCII.
#[inline]
pub(crate) fn json(bytes: Bytes16) -> Bytes16 {
    let is = |byte| bytes.equal(Bytes16::splat(byte));
    outside(bytes, b' ', b'~') | is(b'"') | is(b'\\')
}

/// Marks control characters up to CR: all that tab-escaping escapes, and a few more.
#[inline]
pub(crate) fn tabbed(bytes: Bytes16) -> Bytes16 {
    bytes.min(Bytes16::splat(b'\r')).equal(bytes)
}

/// Marks bytes for which a logfmt value needs quotes.
#[inline]
pub(crate) fn bare(bytes: Bytes16) -> Bytes16 {
    let is = |byte| bytes.equal(Bytes16::splat(byte));
    outside(bytes, b'!', b'~') | is(b'"') | is(b'=') | is(b'\\')
}

/// Marks bytes that are encoded in a logfmt key.
#[inline]
pub(crate) fn bare_key(bytes: Bytes16) -> Bytes16 {
    let is = |byte| bytes.equal(Bytes16::splat(byte));
    outside(bytes, b'!', b'~') | is(b'"') | is(b'=') | is(b'%')
}

#[inline]
fn outside(bytes: Bytes16, first: u8, last: u8) -> Bytes16 {
    let moved = bytes - Bytes16::splat(first);
    moved.max(Bytes16::splat(last - first + 1)).equal(moved)
}

/// Appends a text between two delimiters unless a byte of it is special; returns
/// whether it was appended.
#[inline(always)]
pub(crate) fn push<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    special: impl Fn(Bytes16) -> Bytes16,
    out: &mut Vec<u8>,
) -> bool {
    const {
        assert!(B + 2 * VECTOR_BYTES + A <= SHORT_BYTES);
    }
    let Some(short) = Short::read(text) else {
        return push_long(before, text, after, special, out);
    };
    if short.has(special) {
        return false;
    }
    let start = out.len();
    out.extend_from_slice(&[0; SHORT_BYTES]);
    if let Some(target) = out.last_chunk_mut::<SHORT_BYTES>() {
        put(target, 0, before);
        short.put(target, B);
        put(target, B + text.len(), after);
    }
    out.truncate(start + B + text.len() + A);
    true
}

/// Appends two texts with their delimiters if both are short and have no special
/// byte; returns whether they were appended.
#[inline(always)]
pub(crate) fn push_pair<const B: usize, const M: usize, const A: usize>(
    (before, between, after): (&[u8; B], &[u8; M], &[u8; A]),
    (key, value): (&[u8], &[u8]),
    special: impl Fn(Bytes16) -> Bytes16,
    out: &mut Vec<u8>,
) -> bool {
    const {
        assert!(B + M + 4 * VECTOR_BYTES + A <= PAIR_BYTES);
    }
    let (Some(first), Some(second)) = (Short::read(key), Short::read(value)) else {
        return false;
    };
    if first.has(&special) || second.has(&special) {
        return false;
    }
    let start = out.len();
    let middle = B + key.len();
    let end = middle + M + value.len();
    out.extend_from_slice(&[0; PAIR_BYTES]);
    if let Some(target) = out.last_chunk_mut::<PAIR_BYTES>() {
        put(target, 0, before);
        first.put(target, B);
        put(target, middle, between);
        second.put(target, middle + M);
        put(target, end, after);
    }
    out.truncate(start + end + A);
    true
}

/// Appends a text and the first `length` digits of a number with their delimiters
/// if the text is short and has no special byte; returns whether they were
/// appended.
#[inline(always)]
pub(crate) fn push_number<const B: usize, const M: usize, const A: usize>(
    (before, between, after): (&[u8; B], &[u8; M], &[u8; A]),
    key: &[u8],
    (digits, length): (&[u8; 8], usize),
    special: impl Fn(Bytes16) -> Bytes16,
    out: &mut Vec<u8>,
) -> bool {
    const {
        assert!(B + 2 * VECTOR_BYTES + M + 8 + A <= SHORT_BYTES);
    }
    let Some(short) = Short::read(key).filter(|key| !key.has(special)) else {
        return false;
    };
    let start = out.len();
    let middle = B + key.len();
    out.extend_from_slice(&[0; SHORT_BYTES]);
    if let Some(target) = out.last_chunk_mut::<SHORT_BYTES>() {
        put(target, 0, before);
        short.put(target, B);
        put(target, middle, between);
        put(target, middle + M, digits);
        put(target, middle + M + length, after);
    }
    out.truncate(start + middle + M + length + A);
    true
}

/// A text of at most 32 bytes.
struct Short {
    length: usize,
    /// The first 16 bytes; a shorter text is padded with zeros.
    first: [u8; VECTOR_BYTES],
    /// The last 16 bytes; zeros for a shorter text.
    last: [u8; VECTOR_BYTES],
}

impl Short {
    #[inline(always)]
    fn read(text: &[u8]) -> Option<Self> {
        let length = text.len();
        let (first, last) = match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) if length <= MAX_SHORT_BYTES => (*first, *last),
            (Some(_), _) => return None,
            _ => (padded(text), [0; VECTOR_BYTES]),
        };
        Some(Self {
            length,
            first,
            last,
        })
    }

    #[inline(always)]
    fn has(&self, special: impl Fn(Bytes16) -> Bytes16) -> bool {
        let first = special(Bytes16::new(self.first));
        if self.length < VECTOR_BYTES {
            // The padding does not count.
            return first.to_bitmask() & !(u32::MAX << self.length) != 0;
        }
        (first | special(Bytes16::new(self.last))).to_bitmask() != 0
    }

    #[inline(always)]
    fn put<const R: usize>(&self, target: &mut [u8; R], at: usize) {
        put(target, at, &self.first);
        if self.length > VECTOR_BYTES {
            put(target, at + self.length - VECTOR_BYTES, &self.last);
        }
    }
}

#[inline(never)]
fn push_long<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    special: impl Fn(Bytes16) -> Bytes16,
    out: &mut Vec<u8>,
) -> bool {
    let plain = is_plain(text, special);
    if plain {
        out.extend_from_slice(before);
        out.extend_from_slice(text);
        out.extend_from_slice(after);
    }
    plain
}

/// Whether a text has no special byte.
pub(crate) fn is_plain(text: &[u8], special: impl Fn(Bytes16) -> Bytes16) -> bool {
    let Some(last) = text.last_chunk::<VECTOR_BYTES>() else {
        let found = special(Bytes16::new(padded(text))).to_bitmask();
        return found & !(u32::MAX << text.len()) == 0;
    };
    let (pieces, _) = text.as_chunks::<VECTOR_BYTES>();
    let found = pieces.iter().fold(Bytes16::ZERO, |found, piece| {
        found | special(Bytes16::new(*piece))
    });
    // The last vector overlaps the one before.
    (found | special(Bytes16::new(*last))).to_bitmask() == 0
}

#[inline(always)]
fn put<const R: usize, const N: usize>(target: &mut [u8; R], at: usize, bytes: &[u8; N]) {
    if let Some(place) = target.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = *bytes;
    }
}

/// A text of fewer than 16 bytes, padded with zeros. The result for longer texts
/// is meaningless.
#[inline(always)]
fn padded(text: &[u8]) -> [u8; VECTOR_BYTES] {
    let length = text.len();
    // The two words overlap; the shifts bring equal bytes to the same position.
    let (low, high) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|word| u64::from_le_bytes(*word));
            let free = 15_usize.saturating_sub(length) & 7;
            (first, last >> (free * 8) >> 8)
        }
        _ => (padded_word(text), 0),
    };
    let both = u128::from(low) | u128::from(high) << 64;
    both.to_le_bytes()
}

/// A text of fewer than 8 bytes, padded with zeros.
#[inline(always)]
fn padded_word(text: &[u8]) -> u64 {
    let length = text.len();
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|word| u64::from(u32::from_le_bytes(*word)));
            first | last << ((length.wrapping_sub(4) & 3) * 8)
        }
        _ => {
            let byte = |at: usize| u64::from(text.get(at).copied().unwrap_or_default());
            byte(0) | byte(1) << 8 | byte(2) << 16
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares each function with a test of each byte.
    #[track_caller]
    fn check(text: &[u8], special: fn(Bytes16) -> Bytes16, is_special: fn(u8) -> bool) {
        let plain = !text.iter().copied().any(is_special);
        assert_eq!(is_plain(text, special), plain, "{}", text.escape_ascii());
        let mut out = b"there".to_vec();
        assert_eq!(push(b"<<", text, b">", special, &mut out), plain);
        let whole = [b"there<<", text, b">"].concat();
        let expected = if plain { &whole[..] } else { b"there" };
        assert_eq!(
            out.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );

        let mut out = b"there".to_vec();
        let short = plain && text.len() <= 32;
        let number = (b"12345678", 3);
        assert_eq!(
            push_number((b"<", b"=", b">"), text, number, special, &mut out),
            short
        );
        let whole = [b"there<", text, b"=123>"].concat();
        assert_eq!(out, if short { &whole[..] } else { b"there" });
        for other in [&b""[..], b"eight-by", b"of-seventeen-byte"] {
            for (key, value) in [(text, other), (other, text)] {
                let mut out = b"there".to_vec();
                let around = (b"<", b"==", b">>");
                assert_eq!(push_pair(around, (key, value), special, &mut out), short);
                let whole = [b"there<", key, b"==", value, b">>"].concat();
                let expected = if short { &whole[..] } else { b"there" };
                assert_eq!(out, expected, "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn each_byte_is_found_at_each_position() {
        let control = |byte: u8| byte <= b'\r';
        let json = |byte: u8| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
        let bare = |byte: u8| !matches!(byte, b'!'..=b'~') || matches!(byte, b'"' | b'=' | b'\\');
        let bare_key =
            |byte: u8| !matches!(byte, b'!'..=b'~') || matches!(byte, b'"' | b'=' | b'%');
        for length in (0..=18).chain([23, 24, 31, 32, 33, 40, 47, 48, 49, 65]) {
            for at in 0..length {
                for byte in [
                    0, 1, 9, 10, 13, 14, 31, 32, 33, 34, 37, 61, 92, 126, 127, 128, 255,
                ] {
                    let mut text: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
                    text[at] = byte;
                    check(&text, tabbed, control);
                    check(&text, super::json, json);
                    check(&text, super::bare, bare);
                    check(&text, super::bare_key, bare_key);
                }
            }
        }
        check(b"", super::json, json);
        for byte in 0..=u8::MAX {
            check(&[byte], tabbed, control);
            check(&[byte], super::json, json);
            check(&[byte], super::bare, bare);
            check(&[byte], super::bare_key, bare_key);
        }
    }
}
