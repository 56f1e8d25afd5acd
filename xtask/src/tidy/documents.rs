//! The documents of every checkout, and their required contents.

use super::{Finding, text_of};
use crate::workspace::TextFile;

const README: &str = "README.md";

/// Files that must exist.
const REQUIRED: &[&str] = &[
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/contributing.md",
];

/// The two commands with which a newcomer runs fantail and tests it.
const README_COMMANDS: &[&str] = &["cargo run --release --bin fantail", "cargo xtask test"];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in REQUIRED {
        if text_of(files, path).is_none_or(|text| text.trim().is_empty()) {
            findings.push(Finding::error(*path, 0, "is missing"));
        }
    }
    match text_of(files, README) {
        None => findings.push(Finding::error(README, 0, "is missing")),
        Some(text) => {
            for command in README_COMMANDS {
                if !text.contains(command) {
                    let message = format!("does not mention `{command}`");
                    findings.push(Finding::error(README, 0, message));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{README, README_COMMANDS, REQUIRED, check as check_files};
    use crate::workspace::TextFile;

    fn check(readme: &str, expected: &[&str]) {
        let mut files: Vec<TextFile> = REQUIRED
            .iter()
            .map(|path| TextFile::new(path, "x"))
            .collect();
        files.push(TextFile::new(README, readme));
        let found: Vec<String> = check_files(&files).into_iter().map(|f| f.message).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_readme_tells_the_commands() {
        check(&README_COMMANDS.join("\n"), &[]);
        check(
            README_COMMANDS[0],
            &[&format!("does not mention `{}`", README_COMMANDS[1])],
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let found: Vec<String> = check_files(&[]).into_iter().map(|f| f.path).collect();
        assert_eq!(found, [REQUIRED, &[README]].concat());
    }
}
