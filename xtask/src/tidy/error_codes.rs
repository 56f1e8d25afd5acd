//! Each error code of the languages has a page below `docs/errors/`, and each
//! page a code. As long as that folder is not there, nothing is asked.
//!
//! Codes are found in the text of the files below: each is the first string
//! literal of a line that begins with the name of its kind, within the call of
//! a macro that ends at a `}` in the first column.

use std::collections::BTreeMap;

use super::{Finding, text_of};
use crate::workspace::TextFile;

const FOLDER: &str = "docs/errors/";

/// A table of codes in a source file.
struct Table {
    path: &'static str,
    /// How the call of the macro begins.
    begin: &'static str,
    /// The prefix of the literal in the visible code.
    prefix: &'static str,
}

const TABLES: &[Table] = &[
    Table {
        path: "crates/fantail-syntax/src/error.rs",
        begin: "kinds! {",
        prefix: "",
    },
    Table {
        path: "crates/fantail-filter/src/warning.rs",
        begin: "fantail_syntax::kinds! {",
        prefix: "",
    },
    Table {
        path: "crates/fantail-config/src/diagnostic/code.rs",
        begin: "codes! {",
        prefix: "config/",
    },
    Table {
        path: "crates/fantail-lint/src/code.rs",
        begin: "codes! {",
        prefix: "lint/",
    },
    Table {
        path: "crates/fantail-lint/src/doctor/code.rs",
        begin: "codes! {",
        prefix: "doctor/",
    },
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    if !files.iter().any(|file| file.path.starts_with(FOLDER)) {
        return Vec::new();
    }
    // `README.md` introduces the pages and is none itself.
    let pages: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(FOLDER)?.strip_suffix(".md"))
        .filter(|page| *page != "README")
        .collect();
    let mut findings = Vec::new();
    let mut codes = BTreeMap::new();
    for table in TABLES {
        let found = codes_of(table, text_of(files, table.path).unwrap_or_default());
        if found.is_empty() {
            let message = "no error codes are found here: see xtask/src/tidy/error_codes.rs";
            findings.push(Finding::error(table.path, 0, message));
        }
        codes.extend(found.into_iter().map(|(code, line)| (code, (table, line))));
    }
    for (code, (table, line)) in &codes {
        if !pages.contains(&code.as_str()) {
            let message = format!("the error {code} has no page {FOLDER}{code}.md");
            findings.push(Finding::error(table.path, *line, message));
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

/// The codes with their lines.
fn codes_of(table: &Table, text: &str) -> Vec<(String, usize)> {
    text.lines()
        .enumerate()
        .skip_while(|(_, line)| *line != table.begin)
        .take_while(|(_, line)| *line != "}")
        .filter(|(_, line)| {
            line.trim_start()
                .starts_with(|c: char| c.is_ascii_uppercase())
        })
        .filter_map(|(index, line)| {
            let literal = line.split('"').nth(1)?;
            Some((format!("{}{literal}", table.prefix), index + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check as check_files;
    use crate::workspace::TextFile;

    const SYNTAX: (&str, &str) = (
        "crates/fantail-syntax/src/error.rs",
        "//! Errors.\nkinds! {\n    /// An \"example\".\n    Missing \"F01\" \"what\";\n}\n",
    );
    const FILTER: (&str, &str) = (
        "crates/fantail-filter/src/warning.rs",
        "//! Warnings.\nfantail_syntax::kinds! {\n    Odd \"W01\" \"what\";\n}\n",
    );
    const ODD: (&str, &str) = ("docs/errors/W01.md", "");
    const CONFIG: (&str, &str) = (
        "crates/fantail-config/src/diagnostic/code.rs",
        "//! Codes.\ncodes! {\n    Long = \"long\", Error,\n        \"what\";\n}\nOther \"x\"\n",
    );
    const LINT: (&str, &str) = (
        "crates/fantail-lint/src/code.rs",
        "//! Codes.\ncodes! {\n    Bad = \"bad\", Error;\n}\n",
    );
    const BAD: (&str, &str) = ("docs/errors/lint/bad.md", "");
    const DOCTOR: (&str, &str) = (
        "crates/fantail-lint/src/doctor/code.rs",
        "//! Codes.\ncodes! {\n    Ill = \"ill\", Error;\n}\n",
    );
    const ILL: (&str, &str) = ("docs/errors/doctor/ill.md", "");
    const INDEX: (&str, &str) = ("docs/errors/README.md", "");

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files: Vec<TextFile> = files
            .iter()
            .map(|(path, text)| TextFile::new(path, text))
            .collect();
        let found: Vec<String> = check_files(&files)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn without_the_folder_nothing_is_asked() {
        check(&[SYNTAX, FILTER, CONFIG, LINT, DOCTOR], &[]);
    }

    #[test]
    fn each_code_has_its_page() {
        let syntax = ("docs/errors/F01.md", "");
        let config = ("docs/errors/config/long.md", "");
        let sources = [SYNTAX, FILTER, CONFIG, LINT, BAD, DOCTOR, ILL];
        let with = |pages: &[(&'static str, &'static str)]| [&sources[..], pages].concat();
        check(&with(&[INDEX, syntax, ODD, config]), &[]);
        check(
            &with(&[INDEX, syntax, ODD]),
            &["error: crates/fantail-config/src/diagnostic/code.rs:3: \
               the error config/long has no page docs/errors/config/long.md"],
        );
        let other = ("docs/errors/F02.md", "");
        check(
            &with(&[syntax, ODD, config, other]),
            &["error: docs/errors/F02.md: no error has this code"],
        );
    }

    #[test]
    fn a_table_that_moved_is_named() {
        let syntax = ("docs/errors/F01.md", "");
        check(
            &[SYNTAX, syntax, FILTER, ODD, LINT, BAD, DOCTOR, ILL],
            &["error: crates/fantail-config/src/diagnostic/code.rs: \
               no error codes are found here: see xtask/src/tidy/error_codes.rs"],
        );
    }
}
