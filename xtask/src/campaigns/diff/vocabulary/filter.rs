//! Random filters.

use super::{
    ADDRESSES, CATEGORIES, FILES, INTEGERS, Key, Kind, LEVELS, NAMES, TEXTS, literal, number,
    pattern,
};
use crate::campaigns::diff::{random::Random, version::Version};

/// Returns the words of a random filter with at most `depth` nested parentheses.
pub(in crate::campaigns::diff) fn filter(
    random: &mut Random,
    version: Version,
    keys: &[Key],
    depth: usize,
) -> Vec<String> {
    let mut words = Vec::new();
    operand(random, version, keys, depth, &mut words);
    while random.chance(40) {
        words.push(random.word(&["AND", "OR", "and", "Or"]).to_owned());
        operand(random, version, keys, depth, &mut words);
    }
    words
}

fn operand(
    random: &mut Random,
    version: Version,
    keys: &[Key],
    depth: usize,
    words: &mut Vec<String>,
) {
    if random.chance(20) {
        words.push(random.word(&["NOT", "not"]).to_owned());
    }
    if depth > 0 && random.chance(25) {
        words.push("(".to_owned());
        words.extend(filter(random, version, keys, depth - 1));
        words.push(")".to_owned());
    } else {
        words.push(comparison(random, version, keys));
    }
}

/// Returns a comparison as one word of a filter.
fn comparison(random: &mut Random, version: Version, keys: &[Key]) -> String {
    match random.below(10) {
        0 | 1 => {
            let name = random.word(NAMES);
            let name = pattern(random, name);
            format!("event={}", quoted(random, version, &name))
        }
        2 => {
            let category = match random.below(4) {
                0 => random.word(LEVELS),
                _ => random.word(CATEGORIES),
            };
            format!("category={}", quoted(random, version, category))
        }
        3 => {
            let mut place = random.word(FILES).to_owned();
            if random.chance(50) {
                place = format!("{place}:{}", random.below(4));
            }
            format!("source_location={}", quoted(random, version, &place))
        }
        _ => {
            let (key, kind) = *random.pick(keys);
            let value = constant(random, version, kind);
            let operator = match kind {
                Kind::Integer | Kind::Count => random.word(&["=", "<", ">", "<=", ">="]),
                _ if random.chance(5) => random.word(&["<", ">", "<=", ">="]),
                _ => "=",
            };
            let key = quoted(random, version, key);
            format!("{key}{operator}{}", quoted(random, version, &value))
        }
    }
}

/// Returns a value that a filter compares fields of this kind with.
fn constant(random: &mut Random, version: Version, kind: Kind) -> String {
    if matches!(kind, Kind::Integer | Kind::Count) {
        let like = match kind {
            Kind::Count => i64::try_from(random.below(1_200)).unwrap_or(0),
            _ => *random.pick(INTEGERS),
        };
        // Other texts end a process of 2.3 that evaluates them.
        if version.is_2_3() || random.chance(60) {
            return number(random, version, like);
        }
    }
    let text = match kind {
        Kind::Address => random.word(ADDRESSES),
        _ => random.word(TEXTS),
    };
    match random.chance(30) {
        true => literal(random),
        false => pattern(random, text),
    }
}

/// Returns a text as a key or value of a filter, mostly without quotes where it needs
/// none.
fn quoted(random: &mut Random, version: Version, text: &str) -> String {
    let is_plain = |byte: u8| {
        let of_2_4 = !version.is_2_3() && b"/%".contains(&byte);
        byte.is_ascii_alphanumeric() || b":.*?_-".contains(&byte) || of_2_4
    };
    if !text.is_empty() && text.bytes().all(is_plain) && random.chance(60) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        // A backslash before a star or another backslash has a meaning of its own.
        let bare = letter == '\\' && random.chance(10);
        if matches!(letter, '"' | '\\') && !bare {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}
