//! Lists of words: `fields`, `exporter_include`, `format_args`.
//!
//! Spaces separate words in 2.3, spaces and commas in 2.4. A repeated word
//! counts twice in 2.3 and once in 2.4.

use std::collections::HashMap;

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Span, Spanned},
    schema::Key,
    schema::context::Context,
    schema::section::{ListEdit, Section, split_path},
    syntax::part,
    syntax::text::Text,
    syntax::variable,
};

/// Returns the words of a value.
pub(crate) fn words(text: &Text, dialect: Dialect) -> Vec<Spanned<Vec<u8>>> {
    let is_separator = move |byte: u8| match dialect {
        Dialect::V2_3 => byte == b' ',
        Dialect::V2_4 => byte == b' ' || byte == b',',
    };
    let ranges = variable::split(text.bytes(), is_separator);
    ranges
        .map(|range| Spanned {
            value: part(text.bytes(), range.clone()).to_vec(),
            span: text.locate(range),
        })
        .collect()
}

/// Returns the contents of a list of a section after all changes; `None`
/// without changes.
pub(crate) fn resolve(
    section: &Section<'_>,
    key: Key,
    default: &[&str],
    context: &mut Context<'_>,
) -> Option<Vec<Spanned<Vec<u8>>>> {
    let edits: Vec<_> = section.lists.iter().filter(|(of, _)| *of == key).collect();
    if edits.is_empty() {
        return None;
    }
    let mut list = List::default();
    list.replace(
        default
            .iter()
            .map(|word| spanned(word.as_bytes(), section.span)),
    );
    for (_, edit) in edits {
        match edit {
            ListEdit::Replace(setting) => {
                if let Some(text) = context.value(setting) {
                    let words = words(text, context.dialect);
                    match context.dialect {
                        Dialect::V2_3 => list.replace(words),
                        Dialect::V2_4 => {
                            list.replace([]);
                            words.into_iter().for_each(|word| list.add(word));
                        }
                    }
                }
            }
            ListEdit::Switch(setting) => {
                let Some(text) = context.value(setting) else {
                    continue;
                };
                let key = setting.key.bytes();
                let start = split_path(context.dialect, key).map_or(0, |(_, start)| start);
                let name = part(key, start..key.len());
                match boolean(text.bytes()) {
                    Some(true) => list.add(spanned(name, setting.key.span())),
                    Some(false) => list.remove(name),
                    None => context.push(not_boolean(text)),
                }
            }
        }
    }
    Some(list.words.into_iter().flatten().collect())
}

/// Words in order, with a fast look-up.
#[derive(Default)]
struct List {
    words: Vec<Option<Spanned<Vec<u8>>>>,
    places: HashMap<Vec<u8>, usize>,
}

impl List {
    fn replace(&mut self, words: impl IntoIterator<Item = Spanned<Vec<u8>>>) {
        self.words = words.into_iter().map(Some).collect();
        let names = self.words.iter().enumerate();
        self.places = names
            .filter_map(|(place, word)| Some((word.as_ref()?.value.clone(), place)))
            .collect();
    }

    fn add(&mut self, word: Spanned<Vec<u8>>) {
        if !self.places.contains_key(&word.value) {
            self.places.insert(word.value.clone(), self.words.len());
            self.words.push(Some(word));
        }
    }

    fn remove(&mut self, name: &[u8]) {
        if let Some(place) = self.places.remove(name)
            && let Some(word) = self.words.get_mut(place)
        {
            *word = None;
        }
    }
}

/// Parses Dovecot's `yes` and `no`.
pub(crate) fn boolean(value: &[u8]) -> Option<bool> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" | b"y" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

pub(crate) fn not_boolean(text: &Text) -> Diagnostic {
    let value = String::from_utf8_lossy(text.bytes());
    let message = format!("`{value}` is neither `yes` nor `no`");
    Diagnostic::new(Code::InvalidBoolean, message, text.span())
}

fn spanned(value: &[u8], span: Span) -> Spanned<Vec<u8>> {
    Spanned {
        value: value.to_vec(),
        span,
    }
}
