//! What people see: the commands in `testdata/diagnostics/*.txt`, and those in
//! the pages of `docs/errors`, print the text below them.
//!
//! With `UPDATE_EXPECT=1` the files are written anew; read the difference.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use fantail::{
    config::{self, Style},
    filter::WarningKind,
    syntax::{Limits, ParseErrorKind, ParseOptions},
};

use super::program::{contents, fantail, repository, test_data};

fn read(path: &Path) -> String {
    String::from_utf8(contents(path)).unwrap()
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// The file has this text, or gets it.
#[track_caller]
fn compare(path: &Path, text: &str) {
    if is_update() {
        let mut file = File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    } else {
        assert_eq!(read(path), text, "{}", path.display());
    }
}

/// The arguments of a command line, as far as a shell is needed here: single
/// quotes, and a backslash outside of them.
fn arguments(line: &str) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    let (mut is_quoted, mut is_open) = (false, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\'' => {
                is_quoted = !is_quoted;
                None
            }
            ' ' if !is_quoted => {
                is_open = false;
                continue;
            }
            '\\' if !is_quoted => chars.next(),
            other => Some(other),
        };
        if !is_open {
            arguments.push(String::new());
            is_open = true;
        }
        arguments.last_mut().unwrap().extend(c);
    }
    arguments
}

/// What the program answers: errors and warnings first, as on a terminal.
fn answer(command: &str) -> String {
    let run = fantail(&arguments(command), b"");
    let has_errors = run.err.lines().any(|line| line.starts_with("error"));
    assert_eq!(run.status, Some(i32::from(has_errors)), "{command}");
    let mut text = run.err + &String::from_utf8(run.out).unwrap();
    let trimmed = text.trim_end().len();
    text.truncate(trimmed);
    text
}

/// The text with the answers of its commands put in their places. Each
/// command's answer ends at the next command, or at the end of its block.
fn with_answers(text: &str) -> String {
    let mut out = String::new();
    let mut in_answer = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ fantail ") {
            if in_answer {
                out.push('\n');
            }
            out += &format!("{line}\n{}\n", answer(command));
            in_answer = true;
        } else if line.starts_with("```") || !in_answer {
            in_answer = false;
            out += line;
            out.push('\n');
        }
    }
    out
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn transcripts() {
    for path in files(&test_data("diagnostics"), "txt") {
        compare(&path, &with_answers(&read(&path)));
    }
}

#[test]
fn pages() {
    for path in files(&repository().join("docs/errors"), "md") {
        compare(&path, &with_answers(&read(&path)));
    }
}

/// Limits whose real values are too large for a command line or a golden file.
#[test]
fn limits() {
    let limits = Limits {
        length: 20,
        depth: 2,
        terms: 2,
        wildcards: 2,
    };
    let options = ParseOptions {
        limits,
        ..ParseOptions::default()
    };
    let texts = [
        "user=\"a\0b\"",
        "event=imap_command_finished",
        "NOT ((NOT a=1))",
        "a=1 OR b=2 OR c=3",
        "event=*a*b*",
    ];
    let mut drawn = String::new();
    for text in texts {
        let errors = fantail::syntax::parse(text.as_bytes(), &options).expect_err(text);
        drawn += &config::render_filter_errors("filter", text.as_bytes(), &errors, Style::Plain);
    }
    let text = format!("{}\n", drawn.trim_end());
    compare(&test_data("diagnostics/limits.golden"), &text);
}

/// Each code is drawn somewhere, and has a page that says so.
#[test]
fn each_code_is_shown() {
    if is_update() {
        // The other tests are writing the files.
        return;
    }
    let errors = ParseErrorKind::ALL.iter().map(|kind| kind.code());
    let warnings = WarningKind::ALL.iter().map(|kind| kind.code());
    let folder = test_data("diagnostics");
    let goldens = files(&folder, "txt").into_iter();
    let goldens: String = goldens
        .chain([folder.join("limits.golden")])
        .map(|path| read(&path))
        .collect();
    for code in errors.chain(warnings) {
        assert!(goldens.contains(&format!("[{code}]: ")), "{code}");
        let page = read(&repository().join(format!("docs/errors/{code}.md")));
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        let shows = page.contains(&format!("[{code}]: "));
        assert_eq!(shows, page.contains("```console"), "{code}");
    }
}
