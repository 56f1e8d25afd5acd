//! Which values Dovecot shows as they are: nearly all.
//!
//! How long a label may be is not known here.

use fantail_metrics::internal::SeriesRun;

/// Whether all bytes are those of printable ASCII: eight at a time, as this is
/// asked for each series of a dump.
#[inline]
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The highest bit of each byte that is not: from 0x80, 0x7f, below 0x20.
    // Where none is from 0x80, nothing carries over to the next byte.
    let odd = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        (eight | eight.wrapping_add(ONES) | !eight.wrapping_add(ONES * 0x60)) & HIGH
    };
    let (words, rest) = bytes.as_chunks::<8>();
    match bytes.last_chunk() {
        // Some bytes are looked at twice.
        Some(last) => words.iter().fold(odd(last), |any, word| any | odd(word)) == 0,
        None => rest.iter().all(|byte| (b' '..=b'~').contains(byte)),
    }
}

/// Whether all bytes are printable ASCII, and none is a blank: as many at a
/// time as the processor can, which pays for long texts.
#[inline]
pub(super) fn is_graphic(bytes: &[u8]) -> bool {
    let above = |byte: &u8| byte.wrapping_sub(b'!');
    bytes.iter().map(above).fold(0, u8::max) <= b'~' - b'!'
}

/// Labels that have blanks, or more than ASCII.
#[inline(never)]
pub(super) fn with_blanks<'a>(run: &SeriesRun<'a>, changed: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let texts = run.texts();
    let begins = |at: usize| texts.get(at).is_none_or(|byte| byte & 0xC0 != 0x80);
    // No character goes on from one to the next.
    if !is_text(texts) || !run.ranges().all(|range| begins(range.start)) {
        return None;
    }
    let shown = |byte: &u8| if *byte == b' ' { b'_' } else { *byte };
    changed.clear();
    changed.extend(texts.iter().map(shown));
    Some(changed)
}

/// Whether a value is a text in which nothing is replaced.
pub(super) fn is_text(value: &[u8]) -> bool {
    str::from_utf8(value).is_ok() && !value.iter().any(u8::is_ascii_control)
}
