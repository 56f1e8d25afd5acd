//! Variables in values: `$name` (2.3), `$SET:name` and `$ENV:name` (2.4).
//!
//! As in Dovecot, a variable is a whole word that begins with `$`, in a value
//! that is not quoted as a whole. 2.3 knows the earlier settings outside of all
//! blocks. Dovecot's defaults of missing settings are not known here. `%{…}` is
//! unchanged: Dovecot expands it when a setting is used.

use std::{collections::HashMap, ops::Range};

use fantail_event::Dialect;

use crate::{diagnostic::source::Span, syntax::is_blank, syntax::part, syntax::text::Text};

/// The earlier settings outside of all blocks.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    settings: HashMap<Vec<u8>, Text>,
}

/// A value after expansion.
#[derive(Debug)]
pub(crate) struct Expanded {
    pub(crate) text: Text,
    /// The first variable without a value; it is not expanded.
    pub(crate) unknown: Option<Text>,
    /// Whether the value exceeded the limit, and was not expanded.
    pub(crate) too_long: bool,
}

impl Variables {
    pub(crate) fn set(&mut self, key: &[u8], value: &Text) {
        self.settings.insert(key.to_vec(), value.clone());
    }

    /// Expands a value that is not quoted.
    pub(crate) fn expand(
        &self,
        value: &Text,
        dialect: Dialect,
        environment: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
        limit: usize,
    ) -> Expanded {
        let mut text = Text::empty(value.span());
        let mut unknown = None;
        let mut done = 0;
        for word in words(value.bytes()) {
            let name = part(value.bytes(), word.clone());
            let expansion =
                match self.lookup(name, dialect, environment, value.locate(word.clone())) {
                    Lookup::NoVariable => continue,
                    Lookup::Value(expansion) => expansion,
                    Lookup::Unknown => {
                        unknown = unknown.or_else(|| Some(value.slice(word)));
                        continue;
                    }
                };
            text.append(&value.slice(done..word.start));
            if text.bytes().len().saturating_add(expansion.bytes().len()) > limit {
                return Expanded {
                    text: value.clone(),
                    unknown: None,
                    too_long: true,
                };
            }
            text.append(&expansion);
            done = word.end;
        }
        if done == 0 {
            text = value.clone();
        } else {
            text.append(&value.slice(done..value.bytes().len()));
        }
        Expanded {
            text,
            unknown,
            too_long: false,
        }
    }

    fn lookup(
        &self,
        word: &[u8],
        dialect: Dialect,
        environment: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
        place: Span,
    ) -> Lookup {
        let known = |name: &[u8]| match self.settings.get(name) {
            Some(value) => Lookup::Value(value.clone()),
            None => Lookup::Unknown,
        };
        match (dialect, word) {
            (Dialect::V2_3, [b'$', name @ ..])
            | (Dialect::V2_4, [b'$', b'S', b'E', b'T', b':', name @ ..]) => known(name),
            (Dialect::V2_4, [b'$', b'E', b'N', b'V', b':', name @ ..]) => {
                let mut text = Text::empty(place);
                for byte in environment(name).unwrap_or_default() {
                    text.push(byte, place.file, place.start);
                }
                Lookup::Value(text)
            }
            _ => Lookup::NoVariable,
        }
    }
}

enum Lookup {
    NoVariable,
    Value(Text),
    Unknown,
}

/// Returns the ranges between blanks.
pub(crate) fn words(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    split(bytes, is_blank)
}

/// Returns the non-empty ranges between separators.
pub(crate) fn split(
    bytes: &[u8],
    is_separator: impl Fn(u8) -> bool,
) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let start = at + rest.iter().position(|byte| !is_separator(*byte))?;
        let rest = bytes.get(start..)?;
        let length = rest.iter().position(|byte| is_separator(*byte));
        at = start + length.unwrap_or(rest.len());
        Some(start..at)
    })
}
