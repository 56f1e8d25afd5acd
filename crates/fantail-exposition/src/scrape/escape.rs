//! Escaping: a backslash before backslashes and quotes, and `\n` for LF. Both
//! formats leave all other characters unchanged, including U+2028 and controls.

/// Appends the value of a label, without quotes around it.
pub(crate) fn push_label_value(value: &str, out: &mut Vec<u8>) {
    push_escaped(value, true, out);
}

/// Appends a HELP text; OpenMetrics escapes its quotes, too.
pub(crate) fn push_help(text: &str, quotes: bool, out: &mut Vec<u8>) {
    push_escaped(text, quotes, out);
}

fn push_escaped(text: &str, quotes: bool, out: &mut Vec<u8>) {
    // The usual case.
    if needs_no_escape(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            other => out.push(other),
        }
    }
}

/// Returns whether no byte is a control, a quote or a backslash. It reads eight
/// bytes at a time, because it is called for each sample.
#[inline]
pub(crate) fn needs_no_escape(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let stand = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        let low = eight & !HIGH;
        // Sets the highest bit of each byte if its lower seven bits are at
        // least a blank, and the byte is neither a quote nor a backslash (with
        // or without the highest bit).
        let differs = |byte: u8| (low ^ (ONES * u64::from(byte))) + !HIGH;
        let usual = (low + ONES * 0x60) & differs(b'"') & differs(b'\\');
        (usual | eight) & HIGH == HIGH
    };
    let (words, rest) = bytes.as_chunks::<8>();
    match bytes.last_chunk() {
        // The last bytes overlap with the words.
        Some(last) => words.iter().all(stand) && stand(last),
        None => rest
            .iter()
            .all(|byte| *byte >= b' ' && !matches!(byte, b'"' | b'\\')),
    }
}

#[cfg(test)]
mod tests {
    use super::{needs_no_escape, push_help, push_label_value};

    fn check(text: &str, label: &str, help: &str) {
        let written = |push: &dyn Fn(&mut Vec<u8>)| {
            let mut out = b"x ".to_vec();
            push(&mut out);
            String::from_utf8(out.split_off(2)).unwrap()
        };
        assert_eq!(written(&|out| push_label_value(text, out)), label);
        assert_eq!(written(&|out| push_help(text, false, out)), help);
        assert_eq!(written(&|out| push_help(text, true, out)), label);
    }

    #[test]
    fn three_characters_are_escaped() {
        check("", "", "");
        check("\\", "\\\\", "\\\\");
        check(
            "a long \"text\"\n",
            "a long \\\"text\\\"\\n",
            "a long \"text\"\\n",
        );
        let others = "caf\u{e9} \t\u{1}\u{7f}\u{2028} \u{fffd}\r";
        check(others, others, others);
    }

    #[test]
    fn bytes_that_stand_for_themselves() {
        let mut text = b"0123456789abcdefghi\xc3\xa9".to_vec();
        for at in 0..text.len() {
            let usual = text[at];
            for byte in 0..=u8::MAX {
                text[at] = byte;
                let expected = byte >= b' ' && !b"\"\\".contains(&byte);
                assert_eq!(needs_no_escape(&text), expected, "{byte} at {at}");
                assert_eq!(needs_no_escape(&text[at..=at]), expected, "{byte}");
            }
            text[at] = usual;
        }
        assert!(needs_no_escape(&[]));
    }
}
