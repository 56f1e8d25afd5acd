//! Dovecot's labels.

mod verbatim;

use std::borrow::Cow;

use fantail_event::Dialect;
use fantail_metrics::{
    GroupBy, Label,
    internal::{
        ELLIPSIS, MAX_VALUE_BYTES, OTHER, REPLACEMENT, SeriesRun, long_value, whole_characters,
    },
};

use self::verbatim::{is_graphic, is_printable, is_text, with_blanks};

/// Dovecot's labels along a path of sub-metrics.
///
/// Measured on 2.3.19, 2.4.1 and 2.4.5: control characters, and each byte that is not
/// UTF-8, become U+FFFD. 2.3 cuts a label at 32 characters. 2.4 cuts it at 256
/// characters less the bytes of its ancestors' labels, and omits the sub-metric
/// if nothing remains. A cut label ends in `…`, which counts as a character;
/// bytes that are not UTF-8 do not count. A value that ends within a character
/// loses the previous character, and ends in `…`.
///
/// Different values may have the same label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DovecotLabels {
    dialect: Dialect,
    /// The remaining part of the 256 bytes (2.4).
    left: usize,
}

impl DovecotLabels {
    /// Returns the labels of a metric's children.
    pub(crate) const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            left: MAX_VALUE_BYTES,
        }
    }

    /// Returns the same as [`label`](Self::label) if Dovecot shows the value
    /// unchanged, as it does most values. `None` does not mean that it changes
    /// it.
    #[inline]
    pub(crate) fn verbatim<'a>(self, label: Label<'a>) -> Option<(&'a [u8], Self)> {
        let Label::Value(value) = label else {
            return None;
        };
        let limit = self.limit()?;
        if value.len() > limit || !(is_printable(value) || is_text(value)) {
            return None;
        }
        let left = self.left.saturating_sub(value.len());
        Some((value, Self { left, ..self }))
    }

    /// Returns the labels of a run as a dump shows them, concatenated like its
    /// [texts](SeriesRun::texts) and with the same lengths; blanks become `_`.
    /// Returns `None` unless all of them are [plain](Self::verbatim).
    #[inline]
    pub(crate) fn shown<'a>(
        self,
        run: &SeriesRun<'a>,
        changed: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let (texts, (_, longest)) = (run.texts(), run.lengths());
        if longest > self.limit()? {
            return None;
        }
        if is_graphic(texts) {
            return Some(texts);
        }
        with_blanks(run, changed)
    }

    /// Returns the maximum length of a label in bytes; `None` if Dovecot has no
    /// such sub-metric.
    #[inline]
    fn limit(self) -> Option<usize> {
        match self.dialect {
            Dialect::V2_3 => Some(32),
            Dialect::V2_4 => Some(self.left).filter(|left| *left > 0),
        }
    }

    /// Returns the label of a sub-metric, and the labels of its children;
    /// `None` if Dovecot has no such sub-metric.
    ///
    /// Only 1,007 bytes of a value are known, so a label may end where Dovecot
    /// shows more.
    pub(crate) fn label(self, label: Label<'_>, level: &GroupBy) -> Option<(String, Self)> {
        if label == Label::Missing {
            return None;
        }
        let limit = self.limit()?;
        let (source, more) = source(label, level);
        let text = sanitize(&source, more, limit, self.dialect);
        let left = self.left.saturating_sub(text.len());
        Some((text, Self { left, ..self }))
    }
}

/// Returns the bytes of a label, and whether more of them are missing.
fn source<'a>(label: Label<'a>, level: &GroupBy) -> (Cow<'a, [u8]>, bool) {
    match label {
        Label::Value(value) => match long_value(value) {
            Some((value, true)) => (Cow::Owned(value), false),
            Some((kept, false)) => (Cow::Owned(whole_characters(&kept).to_vec()), true),
            None => (Cow::Borrowed(value), false),
        },
        Label::Bucket(bucket) => {
            let mut text = Vec::new();
            if let Some(buckets) = level.method.buckets() {
                buckets.write_label(&level.field, bucket, &mut text);
            }
            (Cow::Owned(text), false)
        }
        Label::Other => (Cow::Borrowed(OTHER), false),
        Label::Missing => (Cow::Borrowed(&[]), false),
    }
}

fn sanitize(bytes: &[u8], more: bool, limit: usize, dialect: Dialect) -> String {
    let mut text = String::new();
    let mut characters = 0;
    let mut rest = bytes;
    loop {
        if characters == limit && (more || !rest.is_empty()) {
            text.pop();
            text.push(ELLIPSIS);
            return text;
        }
        match next(rest) {
            Next::End if more => {
                text.push(ELLIPSIS);
                return text;
            }
            Next::End => return text,
            Next::Incomplete => {
                text.pop();
                text.push(ELLIPSIS);
                return text;
            }
            Next::Invalid(after) => {
                text.push(REPLACEMENT);
                rest = after;
            }
            Next::Character(character, after) => {
                let control = character < ' ' || (character == '\x7f' && dialect == Dialect::V2_4);
                text.push(if control { REPLACEMENT } else { character });
                characters += 1;
                rest = after;
            }
        }
    }
}

/// The next character, and the rest.
enum Next<'a> {
    End,
    Character(char, &'a [u8]),
    /// A byte that cannot be part of a character here.
    Invalid(&'a [u8]),
    /// The beginning of a character, judged by its first byte.
    Incomplete,
}

fn next(bytes: &[u8]) -> Next<'_> {
    let Some((&first, after)) = bytes.split_first() else {
        return Next::End;
    };
    // Forms of five and six bytes, from an early version of UTF-8, can be
    // incomplete, but never valid.
    let length = match first {
        0..0x80 => 1,
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF8 => 4,
        0xF8..0xFC => 5,
        0xFC..0xFE => 6,
        _ => return Next::Invalid(after),
    };
    let continued = after.iter().take(length - 1);
    if continued.clone().any(|byte| byte & 0xC0 != 0x80) {
        return Next::Invalid(after);
    }
    if continued.len() < length - 1 {
        return Next::Incomplete;
    }
    let (sequence, rest) = bytes.split_at(length);
    match str::from_utf8(sequence)
        .ok()
        .and_then(|text| text.chars().next())
    {
        Some(character) => Next::Character(character, rest),
        None => Next::Invalid(after),
    }
}

#[cfg(test)]
mod tests {
    use fantail_event::Dialect;
    use fantail_metrics::{GroupBy, Label, Method, internal::write_text_key};

    use super::DovecotLabels;

    fn labels(dialect: Dialect, path: &[&[u8]]) -> Vec<String> {
        let level = GroupBy {
            field: b"x".to_vec(),
            method: Method::Discrete(Vec::new()),
        };
        let mut labels = Vec::new();
        let mut path_labels = DovecotLabels::new(dialect);
        for value in path {
            let mut key = Vec::new();
            write_text_key(value, &[], &mut key);
            let Some((label, below)) = path_labels.label(Label::Value(&key), &level) else {
                assert!(path_labels.verbatim(Label::Value(&key)).is_none());
                break;
            };
            if let Some((plain, verbatim_below)) = path_labels.verbatim(Label::Value(&key)) {
                assert_eq!((plain, verbatim_below.left), (label.as_bytes(), below.left));
            }
            labels.push(label);
            path_labels = below;
        }
        labels
    }

    fn check(value: &[u8], v2_3: &str, v2_4: &str) {
        assert_eq!(labels(Dialect::V2_3, &[value]), [v2_3], "2.3: {value:?}");
        assert_eq!(labels(Dialect::V2_4, &[value]), [v2_4], "2.4: {value:?}");
    }

    /// Checks a path of labels, each a character and its number of repetitions.
    fn check_path(path: &[(char, usize)], v2_4: &[&str]) {
        let path: Vec<String> = path
            .iter()
            .map(|(character, times)| character.to_string().repeat(*times))
            .collect();
        let path: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
        assert_eq!(labels(Dialect::V2_4, &path), v2_4);
        assert_eq!(labels(Dialect::V2_3, &path).len(), path.len());
    }

    /// Both versions show these values so in their dumps.
    #[test]
    fn bytes_that_are_not_text() {
        check(
            b"caf\xe9\xff\x02",
            "caf\u{fffd}\u{fffd}\u{fffd}",
            "caf\u{fffd}\u{fffd}\u{fffd}",
        );
        check(
            "é\u{2028}\u{85}".as_bytes(),
            "é\u{2028}\u{85}",
            "é\u{2028}\u{85}",
        );
        check(
            b"x\ty\nz\x7f",
            "x\u{fffd}y\u{fffd}z\x7f",
            "x\u{fffd}y\u{fffd}z\u{fffd}",
        );
        for (value, expected) in [
            (&b"abc\xe2\x80"[..], "ab…"),
            (b"\xe2\x80", "…"),
            (b"\xff\xe2", "…"),
            (b"ab\xff\xe2\x80", "ab…"),
            (b"abc\xf0\x9f", "ab…"),
            (b"abc\xc3", "ab…"),
            (b"\xed\xa0", "…"),
            (b"\xf5\x80", "…"),
            (b"\xe0\x80", "…"),
            (b"\xfc\x80", "…"),
            (b"\xf8\x88", "…"),
            (b"\xc0", "\u{fffd}"),
            (b"\xfe", "\u{fffd}"),
            (b"\xe0\x80\x80x", "\u{fffd}\u{fffd}\u{fffd}x"),
            (b"\xf4\x90\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"a\xc3(", "a\u{fffd}("),
            (b"\xe2(", "\u{fffd}("),
            (b"\xef\xbf\xbe", "\u{fffe}"),
        ] {
            check(value, expected, expected);
        }
    }

    #[test]
    fn printable_bytes() {
        let mut text = b"0123456789abcdefghi ~".to_vec();
        for at in 0..text.len() {
            let usual = text[at];
            for byte in 0..=u8::MAX {
                text[at] = byte;
                let expected = byte.is_ascii_graphic() || byte == b' ';
                assert_eq!(super::is_printable(&text), expected, "{byte} at {at}");
                assert_eq!(super::is_printable(&text[at..=at]), expected, "{byte}");
            }
            text[at] = usual;
        }
        assert!(super::is_printable(&[]));
        let plain = |value, dialect| {
            let plain = DovecotLabels::new(dialect).verbatim(Label::Value(value));
            plain.map(|(label, _)| label.to_vec())
        };
        let long = [b'a'; 33];
        assert_eq!(plain(b"a b", Dialect::V2_3).as_deref(), Some(&b"a b"[..]));
        assert_eq!(plain(&long, Dialect::V2_3), None);
        assert_eq!(plain(&long, Dialect::V2_4), Some(long.to_vec()));
        assert_eq!(
            plain("é \u{85}".as_bytes(), Dialect::V2_4).as_deref(),
            Some("é \u{85}".as_bytes())
        );
        assert_eq!(plain(b"\xc3", Dialect::V2_4), None);
        assert_eq!(plain("é\x7f".as_bytes(), Dialect::V2_3), None);
    }

    #[test]
    fn long_labels_of_2_3() {
        let cut = |text: &[u8], expected: String| {
            assert_eq!(labels(Dialect::V2_3, &[text]), [expected]);
        };
        cut(&[b'a'; 250], format!("{}…", "a".repeat(31)));
        cut(&[b'a'; 300], format!("{}…", "a".repeat(31)));
        cut(&[b'a'; 32], "a".repeat(32));
        let mixed = format!("{}{}", "k".repeat(30), "é".repeat(130));
        cut(mixed.as_bytes(), format!("{}é…", "k".repeat(30)));
        // Invalid bytes do not count, control characters do.
        cut(&[0xff; 90], "\u{fffd}".repeat(90));
        cut(&[2; 40], format!("{}…", "\u{fffd}".repeat(31)));
        let before = |times, rest: &[u8]| [&vec![b'v'; times][..], rest].concat();
        let v = |times| "v".repeat(times);
        cut(
            &before(31, b"\xff\xffww"),
            format!("{}\u{fffd}\u{fffd}…", v(31)),
        );
        cut(
            &before(31, b"\xff\xffw"),
            format!("{}\u{fffd}\u{fffd}w", v(31)),
        );
        cut(&before(32, b"\xffw"), format!("{}…", v(31)));
        cut(&before(31, b"\xe2"), format!("{}…", v(30)));
        cut(&before(31, b"w\xe2"), format!("{}…", v(31)));
    }

    #[test]
    fn long_paths_of_2_4() {
        let x = |character: &str, times| character.repeat(times);
        check_path(
            &[('a', 250), ('b', 100), ('c', 50)],
            &[&x("a", 250), "bbbbb…"],
        );
        check_path(&[('a', 300), ('b', 100)], &[&(x("a", 255) + "…")]);
        check_path(
            &[('d', 100), ('e', 100), ('f', 100)],
            &[&x("d", 100), &x("e", 100), &(x("f", 55) + "…")],
        );
        check_path(&[('g', 256), ('x', 1)], &[&x("g", 256)]);
        check_path(&[('h', 255), ('x', 1), ('y', 1)], &[&x("h", 255), "x"]);
        check_path(&[('i', 254), ('x', 1), ('y', 1)], &[&x("i", 254), "x", "y"]);
    }
}
