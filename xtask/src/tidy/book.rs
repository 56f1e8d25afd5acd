//! The book in `docs/`: its table of contents names every page, and links lead
//! somewhere.

use std::collections::HashSet;

use super::{Finding, text_of};
use crate::{packages::pictures, workspace::TextFile};

const SUMMARY: &str = "docs/SUMMARY.md";

/// Checks the pages; `is_file` says whether a file is there that is no text, such as a
/// picture.
pub(super) fn check(files: &[TextFile], is_file: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = missing_pages(files);
    for file in files.iter().filter(|file| is_markdown(&file.path)) {
        for (line, target) in links(&file.text) {
            if let Some(message) = broken(files, is_file, file, target) {
                findings.push(Finding::error(&file.path, line, message));
            }
        }
    }
    findings
}

/// Drawings that are not those of `cargo xtask pictures`.
pub(super) fn check_drawings(files: &[TextFile]) -> Vec<Finding> {
    let drawings = pictures::expected().into_iter();
    let others = drawings.filter(|(path, text)| text_of(files, path) != Some(text));
    let others = others.map(|(path, _)| {
        let message = "it is not what the program draws: run `cargo xtask pictures`";
        Finding::error(path, 0, message)
    });
    others.collect()
}

fn is_markdown(path: &str) -> bool {
    path.ends_with(".md")
}

/// Pages of the book that its table of contents does not name.
fn missing_pages(files: &[TextFile]) -> Vec<Finding> {
    let Some(summary) = text_of(files, SUMMARY) else {
        return vec![Finding::error(SUMMARY, 0, "is missing")];
    };
    let named: HashSet<&str> = links(summary).map(|(_, target)| target).collect();
    let pages = files.iter().filter_map(|file| {
        let page = file.path.strip_prefix("docs/")?;
        let missing = is_markdown(page) && page != "SUMMARY.md" && !named.contains(page);
        missing.then(|| Finding::error(&file.path, 0, format!("is not named in {SUMMARY}")))
    });
    pages.collect()
}

/// The targets of all links outside of code, with their lines.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    let prose = text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    prose.flat_map(|(number, line)| {
        line.split("](").skip(1).filter_map(move |rest| {
            let (target, _) = rest.split_once(')')?;
            Some((number + 1, target))
        })
    })
}

/// What is wrong with a link.
fn broken(
    files: &[TextFile],
    is_file: &dyn Fn(&str) -> bool,
    file: &TextFile,
    target: &str,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") || target.contains(' ') {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        file.path.clone()
    } else {
        resolved(&file.path, path)
    };
    let folder = format!("{path}/");
    let is_known = files
        .iter()
        .any(|other| other.path == path || other.path.starts_with(&folder));
    if !is_known && !is_file(&path) {
        return Some(format!("links to {path}, which does not exist"));
    }
    if anchor.is_empty() {
        return None;
    }
    let text = text_of(files, &path)?;
    (!anchors(text).contains(anchor)).then(|| format!("links to #{anchor}, which {path} lacks"))
}

/// A relative path, seen from the folder of a file.
fn resolved(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors of the headings of a page.
fn anchors(text: &str) -> HashSet<String> {
    let mut anchors = HashSet::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let title = line.trim_start_matches('#');
        if in_code || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let base: String = title.trim().chars().filter_map(anchor_character).collect();
        let numbered = (1..).map(|number| format!("{base}-{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        let free = names.find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

fn anchor_character(character: char) -> Option<char> {
    match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        other if other.is_alphanumeric() => other.to_lowercase().next(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::check as check_files;
    use crate::workspace::TextFile;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files: Vec<TextFile> = files
            .iter()
            .map(|(path, text)| TextFile::new(path, text))
            .collect();
        let found: Vec<String> = check_files(&files, &|path| path == "docs/a.png")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pages_that_the_table_of_contents_lacks_are_named() {
        let files = [
            ("docs/SUMMARY.md", "[A](a.md)"),
            ("docs/a.md", ""),
            ("docs/b.md", ""),
        ];
        check(
            &files,
            &["error: docs/b.md: is not named in docs/SUMMARY.md"],
        );
    }

    #[test]
    fn links_lead_somewhere() {
        let page = "# Title: `code`\n[x](#title-code)\n[y](../README.md) [z](c.md#two)\n\
                    ```\n[no](link)\n```\n[folder](../contrib) [web](https://example.org)\n\
                    ![picture](a.png)\n";
        let summary = ("docs/SUMMARY.md", "[A](a.md)\n[C](c.md)");
        let files = [
            summary,
            ("docs/a.md", page),
            ("docs/c.md", "## One\n## Two"),
            ("README.md", ""),
            ("contrib/x", ""),
        ];
        check(&files, &[]);
        let page = "[y](../none.md)\n[z](c.md#three)";
        let files = [summary, ("docs/a.md", page), ("docs/c.md", "## One")];
        check(
            &files,
            &[
                "error: docs/a.md:1: links to none.md, which does not exist",
                "error: docs/a.md:2: links to #three, which docs/c.md lacks",
            ],
        );
    }
}
