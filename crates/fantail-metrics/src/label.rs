//! Labels: the keys of series, and their text.
//!
//! The key of a series of a discrete `group_by` is its value after the modifiers: the
//! bytes of a string, an integer as Dovecot prints it, an IP address in its usual form.
//! Values of different types with the same text share a series; Dovecot has two.
//!
//! A key of more than 256 bytes is stored as its first 256 bytes, a 128-bit hash of
//! all bytes, and the rest of its first 256 characters, of at most 1,007 bytes, which
//! Dovecot 2.4 shows in a dump. So long values stay distinct in bounded memory.
//!
//! [`Label::text`] is a unique text in UTF-8. Dovecot cuts labels, so that different
//! values may have the same text; fantail-exposition writes both forms.

use std::{borrow::Cow, io::Write as _, ops::RangeInclusive};

use fantail_event::ValueRef;

use crate::settings::{GroupBy, Modifier};

/// The maximum length of a stored value in bytes; a hash distinguishes longer ones.
pub const MAX_VALUE_BYTES: usize = 256;
pub(crate) const HASH_BYTES: usize = 16;
/// The maximum number of characters of a value that Dovecot 2.4 shows. Bytes that are
/// not UTF-8 do not count.
const MAX_SHOWN_CHARACTERS: usize = 256;
/// The maximum number of bytes of a longer value that are stored for dumps. 64 keys
/// have less than 64 KiB, so that a segment of series stores their ends in 16 bits.
/// Dovecot shows more of values with more than 251 characters of four bytes each, or
/// with bytes that are not UTF-8.
const MAX_SHOWN_BYTES: usize = 1_023 - HASH_BYTES;
/// The lengths of keys of values with more than [`MAX_VALUE_BYTES`].
pub(crate) const LONG_KEY_BYTES: RangeInclusive<usize> =
    MAX_VALUE_BYTES + HASH_BYTES..=MAX_SHOWN_BYTES + HASH_BYTES;
/// Replaces bytes that are not text.
pub const REPLACEMENT: char = '\u{FFFD}';
/// Marks the end of a cut label.
pub const ELLIPSIS: char = '…';

/// The label of the series for values above a [limit](crate::Limits).
pub const OTHER: &[u8] = b"other";

/// Appends the key of a value's series; returns `false` if values of this type
/// have no series.
pub(crate) fn write_key(value: ValueRef<'_>, modifiers: &[Modifier], out: &mut Vec<u8>) -> bool {
    // Writing to a vector cannot fail.
    let _ = match value {
        ValueRef::Str(text) => {
            write_text_key(text, modifiers, out);
            Ok(())
        }
        // Dovecot prints −5 as 18446744073709551611.
        ValueRef::Int(number) => write!(out, "{}", number.cast_unsigned()),
        ValueRef::Unsigned(number) => write!(out, "{number}"),
        ValueRef::Float(number) => write!(out, "{number:?}"),
        ValueRef::Bool(truth) => write!(out, "{}", if truth { "yes" } else { "no" }),
        ValueRef::Ip(ip) => {
            ip.write_into(out);
            Ok(())
        }
        ValueRef::Time(_) | ValueRef::List(_) => return false,
    };
    true
}

/// Appends the key of a string's, or a list element's, series.
pub fn write_text_key(text: &[u8], modifiers: &[Modifier], out: &mut Vec<u8>) {
    let start = out.len();
    let value = modified(text, modifiers);
    if let Some(kept) = value.get(..MAX_VALUE_BYTES)
        && value.len() > MAX_VALUE_BYTES
    {
        out.extend_from_slice(kept);
        out.extend_from_slice(&hash(&value).to_be_bytes());
        let shown = &value[..shown_bytes(&value)];
        out.extend_from_slice(shown.get(MAX_VALUE_BYTES..).unwrap_or_default());
        debug_assert!(LONG_KEY_BYTES.contains(&(out.len() - start)));
    } else {
        out.extend_from_slice(&value);
    }
}

/// Returns the length of the beginning of a value that Dovecot 2.4 may show.
fn shown_bytes(value: &[u8]) -> usize {
    let bounded = value.get(..MAX_SHOWN_BYTES).unwrap_or(value);
    let (mut length, mut characters) = (0, 0);
    for chunk in bounded.utf8_chunks() {
        let mut valid = chunk.valid().char_indices();
        if let Some((at, last)) = valid.nth(MAX_SHOWN_CHARACTERS - 1 - characters) {
            return length + at + last.len_utf8();
        }
        characters += chunk.valid().chars().count();
        length += chunk.valid().len() + chunk.invalid().len();
    }
    length
}

/// Returns the beginning of a value of more than [`MAX_VALUE_BYTES`] by its key, and
/// whether that is the whole value; `None` for shorter values.
pub fn long_value(key: &[u8]) -> Option<(Vec<u8>, bool)> {
    let (start, rest) = key.split_at_checked(MAX_VALUE_BYTES)?;
    let (digest, rest) = rest.split_at_checked(HASH_BYTES)?;
    let value = [start, rest].concat();
    let is_whole = hash(&value).to_be_bytes() == digest;
    Some((value, is_whole))
}

/// Returns the key that [`write_text_key`] would append, if it is a part of the
/// text.
#[inline]
pub(crate) fn text_key<'a>(text: &'a [u8], modifiers: &[Modifier]) -> Option<&'a [u8]> {
    let key = match modifiers {
        [] => text,
        modifiers => match modified(text, modifiers) {
            Cow::Borrowed(key) => key,
            Cow::Owned(_) => return None,
        },
    };
    (key.len() <= MAX_VALUE_BYTES).then_some(key)
}

fn modified<'a>(text: &'a [u8], modifiers: &[Modifier]) -> Cow<'a, [u8]> {
    let modify = |value, modifier: &Modifier| modify(value, *modifier);
    modifiers.iter().fold(Cow::Borrowed(text), modify)
}

fn modify(value: Cow<'_, [u8]>, modifier: Modifier) -> Cow<'_, [u8]> {
    let at = value.iter().position(|&byte| byte == b'@');
    match (modifier, value) {
        (Modifier::Domain, value) => {
            let start = at.map_or(value.len(), |at| at + 1);
            slice(value, start..)
        }
        (Modifier::Username, value) => {
            let end = at.unwrap_or(value.len());
            slice(value, ..end)
        }
        (Modifier::Lower, value) if !value.iter().any(u8::is_ascii_uppercase) => value,
        (Modifier::Upper, value) if !value.iter().any(u8::is_ascii_lowercase) => value,
        (Modifier::Lower, value) => Cow::Owned(value.to_ascii_lowercase()),
        (Modifier::Upper, value) => Cow::Owned(value.to_ascii_uppercase()),
    }
}

fn slice<R>(value: Cow<'_, [u8]>, range: R) -> Cow<'_, [u8]>
where
    R: std::slice::SliceIndex<[u8], Output = [u8]> + Clone,
{
    match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(range).unwrap_or_default()),
        Cow::Owned(value) => Cow::Owned(value.get(range).unwrap_or_default().to_vec()),
    }
}

/// Returns the FNV-1a hash of 128 bits. It is the same on every machine, so
/// that shards agree on the key of a series. It does not resist attacks: two
/// values constructed to collide share a series.
pub fn hash(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b)
        })
}

/// The label that distinguishes a series from its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label<'a> {
    /// The key of a discrete `group_by`: the value up to 256 bytes; or its
    /// first 256 bytes, 16 bytes of a hash, and the rest that Dovecot 2.4 shows.
    Value(&'a [u8]),
    /// The bucket of a quantized `group_by`, from 0.
    Bucket(u32),
    /// Integers of a quantized `group_by` above a limit.
    Other,
    /// Events without a sub-metric at this level: without the field (2.3), or
    /// with a value of a type that has no sub-metrics. Dovecot counts them in
    /// the parent series only, and dumps omit this label.
    Missing,
}

impl Label<'_> {
    /// Returns the value if [`text`](Self::text) returns it unchanged: it is
    /// not cut, is UTF-8, and has no U+FFFD. Otherwise returns `None`.
    #[must_use]
    pub fn plain_text(&self) -> Option<&str> {
        let Self::Value(value) = self else {
            return None;
        };
        let text = str::from_utf8(value).ok();
        let text = text.filter(|text| text.len() <= MAX_VALUE_BYTES);
        text.filter(|text| text.is_ascii() || !text.contains(REPLACEMENT))
    }

    /// Returns the label as text. No other label of the same level has this
    /// text, except that [`Missing`](Self::Missing) and the empty value are
    /// both empty.
    ///
    /// A UTF-8 value is returned unchanged. In other values, and for U+FFFD
    /// itself, each byte is U+FFFD and two hexadecimal digits. A value of more
    /// than 256 bytes is its beginning, `…` and 32 digits of a hash. A bucket
    /// has the form `field_11_100`.
    #[must_use]
    pub fn text(&self, level: &GroupBy) -> String {
        match *self {
            Self::Value(value) if value.len() > MAX_VALUE_BYTES => {
                let (kept, rest) = value.split_at(MAX_VALUE_BYTES);
                let mut text = injective(whole_characters(kept));
                text.push(ELLIPSIS);
                let hash = rest.iter().take(HASH_BYTES);
                hash.for_each(|byte| push_hex(*byte, &mut text));
                text
            }
            Self::Value(value) => injective(value),
            Self::Bucket(bucket) => {
                let mut label = Vec::new();
                if let Some(buckets) = level.method.buckets() {
                    buckets.write_label(&level.field, bucket, &mut label);
                }
                injective(&label)
            }
            Self::Other => String::from_utf8_lossy(OTHER).into_owned(),
            Self::Missing => String::new(),
        }
    }
}

/// Returns the bytes without an incomplete character at the end.
pub fn whole_characters(bytes: &[u8]) -> &[u8] {
    let rest = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    let incomplete = str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
    let missing = if incomplete { rest.len() } else { 0 };
    bytes.get(..bytes.len() - missing).unwrap_or(bytes)
}

fn injective(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut parts = chunk.valid().split(REPLACEMENT);
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let mut utf8 = [0; 4];
            let bytes = REPLACEMENT.encode_utf8(&mut utf8).as_bytes();
            bytes.iter().for_each(|byte| push_escaped(*byte, &mut text));
            text.push_str(part);
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push_escaped(*byte, &mut text));
    }
    text
}

fn push_escaped(byte: u8, text: &mut String) {
    text.push(REPLACEMENT);
    push_hex(byte, text);
}

fn push_hex(byte: u8, text: &mut String) {
    for digit in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(u32::from(digit), 16));
    }
}

#[cfg(test)]
mod tests {
    use fantail_event::{Elements, Ip, Timestamp, ValueRef};

    use super::{Label, write_key};
    use crate::settings::{GroupBy, Method, Modifier};

    fn key(value: ValueRef<'_>, modifiers: &[Modifier]) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        write_key(value, modifiers, &mut key).then_some(key)
    }

    fn text(value: &[u8]) -> String {
        let level = GroupBy {
            field: b"x".to_vec(),
            method: Method::Discrete(Vec::new()),
        };
        let label = Label::Value(value);
        let text = label.text(&level);
        assert!(label.plain_text().is_none_or(|plain| plain == text));
        text
    }

    fn check_modified(modifiers: &[Modifier], expected: [&str; 5]) {
        let values = ["U@D@e", "nodom", "e@E", "", "@x"];
        for (value, expected) in values.into_iter().zip(expected) {
            let got = key(ValueRef::Str(value.as_bytes()), modifiers);
            assert_eq!(got.as_deref(), Some(expected.as_bytes()), "{value}");
        }
    }

    /// Measured on Dovecot 2.4.1.
    #[test]
    fn modifiers() {
        use Modifier::{Domain, Lower, Upper, Username};
        check_modified(&[], ["U@D@e", "nodom", "e@E", "", "@x"]);
        check_modified(&[Username], ["U", "nodom", "e", "", ""]);
        check_modified(&[Lower], ["u@d@e", "nodom", "e@e", "", "@x"]);
        check_modified(&[Domain, Upper], ["D@E", "", "E", "", "X"]);
        check_modified(&[Upper, Username], ["U", "NODOM", "E", "", ""]);
    }

    #[test]
    fn other_types() {
        let ip = Ip::parse(b"2001:DB8::").unwrap();
        let list = vec!["a"];
        let cases: [(ValueRef<'_>, Option<&str>); 9] = [
            (ValueRef::Int(5), Some("5")),
            (ValueRef::from(u64::MAX), Some("18446744073709551615")),
            (ValueRef::Float(1.5), Some("1.5")),
            (ValueRef::Bool(true), Some("yes")),
            (ValueRef::Int(-5), Some("18446744073709551611")),
            (ValueRef::Int(i64::MIN), Some("9223372036854775808")),
            (ValueRef::from(ip), Some("2001:db8::")),
            (ValueRef::Time(Timestamp::default()), None),
            (ValueRef::List(Elements::of(&list, 0)), None),
        ];
        for (value, expected) in cases {
            // Modifiers change strings only.
            for modifiers in [&[][..], &[Modifier::Upper]] {
                let got = key(value, modifiers);
                assert_eq!(got.as_deref(), expected.map(str::as_bytes), "{value:?}");
            }
        }
    }

    #[test]
    fn long_values_stay_apart() {
        let long = |last: &str| format!("{}{last}", "ä".repeat(200));
        let (a, b) = (long("a"), long("b"));
        let keys = [&a, &b].map(|value| key(ValueRef::Str(value.as_bytes()), &[]).unwrap());
        assert_ne!(keys[0], keys[1]);
        // 256 of the characters would have 512 bytes, and all 200 have 400.
        assert_eq!(keys[0].len(), 401 + 16);
        let texts = keys.map(|key| text(&key));
        assert_ne!(texts[0], texts[1]);
        assert!(texts[0].starts_with(&format!("{}…", "ä".repeat(128))));
        // A value at the limit is not cut.
        let whole = "x".repeat(256);
        assert_eq!(
            key(ValueRef::Str(whole.as_bytes()), &[]),
            Some(whole.clone().into())
        );
        assert_eq!(text(whole.as_bytes()), whole);
        assert_eq!(Label::Value(whole.as_bytes()).plain_text(), Some(&*whole));
    }

    #[test]
    fn long_values_are_kept_for_256_characters() {
        let check = |value: &[u8], shown: usize| {
            let key = key(ValueRef::Str(value), &[]).unwrap();
            let is_whole = shown == value.len();
            let expected = Some((value[..shown].to_vec(), is_whole));
            assert_eq!(super::long_value(&key), expected, "{value:?}");
        };
        check(&[b'a'; 257], 256);
        check("ä".repeat(129).as_bytes(), 258);
        check("ä".repeat(256).as_bytes(), 512);
        check("ä".repeat(257).as_bytes(), 512);
        check("😀".repeat(300).as_bytes(), 1_007);
        // Bytes that are not UTF-8 do not count, but are bounded.
        check(&[0xff; 600], 600);
        check(&[0xff; 1_100], 1_007);
        check(&[&[0xff; 300][..], &[b'a'; 300]].concat(), 556);
        assert_eq!(super::long_value(&[b'a'; 256]), None);
    }

    #[test]
    fn no_two_values_have_the_same_text() {
        let values: [&[u8]; 12] = [
            b"caf\xe9",
            "caf\u{fffd}".as_bytes(),
            "caf\u{fffd}e9".as_bytes(),
            b"caf\xef\xbf",
            b"caf\xef\xbf\xbd\xef",
            "café".as_bytes(),
            b"caf",
            b"",
            b"\xe2\x80",
            b"a b",
            b"a_b",
            b"\x00\n\"",
        ];
        let texts: std::collections::BTreeSet<_> = values.iter().map(|value| text(value)).collect();
        assert_eq!(texts.len(), values.len());
        assert_eq!(text(b"caf\xe9"), "caf\u{fffd}e9");
        assert_eq!(
            text("\u{fffd}".as_bytes()),
            "\u{fffd}ef\u{fffd}bf\u{fffd}bd"
        );
        assert_eq!(text("café\u{2028} \"\n".as_bytes()), "café\u{2028} \"\n");
    }
}
