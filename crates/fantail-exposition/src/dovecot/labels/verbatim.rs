//! Values that Dovecot shows unchanged, as it does nearly all.
//!
//! The caller checks the length of a label.

use fantail_metrics::internal::SeriesRun;

/// Returns whether all bytes are printable ASCII. It reads eight bytes at a
/// time, because a dump calls it for each series.
#[inline]
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Sets the highest bit of each other byte: from 0x80, 0x7f, below 0x20.
    // Without a byte from 0x80, nothing carries over to the next byte.
    let odd = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        (eight | eight.wrapping_add(ONES) | !eight.wrapping_add(ONES * 0x60)) & HIGH
    };
    let (words, rest) = bytes.as_chunks::<8>();
    match bytes.last_chunk() {
        // The last bytes overlap with the words.
        Some(last) => words.iter().fold(odd(last), |any, word| any | odd(word)) == 0,
        None => rest.iter().all(|byte| (b' '..=b'~').contains(byte)),
    }
}

/// Returns whether all bytes are printable ASCII without blanks. The compiler
/// vectorises it, which is faster for long texts.
#[inline]
pub(super) fn is_graphic(bytes: &[u8]) -> bool {
    let above = |byte: &u8| byte.wrapping_sub(b'!');
    bytes.iter().map(above).fold(0, u8::max) <= b'~' - b'!'
}

/// Returns the labels of a run that contain blanks, or characters outside
/// ASCII.
#[inline(never)]
pub(super) fn with_blanks<'a>(run: &SeriesRun<'a>, changed: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let texts = run.texts();
    let begins = |at: usize| texts.get(at).is_none_or(|byte| byte & 0xC0 != 0x80);
    // No character extends from one label to the next.
    if !is_text(texts) || !run.ranges().all(|range| begins(range.start)) {
        return None;
    }
    let shown = |byte: &u8| if *byte == b' ' { b'_' } else { *byte };
    changed.clear();
    changed.extend(texts.iter().map(shown));
    Some(changed)
}

/// Returns whether a value is text that Dovecot does not change.
pub(super) fn is_text(value: &[u8]) -> bool {
    str::from_utf8(value).is_ok() && !value.iter().any(u8::is_ascii_control)
}
