//! The pages of the book (`docs/SUMMARY.md`): their commands print what they show.
//!
//! A block with the information `conf file=NAME` is a file. Lines of a `console` block
//! that begin with `$ ` are commands; the lines after it are what it prints, where a
//! line `…` stands for any lines. All commands of a page run in one folder with the
//! page's files and `testdata`. With `UPDATE_EXPECT=1` the output is written anew.

use std::{
    fmt::Write as _,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::program::{contents, repository};

/// Any lines of output.
const ANY_LINES: &str = "…";

/// A folder for the commands of one page.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let test_data = repository().canonicalize().unwrap().join("testdata");
        std::os::unix::fs::symlink(test_data, folder.path().join("testdata")).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        write(self.0.path().join(name), text);
    }

    /// What a command prints, to both streams.
    fn run(&self, command: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_fantail")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(self.0.path())
            .env("PATH", format!("{}:{path}", program.display()))
            .env("FANTAIL_CONFIG", "/nonexistent")
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Whether the output is the expected one, in which `…` stands for any lines.
fn matches(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&ANY_LINES, rest)) => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, others)| line.trim_end() == *first && matches(rest, others)),
    }
}

/// A command, maybe of several lines, and the lines that it prints.
struct Step<'p> {
    command: Vec<&'p str>,
    output: Vec<&'p str>,
}

fn steps<'p>(block: &[&'p str]) -> Vec<Step<'p>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for line in block {
        match steps.last_mut() {
            Some(Step { command, output })
                if output.is_empty() && command.last().unwrap().ends_with('\\') =>
            {
                command.push(line);
            }
            Some(step) if !line.starts_with("$ ") => step.output.push(line),
            _ => steps.push(Step {
                command: vec![line.strip_prefix("$ ").unwrap_or(line)],
                output: Vec::new(),
            }),
        }
    }
    steps
}

/// Runs a page; gives it with the output that its commands have, and the failures.
fn run_page(text: &str) -> (String, Vec<String>) {
    let folder = Folder::new();
    let mut made = String::new();
    let mut failures = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(made, "{line}");
        let Some(information) = line.strip_prefix("```").filter(|rest| !rest.is_empty()) else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if information == "console" {
            for step in steps(&block) {
                let command = step.command.join("\n");
                let printed = folder.run(&command);
                let printed: Vec<&str> = printed.lines().collect();
                if !matches(&step.output, &printed) {
                    failures.push(format!("$ {command}\n{}", printed.join("\n")));
                }
                let kept = step.output.contains(&ANY_LINES);
                let output = if kept { &step.output } else { &printed };
                let output = output.iter().map(|line| line.trim_end());
                let command = format!("$ {command}");
                for line in command.lines().chain(output) {
                    let _ = writeln!(made, "{line}");
                }
            }
        } else {
            if let Some((_, name)) = information.split_once(" file=") {
                folder.write(name, &(block.join("\n") + "\n"));
            }
            for line in &block {
                let _ = writeln!(made, "{line}");
            }
        }
        made.push_str("```\n");
    }
    (made, failures)
}

fn text_of(path: impl AsRef<Path>) -> String {
    String::from_utf8(contents(path)).unwrap()
}

fn write(path: impl AsRef<Path>, text: &str) {
    let mut file = File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The pages that the table of contents names, but those of codes: they have tests of
/// their own.
fn pages() -> Vec<PathBuf> {
    let summary = text_of(repository().join("docs/SUMMARY.md"));
    let targets = summary.lines().filter_map(|line| {
        let (_, target) = line.split_once("](")?;
        if target.starts_with("errors/") {
            return None;
        }
        Some(repository().join("docs").join(target.strip_suffix(')')?))
    });
    targets.collect()
}

#[test]
fn commands_print_what_the_pages_show() {
    let mut ran = 0;
    let mut all = Vec::new();
    for path in pages() {
        let text = text_of(&path);
        if !text.contains("```console\n") {
            continue;
        }
        ran += 1;
        let (made, failures) = run_page(&text);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            write(&path, &made);
        } else if !failures.is_empty() {
            all.push(format!("{}:\n{}", path.display(), failures.join("\n")));
        }
    }
    assert!(ran > 0, "no page has a command");
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

#[test]
fn a_page_that_shows_something_else_fails() {
    let (made, failures) = run_page("```console\n$ echo a; echo b\na\n```\n");
    assert_eq!(failures, ["$ echo a; echo b\na\nb"]);
    assert_eq!(made, "```console\n$ echo a; echo b\na\nb\n```\n");
    let (made, failures) = run_page("```console\n$ echo a; echo b\n…\nb\n```\n");
    assert_eq!(failures, [""; 0]);
    assert_eq!(made, "```console\n$ echo a; echo b\n…\nb\n```\n");
}
