//! Sizes: `64M`, `8 kB`, `1g`.
//!
//! As in Dovecot, a size is a number, blanks, and a unit in any letter case;
//! `k`, `M`, `G` and `T` are powers of 1024, optionally followed by `B` or
//! `iB`; `B` or no unit is bytes.

const UNITS: [(&str, u32); 5] = [("b", 0), ("k", 10), ("m", 20), ("g", 30), ("t", 40)];

/// Parses a size; returns `None` if it is invalid, or needs more than 64 bits.
#[must_use]
pub fn parse(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let end = text.find(|character: char| !character.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: u64 = number.parse().ok()?;
    let unit = unit.trim_start_matches([' ', '\t']);
    let mut units = UNITS.iter().filter(|(name, bits)| {
        let rest = unit.strip_prefix(name);
        let whole = |rest| matches!(rest, "" | "b" | "ib") && *bits > 0;
        rest.is_some_and(|rest| rest.is_empty() || whole(rest))
    });
    let bits = if unit.is_empty() { 0 } else { units.next()?.1 };
    number.checked_mul(1 << bits)
}

/// Formats a size with the largest unit that divides it.
pub(crate) fn write(bytes: u64) -> String {
    let mut units = UNITS.iter().rev();
    let whole = units.find(|(_, bits)| bytes > 0 && bytes.is_multiple_of(1 << bits));
    match whole {
        Some((unit, bits)) if *bits > 0 => format!("{}{}", bytes >> bits, unit.to_uppercase()),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(parse(text.as_bytes()), expected, "{text}");
        if let Some(size) = expected {
            assert_eq!(parse(write(size).as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for text in ["1024", "1k", "1K", "1 kB", "1kib", "1024b", "1024 B"] {
            check(text, Some(1024));
        }
        check("0", Some(0));
        check("64M", Some(64 << 20));
        check("1G", Some(1 << 30));
        check("2TB", Some(2 << 40));
        check("1500", Some(1500));
        for text in [
            "",
            "M",
            "1x",
            "1.5M",
            "-1",
            "1 M M",
            "1bb",
            "99999999999T",
            "1kibi",
        ] {
            check(text, None);
        }
        assert_eq!(write(64 << 20), "64M");
        assert_eq!(write(1500), "1500");
    }
}
