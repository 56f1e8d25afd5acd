//! `docs/architecture.md` names each folder of `crates/`, and no other.

use std::collections::BTreeMap;

use super::{Finding, text_of};
use crate::workspace::{Package, TextFile};

const PATH: &str = "docs/architecture.md";

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    let Some(text) = text_of(files, PATH) else {
        return vec![Finding::error(PATH, 0, "is missing")];
    };
    let named = named(text);
    let there: Vec<&str> = packages
        .iter()
        .filter_map(|package| package.folder.strip_prefix("crates/"))
        .collect();
    let mut findings = Vec::new();
    for (name, line) in &named {
        if !there.contains(name) {
            let message = format!("there is no crates/{name}");
            findings.push(Finding::error(PATH, *line, message));
        }
    }
    for name in there {
        if !named.contains_key(name) {
            findings.push(Finding::error(
                PATH,
                0,
                format!("crates/{name} is not named"),
            ));
        }
    }
    findings
}

/// Each `crates/<name>` in the text, with the line of its first place.
fn named(text: &str) -> BTreeMap<&str, usize> {
    let mut names = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        for after in line.split("crates/").skip(1) {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(after.len());
            let name = &after[..end];
            if !name.is_empty() {
                names.entry(name).or_insert(index + 1);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{PATH, check as check_files};
    use crate::workspace::{Package, TextFile};

    fn check(text: &str, crates: &[&str], expected: &[&str]) {
        let packages: Vec<Package> = crates.iter().map(|name| Package::named(name)).collect();
        let found = check_files(&packages, &[TextFile::new(PATH, text)]);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_document_names_what_is_there() {
        check("Below `crates/`:\n### `crates/a-b`", &["a-b"], &[]);
        check(
            "`crates/a`, `crates/b/src/lib.rs`",
            &["b", "c"],
            &[
                "error: docs/architecture.md:1: there is no crates/a",
                "error: docs/architecture.md: crates/c is not named",
            ],
        );
    }
}
