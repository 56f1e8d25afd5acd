//! What people see in terminals of 60 and 120 columns, with and without colour: the
//! files in `testdata/terminal` have it.
//!
//! With `UPDATE_EXPECT=1` the files are written anew; read the difference.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use fantail_testkit::program;

use super::program::{contents, repository, test_data};

/// Names of files, and the commands.
const COMMANDS: &[(&str, &str)] = &[
    ("events-of-a-field", "events --field last_run_time"),
    ("event", "events imap_command_finished --dovecot 2.4.1"),
    (
        "check",
        "check testdata/lint/article-with-slips.conf --dialect 2.3",
    ),
    (
        "dump",
        "replay --config testdata/readme/dovecot.conf --exports /dev/null --dump - \
         testdata/captures/dovecot-2.3.19.tsv",
    ),
    (
        "explain",
        "filter explain 'event=imap_command_finished AND cmd_name=SELECT AND bytes_out>1024' \
         testdata/captures/dovecot-2.3.19.tsv --event 100",
    ),
    ("test", "test testdata/terminal/failing.test"),
];

/// Runs a command in a terminal; `None` without the program `script`.
fn in_terminal(columns: u16, colour: bool, command: &str) -> Option<String> {
    let script = program("script")?;
    let no_colour = if colour { "" } else { "NO_COLOR=1 " };
    let fantail = env!("CARGO_BIN_EXE_fantail");
    let line = format!("stty cols {columns} rows 50 -onlcr; {no_colour}'{fantail}' {command}");
    let mut shown = Command::new(script);
    shown.args(["-q", "-c", &line, "/dev/null"]);
    shown.current_dir(repository()).stdin(Stdio::null());
    shown
        .env("FANTAIL_CONFIG", "/nonexistent")
        .env("SHELL", "/bin/sh");
    shown.env_remove("NO_COLOR");
    let output = shown.output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn commands_fit_into_terminals() {
    for (name, command) in COMMANDS {
        for columns in [60, 120] {
            let Some(plain) = in_terminal(columns, false, command) else {
                return;
            };
            let coloured = in_terminal(columns, true, command).unwrap();
            assert!(!plain.contains('\x1b'), "{plain:?}");
            for (kind, text) in [("plain", &plain), ("coloured", &coloured)] {
                let path = test_data(&format!("terminal/{name}-{columns}-{kind}.txt"));
                if std::env::var_os("UPDATE_EXPECT").is_some() {
                    let mut file = std::fs::File::create(&path).unwrap();
                    file.write_all(text.as_bytes()).unwrap();
                }
                let expected = String::from_utf8(contents(&path)).unwrap();
                assert_eq!(*text, expected, "{}", path.display());
            }
        }
    }
}

/// Tables and lists are within the width; only lines that quote a file are not cut.
#[test]
fn tables_are_not_wider_than_the_terminal() {
    for (name, command) in COMMANDS {
        if !["events-of-a-field", "event", "dump"].contains(name) {
            continue;
        }
        let Some(text) = in_terminal(60, false, command) else {
            return;
        };
        let lines = text.lines().filter(|line| !line.starts_with("note: "));
        for line in lines {
            assert!(line.chars().count() <= 60, "{name}: {line}");
        }
    }
}

/// A command that reads standard input does not wait for a keyboard without a word.
#[test]
fn a_terminal_is_no_capture() {
    let Some(said) = in_terminal(120, false, "filter match 'event=*'") else {
        return;
    };
    assert!(
        said.contains("no capture is given: name a file, or pipe one"),
        "{said}"
    );
}
