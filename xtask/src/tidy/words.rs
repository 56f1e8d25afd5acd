//! Words that the repository must not contain: paths of one machine, and hosts
//! that readers do not need.

use super::Finding;
use crate::workspace::TextFile;

/// The words, in two parts each, so that this file does not contain them.
const FORBIDDEN: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "trixie"),
    concat!("/ro", "ot/"),
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".com"),
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    files
        .iter()
        // Cargo writes its registry into each lock file.
        .filter(|file| !file.path.ends_with("Cargo.lock"))
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for word in FORBIDDEN {
        // Searches the whole text first: it usually contains none of the words.
        if !file.text.contains(word) {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            if line.contains(word) {
                let message = format!("`{word}` does not belong into the repository");
                findings.push(Finding::error(&file.path, index + 1, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check as check_files;
    use crate::workspace::TextFile;

    fn check(path: &str, text: &str, expected: &[usize]) {
        let found = check_files(&[TextFile::new(path, text)]);
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn paths_and_hosts_are_found() {
        check("a.md", "at work/\nin /tmp/x\n", &[]);
        check("a.md", concat!("one\nin /wo", "rk/x\n"), &[2]);
        check("a.md", concat!("see crates", ".io\n"), &[1]);
        check("Cargo.lock", concat!("crates", ".io-index\n"), &[]);
    }
}
