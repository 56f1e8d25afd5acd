//! What packages install: manual pages and completions.

#![allow(clippy::disallowed_methods, reason = "a test's own files")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use fantail_testkit::program;

use crate::{contrib::check as check_by_script, program::fantail};

/// The program itself.
const FANTAIL: &str = env!("CARGO_BIN_EXE_fantail");

/// The manual pages, by name.
fn pages(folder: &Path) -> BTreeSet<String> {
    fantail(&["man".as_ref(), folder.as_os_str()], b"").succeeded();
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The commands that `--help` of a command lists.
fn commands(of: &[&str]) -> Vec<String> {
    let help = fantail(&[of, &["--help"]].concat(), b"").succeeded();
    let help = String::from_utf8(help).unwrap();
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        return Vec::new();
    };
    let rows = list.lines().take_while(|row| !row.is_empty());
    let names = rows.filter_map(|row| row.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = BTreeSet::from(["fantail.1".to_owned()]);
    for command in commands(&[]) {
        for below in commands(&[&command]) {
            expected.insert(format!("fantail-{command}-{below}.1"));
        }
        expected.insert(format!("fantail-{command}.1"));
    }
    assert!(expected.contains("fantail-stats-dump.1"), "{expected:?}");
    assert_eq!(pages(folder.path()), expected);
}

#[test]
fn manual_pages_are_formatted_without_warnings() {
    let Some(groff) = program("groff") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for page in pages(folder.path()) {
        let mut command = Command::new(&groff);
        command.args(["-man", "-Tutf8", "-ww", "-z"]);
        let output = command.arg(folder.path().join(&page)).output().unwrap();
        assert!(output.status.success(), "{page}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{page}");
    }
}

#[track_caller]
fn check_completions(shell: &str) {
    if program("python3").is_some() && program(shell).is_some() {
        check_by_script("completions.py", &[FANTAIL.as_ref(), shell.as_ref()]);
    }
}

#[test]
fn bash_completes_names_of_the_catalogue() {
    check_completions("bash");
}

#[test]
fn zsh_completes_names_of_the_catalogue() {
    check_completions("zsh");
}

#[test]
fn fish_completes_names_of_the_catalogue() {
    check_completions("fish");
}
