//! Includes and their wildcards, with a loader without a disk.
//!
//! The input is lines. `==> NAME` begins a file; the first one is
//! `dovecot.conf`. Each other line is a pattern that the file includes. Bytes
//! with another meaning in a configuration are removed from both.

use std::collections::BTreeMap;

use fantail_config::{LoadOptions, Loader as _, Memory, load};

const MAIN: &[u8] = b"dovecot.conf";
const FILES: usize = 40;
const DEPTH: usize = 5;
/// The maximum number of alternatives of a pattern with braces.
const ALTERNATIVES: usize = 1_000;
/// The maximum number of braces, and of bytes, of a pattern with braces.
const BRACES: usize = 100;
const PATTERN_BYTES: usize = 4_096;

/// The names that a pattern matches are those that a plain search finds, and
/// the files of a configuration are those of a walk through its includes, in
/// order, up to the limits.
///
/// # Panics
/// Panics if this does not hold.
pub fn include_glob(data: &[u8]) {
    let files = files(data);
    let mut memory = Memory::new();
    for (name, patterns) in &files {
        let lines = patterns.iter();
        let text = lines.flat_map(|pattern| [b"!include_try ", &**pattern, b"\n"].concat());
        memory = memory.with(name.clone(), text.collect::<Vec<u8>>());
    }
    for pattern in files.values().flatten() {
        let found = memory.expand(pattern).expect("files in memory");
        assert_eq!(
            found,
            expanded(&files, pattern),
            "{}",
            pattern.escape_ascii()
        );
    }
    let mut options = LoadOptions::default();
    options.limits.files = FILES;
    options.limits.include_depth = DEPTH;
    options.limits.errors = usize::MAX - 1;
    let loaded = load(MAIN, &memory, &options);
    let mut walk = Walk::default();
    walk.enter(&files, MAIN);
    let sources = &loaded.sources;
    let names: Vec<&[u8]> = sources.ids().map(|id| sources.name(id)).collect();
    assert_eq!(names, walk.entered);
    for id in sources.ids().skip(1) {
        let span = sources.included(id).expect("included from somewhere");
        assert!(sources.text(span.file).get(span.range()).is_some());
    }
}

type Files = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

fn files(data: &[u8]) -> Files {
    let mut files = Files::new();
    let mut name = MAIN.to_vec();
    files.insert(name.clone(), Vec::new());
    for line in data.split(|&byte| byte == b'\n') {
        let next = line.strip_prefix(b"==> ");
        let text = next.unwrap_or(line).iter().copied();
        let mut text: Vec<u8> = text.filter(|byte| is_plain(*byte)).collect();
        // A line that ends in a backslash continues in the next line.
        while text.ends_with(b"\\") {
            text.pop();
        }
        if text.is_empty() {
            continue;
        }
        if next.is_some() {
            files.entry(text.clone()).or_default();
            name = text;
        } else {
            files.entry(name.clone()).or_default().push(text);
        }
    }
    files
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./*?[]!^-_{,}\\".contains(&byte)
}

fn expanded(files: &Files, pattern: &[u8]) -> Vec<Vec<u8>> {
    let names = files.keys().filter(|name| {
        let (patterns, names) = (pattern.split(is_slash), name.split(is_slash));
        patterns.clone().count() == names.clone().count()
            && patterns.zip(names).all(|(pattern, name)| {
                let hidden = name.starts_with(b".");
                let shows_hidden = pattern.starts_with(b".") || pattern.starts_with(b"\\.");
                (shows_hidden || !hidden) && is_match(pattern, name)
            })
    });
    names.cloned().collect()
}

/// Returns the names of all alternatives of a pattern with braces, up to the
/// limits.
fn included(files: &Files, pattern: &[u8]) -> Vec<Vec<u8>> {
    let braces = pattern.iter().filter(|&&byte| byte == b'{').count();
    if braces > BRACES || (braces > 0 && pattern.len() > PATTERN_BYTES) {
        return Vec::new();
    }
    let mut patterns = Vec::new();
    without_braces(pattern, &mut patterns);
    if patterns.len() > ALTERNATIVES {
        return Vec::new();
    }
    let found = patterns.iter().map(|pattern| expanded(files, pattern));
    found.flatten().collect()
}

fn without_braces(pattern: &[u8], into: &mut Vec<Vec<u8>>) {
    if into.len() > ALTERNATIVES {
        return;
    }
    // The offsets of the first brace, of the commas of its level, and of its end.
    let mut ends = Vec::new();
    let (mut depth, mut is_escaped) = (0, false);
    for (at, byte) in pattern.iter().enumerate() {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match byte {
            b'\\' => is_escaped = true,
            b'{' => {
                depth += 1;
                if depth == 1 {
                    ends.push(at);
                }
            }
            b',' if depth == 1 => ends.push(at),
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    ends.push(at);
                    for part in ends.windows(2) {
                        let inside = &pattern[part[0] + 1..part[1]];
                        let (before, after) = (&pattern[..ends[0]], &pattern[at + 1..]);
                        without_braces(&[before, inside, after].concat(), into);
                    }
                    return;
                }
            }
            _ => {}
        }
    }
    into.push(pattern.to_vec());
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

/// Matches as glob(7) does, by all ways: row by row, the prefixes of the name
/// that the pattern so far matches.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((element, behind)) = Element::first(rest) {
        rest = behind;
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            if element == Element::Any {
                next[at] = reached[at] || at > 0 && next[at - 1];
            } else if at > 0 {
                next[at] = reached[at - 1] && element.takes(name[at - 1]);
            }
        }
        reached = next;
    }
    reached[name.len()]
}

#[derive(PartialEq)]
enum Element {
    Any,
    One,
    Byte(u8),
    Class(bool, Vec<(u8, u8)>),
}

impl Element {
    fn first(pattern: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = pattern.split_first()?;
        Some(match first {
            b'*' => (Self::Any, rest),
            b'?' => (Self::One, rest),
            b'\\' if !rest.is_empty() => (Self::Byte(rest[0]), &rest[1..]),
            b'[' => Self::class(rest).unwrap_or((Self::Byte(b'['), rest)),
            byte => (Self::Byte(*byte), rest),
        })
    }

    fn class(inside: &[u8]) -> Option<(Self, &[u8])> {
        let negated = matches!(inside.first(), Some(b'!' | b'^'));
        let mut at = usize::from(negated);
        let mut ranges = Vec::new();
        let literal = |at: &mut usize| {
            if inside.get(*at) == Some(&b'\\') {
                *at += 1;
            }
            *at += 1;
            inside.get(*at - 1).copied()
        };
        loop {
            if inside.get(at)? == &b']' && !ranges.is_empty() {
                return Some((Self::Class(negated, ranges), &inside[at + 1..]));
            }
            let low = literal(&mut at)?;
            let is_range = inside.get(at) == Some(&b'-') && inside.get(at + 1)? != &b']';
            let high = if is_range {
                at += 1;
                literal(&mut at)?
            } else {
                low
            };
            ranges.push((low, high));
        }
    }

    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Byte(known) => *known == byte,
            Self::Class(negated, ranges) => {
                let mut ranges = ranges.iter();
                ranges.any(|(low, high)| (*low..=*high).contains(&byte)) != *negated
            }
        }
    }
}

/// The files of a configuration in the order in which they are opened.
#[derive(Default)]
struct Walk {
    entered: Vec<Vec<u8>>,
    open: Vec<Vec<u8>>,
    /// The files of open files' patterns that are not opened yet.
    waiting: Vec<Vec<u8>>,
    is_over: bool,
}

impl Walk {
    fn enter(&mut self, files: &Files, name: &[u8]) {
        self.entered.push(name.to_vec());
        self.open.push(name.to_vec());
        for pattern in &files[name] {
            let folder = name.iter().rposition(|byte| *byte == b'/');
            let folder = folder.filter(|_| !pattern.starts_with(b"/"));
            let folder = folder.map_or(&[][..], |slash| &name[..=slash]);
            let found = included(files, &[folder, pattern].concat());
            if found.is_empty() || self.open.len() > DEPTH {
                continue;
            }
            let waiting = self.waiting.len();
            self.waiting.extend(found.into_iter().rev());
            while self.waiting.len() > waiting {
                let Some(path) = self.waiting.pop() else {
                    break;
                };
                if self.open.contains(&path) || self.waiting.contains(&path) {
                    continue;
                }
                self.is_over |= self.entered.len() >= FILES;
                if self.is_over {
                    return;
                }
                self.enter(files, &path);
                if self.is_over {
                    return;
                }
            }
        }
        self.open.pop();
    }
}
