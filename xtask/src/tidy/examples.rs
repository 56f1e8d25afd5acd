//! Each public type, trait, free function and constructor is used in an example of
//! its crate's documentation.
//!
//! The items are those of the listings in `docs/api/`. Methods of a value count as
//! shown by the example of its type, and items of `internal` are not for users.

use std::collections::BTreeSet;

use super::Finding;
use crate::workspace::TextFile;

/// The folder of the listings.
const LISTINGS: &str = "docs/api/";
/// Items that a warning names.
const SHOWN: usize = 6;
/// Functions of std's traits, which listings have as if they were a type's own.
const OF_TRAITS: [&str; 5] = ["clone", "default", "from", "from_iter", "from_str"];

/// Returns a warning for each crate with items that no example uses.
pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let listings = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix(LISTINGS)?.strip_suffix(".txt")?;
        Some((name, file))
    });
    listings
        .filter_map(|(name, listing)| {
            let folder = format!("crates/{name}/src/");
            let sources = files.iter().filter(|file| file.path.starts_with(&folder));
            let used: BTreeSet<&str> = sources.flat_map(|file| words(&file.text)).collect();
            let items: BTreeSet<String> = listing.text.lines().filter_map(item).collect();
            let missing: Vec<&str> = items
                .iter()
                .filter(|item| !item.split("::").all(|part| used.contains(part)))
                .map(String::as_str)
                .collect();
            (!missing.is_empty()).then(|| warning(&listing.path, items.len(), &missing))
        })
        .collect()
}

fn warning(path: &str, items: usize, missing: &[&str]) -> Finding {
    let shown = missing.iter().take(SHOWN).copied().collect::<Vec<_>>();
    let rest = if missing.len() > SHOWN { ", …" } else { "" };
    let message = format!(
        "{} of {items} public items are in no example: {}{rest}",
        missing.len(),
        shown.join(", ")
    );
    Finding {
        warning: true,
        path: path.to_owned(),
        line: 0,
        message,
    }
}

/// Returns the words of the Rust examples in the documentation of a source.
fn words(text: &str) -> BTreeSet<&str> {
    let mut words = BTreeSet::new();
    // Whether an example is open, and whether it is Rust.
    let mut open: Option<bool> = None;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(line) = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
        else {
            open = None;
            continue;
        };
        if let Some(tags) = line.trim_start().strip_prefix("```") {
            open = match open {
                Some(_) => None,
                None => Some(tags.split(',').all(is_rust)),
            };
        } else if open == Some(true) && !is_hidden(line) {
            let parts = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.extend(parts.filter(|part| !part.is_empty()));
        }
    }
    words
}

/// Returns whether rustdoc leaves a line of an example out.
fn is_hidden(line: &str) -> bool {
    let line = line.trim_start();
    line == "#" || line.starts_with("# ")
}

fn is_rust(tag: &str) -> bool {
    matches!(tag.trim(), "" | "rust" | "no_run" | "compile_fail")
}

/// Returns the name of the item in a line of a listing that needs an example:
/// `Type`, `function` or `Type::new`.
fn item(line: &str) -> Option<String> {
    let mut rest = line;
    while rest.starts_with("#[") {
        rest = rest.split_once("] ")?.1;
    }
    rest = rest.strip_prefix("pub ")?;
    let kind = loop {
        let (word, after) = rest.split_once(' ')?;
        rest = after;
        if !matches!(word, "const" | "async" | "unsafe") {
            break word;
        }
    };
    let (path, arguments) = path(rest);
    let mut parts = path.rsplit("::");
    let (name, owner) = (parts.next()?, parts.next()?);
    if path.contains("::internal") {
        return None;
    }
    match kind {
        "struct" | "enum" | "trait" => Some(name.to_owned()),
        "fn" if owner.starts_with(|c: char| c.is_lowercase()) => Some(name.to_owned()),
        "fn" if is_method(arguments) || OF_TRAITS.contains(&name) => None,
        "fn" => Some(format!("{owner}::{name}")),
        _ => None,
    }
}

/// Splits the path of an item, without its generic parameters, from what follows.
fn path(text: &str) -> (String, &str) {
    let mut path = String::new();
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ if depth > 0 => {}
            '(' | ' ' => return (path.trim_end_matches(':').to_owned(), &text[at..]),
            _ => path.push(c),
        }
    }
    (path, "")
}

fn is_method(arguments: &str) -> bool {
    let first = arguments.trim_start_matches('(').trim_start_matches('&');
    let first = match first.strip_prefix('\'') {
        Some(lifetime) => lifetime.split_once(' ').map_or("", |(_, rest)| rest),
        None => first,
    };
    let first = first.strip_prefix("mut ").unwrap_or(first);
    first.starts_with("self")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn items_without_example_are_named() {
        let listing = "\
# rustc 1.95.0
#[non_exhaustive] pub enum a::Kind
pub const fn a::Shown<'b>::up_to(&'b [u8], usize) -> Self
pub fn a::Shown<'b>::bytes(&'b self) -> &'b [u8]
pub fn a::Shown<'b>::from(&'b [u8]) -> Self
pub fn a::internal::hidden(u8)
pub fn a::read<R: Read>(R) -> a::Kind
pub struct a::Shown<'b>
pub trait a::View: core::fmt::Debug
";
        let source = "\
/// Shows.
///
/// ```
/// use a::{Shown, read};
/// read(Shown::new());
/// # let _: Kind;
/// ```
pub struct Shown;
/// ```text
/// View
/// ```
pub trait View {}
";
        let findings = check(&[
            file("docs/api/a.txt", listing),
            file("crates/a/src/lib.rs", source),
        ]);
        let messages: Vec<_> = findings.iter().map(|finding| &finding.message).collect();
        assert_eq!(
            messages,
            ["3 of 5 public items are in no example: Kind, Shown::up_to, View"]
        );
    }
}
