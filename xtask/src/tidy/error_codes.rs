//! Each error code of the languages has a page below `docs/errors/`, and each
//! page a code. As long as that folder is not there, nothing is asked.
//!
//! A code is a string literal such as `"config/unknown-format"` in the
//! sources of the crates below; its page is `docs/errors/<code>.md`.

use std::collections::BTreeMap;

use super::Finding;
use crate::workspace::TextFile;

const FOLDER: &str = "docs/errors/";

/// Where codes are defined.
const SOURCES: &[&str] = &[
    "crates/fantail-syntax/src/",
    "crates/fantail-filter/src/",
    "crates/fantail-config/src/",
];

/// What stands before the `/` of a code.
const AREAS: &[&str] = &["syntax", "filter", "config"];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    // `README.md` introduces the pages and is none itself.
    let pages: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(FOLDER)?.strip_suffix(".md"))
        .filter(|page| page.contains('/'))
        .collect();
    if !files.iter().any(|file| file.path.starts_with(FOLDER)) {
        return Vec::new();
    }
    let codes = codes(files);
    let mut findings = Vec::new();
    for (code, (path, line)) in &codes {
        if !pages.contains(code) {
            let message = format!("the error {code} has no page {FOLDER}{code}.md");
            findings.push(Finding::error(*path, *line, message));
        }
    }
    for page in pages {
        if !codes.contains_key(page) {
            let path = format!("{FOLDER}{page}.md");
            findings.push(Finding::error(path, 0, "no error has this code"));
        }
    }
    findings
}

/// The codes with the first place of each.
fn codes(files: &[TextFile]) -> BTreeMap<&str, (&str, usize)> {
    let mut codes = BTreeMap::new();
    for file in files {
        let source = SOURCES.iter().any(|source| file.path.starts_with(source));
        if !source || file.path.ends_with("tests.rs") {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            // Every second part lies within quotes; a text over several
            // lines is no code.
            for text in line.split('"').skip(1).step_by(2) {
                if is_code(text) {
                    codes.entry(text).or_insert((file.path.as_str(), index + 1));
                }
            }
        }
    }
    codes
}

fn is_code(text: &str) -> bool {
    text.split_once('/').is_some_and(|(area, name)| {
        AREAS.contains(&area)
            && !name.is_empty()
            && name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::check as check_files;
    use crate::workspace::TextFile;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files: Vec<TextFile> = files
            .iter()
            .map(|(path, text)| TextFile {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let found: Vec<String> = check_files(&files)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    const SOURCE: (&str, &str) = (
        "crates/fantail-config/src/code.rs",
        "//! Codes.\nA => \"config/unknown-format\", \"config.h\",\n",
    );

    #[test]
    fn without_the_folder_nothing_is_asked() {
        check(&[SOURCE], &[]);
    }

    #[test]
    fn each_code_has_its_page() {
        let index = ("docs/errors/README.md", "");
        let page = ("docs/errors/config/unknown-format.md", "");
        check(&[SOURCE, index, page], &[]);
        check(
            &[SOURCE, index],
            &["error: crates/fantail-config/src/code.rs:2: the error \
               config/unknown-format has no page docs/errors/config/unknown-format.md"],
        );
        check(
            &[index, page],
            &["error: docs/errors/config/unknown-format.md: no error has this code"],
        );
    }
}
