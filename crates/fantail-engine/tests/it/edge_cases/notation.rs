//! Bytes as lines of test data.

/// Units of repetition that are looked for, in bytes.
const MAX_UNIT_BYTES: usize = 6;
/// Shorter repetitions are written in full.
const MIN_REPEATED_BYTES: usize = 24;

/// The blocks of a file: the name after `== `, and the lines up to the next.
pub(super) fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("== "), blocks.last_mut()) {
            (Some(name), _) => blocks.push((name.to_owned(), Vec::new())),
            (None, Some((_, lines))) => lines.push(line.to_owned()),
            (None, None) => panic!("a line before the first block: {line}"),
        }
    }
    blocks
}

/// The bytes that a line means: `{3*ab}` is `ababab`.
pub(super) fn bytes(line: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        found.extend(unescaped(before));
        let repetition = after.split_once('}').and_then(|(inner, after)| {
            let (times, unit) = inner.split_once('*')?;
            Some((times.parse::<usize>().ok()?, unit, after))
        });
        match repetition {
            Some((times, unit, after)) => {
                found.extend(unescaped(unit).repeat(times));
                rest = after;
            }
            None => {
                found.push(b'{');
                rest = after;
            }
        }
    }
    found.extend(unescaped(rest));
    found
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let byte = match character {
            '\\' => match characters.next() {
                Some('t') => b'\t',
                Some('r') => b'\r',
                Some('n') => b'\n',
                Some('x') => {
                    let digits: String = characters.by_ref().take(2).collect();
                    u8::from_str_radix(&digits, 16).unwrap()
                }
                Some(other) => u8::try_from(other).unwrap(),
                None => panic!("an escape at the end: {text}"),
            },
            other => u8::try_from(other).unwrap(),
        };
        found.push(byte);
    }
    found
}

/// The line that means these bytes, repetitions shortened.
pub(super) fn written(bytes: &[u8]) -> String {
    let mut line = String::new();
    let mut rest = bytes;
    'all: while let Some(first) = rest.first() {
        for unit in 1..=MAX_UNIT_BYTES.min(rest.len()) {
            let repeated = rest.chunks(unit).take_while(|it| *it == &rest[..unit]);
            let times = repeated.count();
            if times > 1 && times * unit >= MIN_REPEATED_BYTES {
                line += &format!("{{{times}*{}}}", escaped(&rest[..unit]));
                rest = &rest[times * unit..];
                continue 'all;
            }
        }
        line += &escaped(&[*first]);
        rest = &rest[1..];
    }
    line
}

fn escaped(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    text.replace("\\\"", "\"").replace("\\'", "'")
}

#[test]
fn written_bytes_are_read_back() {
    for text in [
        &b"a{b}c*\\\t\r\x01\xff'\""[..],
        &b"{3*x}"[..1],
        &[b'x'; 5_000],
        "é".repeat(30).as_bytes(),
        &b"\x01t".repeat(40),
    ] {
        assert_eq!(
            bytes(&written(text)).escape_ascii().to_string(),
            text.escape_ascii().to_string()
        );
    }
}
