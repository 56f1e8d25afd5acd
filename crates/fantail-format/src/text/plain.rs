//! Strings that stand for themselves: checked and copied in one step.
//!
//! Nearly all keys and values are short, and nothing in them needs an escape.
//! Such a one is read into 16 or 32 bytes, looked at all at once, and stored
//! as 16 or 32 bytes together with what stands before and behind it; what was
//! too much is cut off again. So there is no loop, no call of a copying
//! function whose length is not known, and one look for room.
//!
//! Not here: what is to be done with a string that has something special.

use wide::u8x16;

/// Bytes that are looked at together.
const PIECE: usize = 16;

/// Room for a string of 32 bytes at most and what stands around it.
const ROOM: usize = 64;

/// Room for two of them.
const PAIR_ROOM: usize = 80;

/// What has to be escaped in JSON, or is not ASCII, or DEL.
#[inline]
pub(crate) fn json(bytes: u8x16) -> u8x16 {
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    outside(bytes, b' ', b'~') | is(b'"') | is(b'\\')
}

/// What has to be escaped between TABs, and a few control characters.
#[inline]
pub(crate) fn tabbed(bytes: u8x16) -> u8x16 {
    bytes.min(u8x16::splat(b'\r')).simd_eq(bytes)
}

/// What needs quotes in logfmt.
#[inline]
pub(crate) fn bare(bytes: u8x16) -> u8x16 {
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    outside(bytes, b'!', b'~') | is(b'"') | is(b'=') | is(b'\\')
}

/// What is encoded in a key of logfmt.
#[inline]
pub(crate) fn bare_key(bytes: u8x16) -> u8x16 {
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    outside(bytes, b'!', b'~') | is(b'"') | is(b'=') | is(b'%')
}

#[inline]
fn outside(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    let moved = bytes - u8x16::splat(first);
    moved.max(u8x16::splat(last - first + 1)).simd_eq(moved)
}

/// Appends a text with something before and behind it, if nothing in it is
/// special; whether it has.
#[inline(always)]
pub(crate) fn push<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    special: impl Fn(u8x16) -> u8x16,
    out: &mut Vec<u8>,
) -> bool {
    const {
        assert!(B + 2 * PIECE + A <= ROOM);
    }
    let Some(short) = Short::read(text) else {
        return push_long(before, text, after, special, out);
    };
    if short.has(special) {
        return false;
    }
    let start = out.len();
    out.extend_from_slice(&[0; ROOM]);
    if let Some(room) = out.last_chunk_mut::<ROOM>() {
        put(room, 0, before);
        short.put(room, B);
        put(room, B + text.len(), after);
    }
    out.truncate(start + B + text.len() + A);
    true
}

/// Appends two texts with something before, between and behind them, if both
/// are short and nothing in them is special; whether it has.
#[inline(always)]
pub(crate) fn push_pair<const B: usize, const M: usize, const A: usize>(
    (before, between, after): (&[u8; B], &[u8; M], &[u8; A]),
    (key, value): (&[u8], &[u8]),
    special: impl Fn(u8x16) -> u8x16,
    out: &mut Vec<u8>,
) -> bool {
    const {
        assert!(B + M + 4 * PIECE + A <= PAIR_ROOM);
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
    out.extend_from_slice(&[0; PAIR_ROOM]);
    if let Some(room) = out.last_chunk_mut::<PAIR_ROOM>() {
        put(room, 0, before);
        first.put(room, B);
        put(room, middle, between);
        second.put(room, middle + M);
        put(room, end, after);
    }
    out.truncate(start + end + A);
    true
}

/// Appends a text and a number, of which only so many bytes count, with
/// something before, between and behind them, if the text is short and nothing
/// in it is special; whether it has.
#[inline(always)]
pub(crate) fn push_number<const B: usize, const M: usize, const A: usize>(
    (before, between, after): (&[u8; B], &[u8; M], &[u8; A]),
    key: &[u8],
    (digits, length): (&[u8; 8], usize),
    special: impl Fn(u8x16) -> u8x16,
    out: &mut Vec<u8>,
) -> bool {
    const {
        assert!(B + 2 * PIECE + M + 8 + A <= ROOM);
    }
    let Some(short) = Short::read(key).filter(|key| !key.has(special)) else {
        return false;
    };
    let start = out.len();
    let middle = B + key.len();
    out.extend_from_slice(&[0; ROOM]);
    if let Some(room) = out.last_chunk_mut::<ROOM>() {
        put(room, 0, before);
        short.put(room, B);
        put(room, middle, between);
        put(room, middle + M, digits);
        put(room, middle + M + length, after);
    }
    out.truncate(start + middle + M + length + A);
    true
}

/// A text of at most 32 bytes.
struct Short {
    length: usize,
    /// The first 16 bytes, or all and zeros.
    first: [u8; PIECE],
    /// The last 16, if there are so many.
    last: [u8; PIECE],
}

impl Short {
    #[inline(always)]
    fn read(text: &[u8]) -> Option<Self> {
        let length = text.len();
        let (first, last) = match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) if length <= 2 * PIECE => (*first, *last),
            (Some(_), _) => return None,
            _ => (padded(text), [0; PIECE]),
        };
        Some(Self {
            length,
            first,
            last,
        })
    }

    #[inline(always)]
    fn has(&self, special: impl Fn(u8x16) -> u8x16) -> bool {
        let first = special(u8x16::new(self.first));
        if self.length < PIECE {
            // Behind the text are zeros.
            return first.to_bitmask() & !(u32::MAX << self.length) != 0;
        }
        (first | special(u8x16::new(self.last))).to_bitmask() != 0
    }

    #[inline(always)]
    fn put<const R: usize>(&self, room: &mut [u8; R], at: usize) {
        put(room, at, &self.first);
        if self.length > PIECE {
            put(room, at + self.length - PIECE, &self.last);
        }
    }
}

#[inline(never)]
fn push_long<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    special: impl Fn(u8x16) -> u8x16,
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

/// Whether nothing in a text is special.
pub(crate) fn is_plain(text: &[u8], special: impl Fn(u8x16) -> u8x16) -> bool {
    let Some(last) = text.last_chunk::<PIECE>() else {
        let found = special(u8x16::new(padded(text))).to_bitmask();
        return found & !(u32::MAX << text.len()) == 0;
    };
    let (pieces, _) = text.as_chunks::<PIECE>();
    let found = pieces.iter().fold(u8x16::ZERO, |found, piece| {
        found | special(u8x16::new(*piece))
    });
    // Some of the last for the second time.
    (found | special(u8x16::new(*last))).to_bitmask() == 0
}

#[inline(always)]
fn put<const R: usize, const N: usize>(room: &mut [u8; R], at: usize, bytes: &[u8; N]) {
    if let Some(place) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = *bytes;
    }
}

/// A text of fewer than 16 bytes, and zeros; of a longer one, anything.
#[inline(always)]
fn padded(text: &[u8]) -> [u8; PIECE] {
    let length = text.len();
    // What is read twice comes to the same place.
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

/// A text of fewer than 8 bytes, and zeros.
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

    /// A text between others, if nothing in it is special.
    #[track_caller]
    fn check(text: &[u8], special: fn(u8x16) -> u8x16, is_special: fn(u8) -> bool) {
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
    fn all_bytes_in_all_places() {
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
