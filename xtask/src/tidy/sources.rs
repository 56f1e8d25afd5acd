//! Rust files: their size, first line and names, and lines that tests must not
//! have.

use super::Finding;
use crate::workspace::TextFile;

/// The number of lines above which a warning is given.
const LARGE: usize = 400;
/// The number of lines above which a file must be divided.
const TOO_LARGE: usize = 700;

/// Names of modules without a theme.
const DRAWERS: &[&str] = &["util", "utils", "common", "types", "helpers", "misc"];

/// Starts of forbidden lines. Written in two parts, so that this file does not
/// contain them.
const UNWANTED: &[(&str, &str)] = &[
    (
        concat!("#[", "ignore"),
        "a test that does not run proves nothing",
    ),
    (
        concat!("#[", "should_panic"),
        "a test says what it expects in an assertion",
    ),
    (concat!("todo", "!("), "unfinished"),
    (concat!("unimplemented", "!("), "unfinished"),
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let path = file.path.as_str();
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        let message = "begins without `//!`: what the module is, and what it does not do";
        findings.push(Finding::error(path, 1, message));
    }
    let lines = file.text.lines().count();
    if !is_test(path) && !is_generated(&file.text) && lines > LARGE {
        let message = format!("{lines} lines; aim at {LARGE}, {TOO_LARGE} is the limit");
        findings.push(Finding {
            warning: lines <= TOO_LARGE,
            ..Finding::error(path, 0, message)
        });
    }
    if let Some(name) = DRAWERS.iter().find(|drawer| is_module(path, drawer)) {
        let message = format!("a module named {name} says nothing of what belongs in it");
        findings.push(Finding::error(path, 0, message));
    }
    for (index, line) in file.text.lines().enumerate() {
        for (start, why) in UNWANTED {
            if line.trim_start().starts_with(start) {
                let message = format!("`{start}`: {why}");
                findings.push(Finding::error(path, index + 1, message));
            }
        }
    }
    findings
}

fn is_module(path: &str, name: &str) -> bool {
    path.ends_with(&format!("/{name}.rs")) || path.contains(&format!("/{name}/"))
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

/// Returns whether the head of a file says that it is generated.
fn is_generated(text: &str) -> bool {
    text.lines().take(5).any(|line| line.contains("@generated"))
}

#[cfg(test)]
mod tests {
    use super::check_file;
    use crate::workspace::TextFile;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let file = TextFile::new(path, text);
        let found: Vec<String> = check_file(&file).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    fn lines(count: usize) -> String {
        format!("//! Long.\n{}", "\n".repeat(count - 1))
    }

    #[test]
    fn modules_say_what_they_are() {
        check("a/src/lib.rs", "//! What.\n", &[]);
        check(
            "a/src/lib.rs",
            "mod a;\n",
            &["error: a/src/lib.rs:1: begins without `//!`: \
               what the module is, and what it does not do"],
        );
    }

    #[test]
    fn large_files_are_named() {
        check("a/src/x.rs", &lines(400), &[]);
        let warning = "warning: a/src/x.rs: 700 lines; aim at 400, 700 is the limit";
        check("a/src/x.rs", &lines(700), &[warning]);
        let error = "error: a/src/x.rs: 701 lines; aim at 400, 700 is the limit";
        check("a/src/x.rs", &lines(701), &[error]);
        check("a/tests/it/x.rs", &lines(701), &[]);
        check("a/src/x/tests.rs", &lines(701), &[]);
        let generated = format!("//! @generated\n{}", "\n".repeat(800));
        check("a/src/x.rs", &generated, &[]);
    }

    #[test]
    fn drawers_are_not_modules() {
        let message = "a module named util says nothing of what belongs in it";
        check("a/src/utilise.rs", "//! x\n", &[]);
        check(
            "a/src/util.rs",
            "//! x\n",
            &[&format!("error: a/src/util.rs: {message}")],
        );
        check(
            "a/src/util/b.rs",
            "//! x\n",
            &[&format!("error: a/src/util/b.rs: {message}")],
        );
    }

    #[test]
    fn tests_run() {
        let attribute = concat!("#[", "ignore");
        let text = format!("//! x\n// no {attribute}]\n    {attribute} = \"slow\"]\n");
        let expected =
            format!("error: a/src/x.rs:3: `{attribute}`: a test that does not run proves nothing");
        check("a/src/x.rs", &text, &[&expected]);
    }
}
