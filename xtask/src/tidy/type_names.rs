//! Names of public types: each belongs to one library.
//!
//! A reader of two crates must not meet one name with two meanings.

use std::collections::BTreeMap;

use super::Finding;
use crate::workspace::{Package, TextFile};

/// Names that each library may use, because its own name tells them apart.
const SHARED: [&str; 2] = ["Format", "Limits"];
/// Libraries that only this repository uses.
const INTERNAL: [&str; 2] = ["fantail-oracle", "fantail-testkit"];
/// The beginnings of definitions at the top of a module.
const DEFINITIONS: [&str; 4] = ["pub struct ", "pub enum ", "pub trait ", "pub type "];

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for package in packages {
        let folder = format!("{}/src/", package.folder);
        let is_library = package.folder.starts_with("crates/");
        if !is_library || INTERNAL.contains(&package.name.as_str()) {
            continue;
        }
        for file in files.iter().filter(|file| file.path.starts_with(&folder)) {
            for (line, name) in definitions(&file.text) {
                let first = *known.entry(name).or_insert(&package.name);
                if first != package.name && !SHARED.contains(&name) {
                    let message = format!("`{name}` is a public type of {first} already");
                    findings.push(Finding::error(&file.path, line, message));
                }
            }
        }
    }
    findings
}

/// The public types of a file, with their lines.
fn definitions(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let rest = DEFINITIONS
            .iter()
            .find_map(|start| line.strip_prefix(start));
        let is_end = |letter: char| !(letter.is_alphanumeric() || letter == '_');
        rest.and_then(|rest| Some((number, rest.split(is_end).next()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::check as check_files;
    use crate::workspace::{Package, TextFile};

    fn check(a: &str, b: &str, expected: &[&str]) {
        let packages = [Package::named("a"), Package::named("b")];
        let files = [
            TextFile::new("crates/a/src/lib.rs", a),
            TextFile::new("crates/b/src/lib.rs", b),
        ];
        let found = check_files(&packages, &files);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_name_belongs_to_one_library() {
        check(
            "pub struct Span {\n",
            "//! B.\npub type Span = usize;\n",
            &["error: crates/b/src/lib.rs:2: `Span` is a public type of a already"],
        );
        check(
            "pub enum Span {}\npub struct Spans;\n",
            "pub struct Spanned<T> {\n",
            &[],
        );
        check("pub struct Limits {\n", "pub struct Limits {\n", &[]);
        check("pub(crate) struct Row;\n", "struct Row;\n", &[]);
    }
}
