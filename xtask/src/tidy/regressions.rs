//! The table of Dovecot's bugs in `docs/testing.md`: each row names tests, and
//! each test that is named exists.
//!
//! A test is written as `` `crate`: `path::of::test` ``, more of the same crate
//! with commas between. A row without a test says why with "No test:".

use std::collections::BTreeMap;

use super::{Finding, text_of};
use crate::workspace::{Package, TextFile};

const PAGE: &str = "docs/testing.md";

/// The heads of tables whose rows name tests.
const HEAD: &str = "| bug |";

/// How a row without a test begins its last cell.
const NO_TEST: &str = "No test:";

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    let Some(page) = text_of(files, PAGE) else {
        return vec![Finding::error(PAGE, 0, "is missing")];
    };
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (line, row) in rows(page) {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let (bug, tests) = (cells.next(), cells.last());
        let (Some(bug), Some(tests)) = (bug, tests) else {
            continue;
        };
        match number(bug) {
            Some((series, number)) => numbers.entry(series.to_owned()).or_default().push(number),
            None => findings.push(Finding::error(
                PAGE,
                line,
                format!("`{bug}` is no number of a bug"),
            )),
        }
        for why in row_findings(tests, packages, files) {
            let message = format!("bug {bug}: {why}");
            findings.push(Finding::error(PAGE, line, message));
        }
    }
    if numbers.is_empty() {
        let message = format!("has no table that begins with `{HEAD}`");
        findings.push(Finding::error(PAGE, 0, message));
    }
    for (series, mut known) in numbers {
        known.sort_unstable();
        let all: Vec<u32> = (1..).take(known.len()).collect();
        if known != all {
            let message = format!("the bugs {series}1, {series}2, … have gaps or repetitions");
            findings.push(Finding::error(PAGE, 0, message));
        }
    }
    findings
}

/// The rows of the tables, with their line numbers.
fn rows(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_table = false;
    let lines = (1..).zip(page.lines());
    lines.filter(move |(_, line)| {
        if line.starts_with(HEAD) {
            in_table = true;
            return false;
        }
        in_table &= line.starts_with('|');
        in_table && !line.starts_with("| ---")
    })
}

/// `R27` is 27 of the series `R`.
fn number(bug: &str) -> Option<(&str, u32)> {
    let digits = bug.find(|c: char| c.is_ascii_digit())?;
    let (series, number) = bug.split_at(digits);
    Some((series, number.parse().ok()?))
}

/// What is wrong with the last cell of a row.
fn row_findings(tests: &str, packages: &[Package], files: &[TextFile]) -> Vec<String> {
    let mut found = Vec::new();
    if tests.starts_with(NO_TEST) {
        return found;
    }
    let mut package = None;
    let mut count = 0;
    // Every second part is a text in backquotes.
    let mut parts = tests.split('`').skip(1);
    while let (Some(name), Some(after)) = (parts.next(), parts.next()) {
        if after.starts_with(':') {
            package = packages.iter().find(|package| package.name == name);
            if package.is_none() {
                found.push(format!("there is no crate `{name}`"));
            }
            continue;
        }
        count += 1;
        match package {
            Some(package) if has_test(package, name, files) => {}
            Some(package) => found.push(format!("{} has no test `{name}`", package.name)),
            None if found.is_empty() => found.push(format!("no crate is named for `{name}`")),
            None => {}
        }
    }
    if count == 0 {
        found.push(format!(
            "no test is named; say why there is none with `{NO_TEST}`"
        ));
    }
    found
}

/// Whether a file of the package that stands for the module has the test.
fn has_test(package: &Package, path: &str, files: &[TextFile]) -> bool {
    let (modules, name) = path.rsplit_once("::").unwrap_or(("", path));
    let modules = modules.strip_suffix("::tests").unwrap_or(modules);
    let modules = modules.replace("::", "/");
    let ends = match modules.as_str() {
        "" => ["/main.rs".to_owned(), "/lib.rs".to_owned()],
        modules => [format!("/{modules}.rs"), format!("/{modules}/tests.rs")],
    };
    let folder = format!("{}/", package.folder);
    let mut sources = files.iter().filter(|file| {
        file.path.starts_with(&folder) && ends.iter().any(|end| file.path.ends_with(end))
    });
    sources.any(|file| is_test_of(&file.text, name))
}

/// Whether a source has a test of this name: a function below `#[test]`.
fn is_test_of(source: &str, name: &str) -> bool {
    let mut is_test = false;
    source.lines().map(str::trim).any(|line| {
        let function = line.strip_prefix("async fn ").or(line.strip_prefix("fn "));
        if let Some(function) = function {
            let named = function.strip_prefix(name);
            let named = named.is_some_and(|rest| rest.starts_with('('));
            return std::mem::take(&mut is_test) && named;
        }
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        false
    })
}

#[cfg(test)]
mod tests {
    use super::{PAGE, check as check_files};
    use crate::workspace::{Package, TextFile};

    /// Checks a page with these rows against two crates.
    #[track_caller]
    fn check(rows: &str, expected: &[&str]) {
        let page = format!("# T\n\n| bug | what | test |\n| --- | --- | --- |\n{rows}\n\nend\n");
        let files = [
            TextFile::new(PAGE, &page),
            TextFile::new(
                "crates/a/src/deep/cut.rs",
                "fn helper() {}\n#[test]\nfn cuts() {}\nfn not_a_test() {}\n",
            ),
            TextFile::new("crates/a/src/deep/long/tests.rs", "#[test]\nfn long() {}\n"),
            TextFile::new(
                "crates/b/tests/it/peer.rs",
                "    #[tokio::test(flavor = \"x\")]\n    /// Why.\n    async fn peer() {}\n",
            ),
        ];
        let found = check_files(&[Package::named("a"), Package::named("b")], &files);
        let found: Vec<_> = found.into_iter().map(|one| one.message).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn tests_that_exist_are_accepted() {
        check(
            "| R1 | x | `a`: `deep::cut::tests::cuts`, `deep::long::tests::long`; `b`: `peer::peer` |\n\
             | R2 | a `b` | No test: there is no `a` here. |\n\
             | 1 | x | `a`: `cut::cuts` |",
            &[],
        );
    }

    #[test]
    fn tests_that_do_not_exist_are_named() {
        let missing = |path: &str, expected: &str| {
            check(&format!("| R1 | x | `a`: `{path}` |"), &[expected]);
        };
        missing(
            "deep::cut::tests::cut",
            "bug R1: a has no test `deep::cut::tests::cut`",
        );
        missing("cut::helper", "bug R1: a has no test `cut::helper`");
        missing("cut::not_a_test", "bug R1: a has no test `cut::not_a_test`");
        missing("peer::peer", "bug R1: a has no test `peer::peer`");
        check(
            "| R1 | x | `c`: `peer::peer` |",
            &["bug R1: there is no crate `c`"],
        );
        check(
            "| R1 | x | `peer::peer` |",
            &["bug R1: no crate is named for `peer::peer`"],
        );
    }

    #[test]
    fn rows_without_a_test_say_why() {
        check(
            "| R1 | x | later |",
            &["bug R1: no test is named; say why there is none with `No test:`"],
        );
    }

    #[test]
    fn no_bug_is_left_out() {
        check(
            "| R1 | x | No test: y |\n| R3 | x | No test: y |",
            &["the bugs R1, R2, … have gaps or repetitions"],
        );
        check(
            "| x | x | No test: y |",
            &[
                "`x` is no number of a bug",
                "has no table that begins with `| bug |`",
            ],
        );
        let found = check_files(&[], &[]);
        assert_eq!(found.len(), 1, "the page itself");
    }
}
