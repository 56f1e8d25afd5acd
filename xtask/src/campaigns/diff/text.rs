//! The text form of arguments on Dovecot's sockets.

/// Escapes an argument of a line.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\0' => escaped.push_str("\x010"),
            '\x01' => escaped.push_str("\x011"),
            '\t' => escaped.push_str("\x01t"),
            '\r' => escaped.push_str("\x01r"),
            '\n' => escaped.push_str("\x01n"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn bytes_that_separate_are_escaped() {
        assert_eq!(
            escape("a\tb\nc\rd\x01e\0"),
            "a\x01tb\x01nc\x01rd\x011e\x010"
        );
    }
}
