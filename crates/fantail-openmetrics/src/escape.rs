//! Escaping: a backslash before backslashes and quotes, `\n` for LF, and
//! nothing else. Any other character, U+2028 and controls included, stands for
//! itself in both formats.

/// Appends the value of a label, without the quotes around it.
pub(crate) fn push_label_value(value: &str, out: &mut String) {
    push_escaped(value, true, out);
}

/// Appends a HELP text; OpenMetrics escapes quotes there, too.
pub(crate) fn push_help(text: &str, quotes: bool, out: &mut String) {
    push_escaped(text, quotes, out);
}

fn push_escaped(text: &str, quotes: bool, out: &mut String) {
    let special = |byte| matches!(byte, b'\\' | b'\n') || quotes && byte == b'"';
    // Nearly all texts; looked at as a whole, which takes no time.
    if !text.bytes().fold(false, |any, byte| any | special(byte)) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}
