//! What packages install: manual pages, completions, and units.

#![allow(clippy::disallowed_methods, reason = "a test's own files")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use fantail_testkit::program;

use crate::{
    contrib::check as check_by_script,
    program::{fantail, repository},
};

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

#[test]
fn systemd_understands_the_units() {
    let Some(analyze) = program("systemd-analyze") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for file in fs::read_dir(repository().join("contrib/systemd")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let unit = folder.path().join(match name {
            "unprivileged.conf" => "fantail.service.d/unprivileged.conf",
            _ if path.is_file() => name,
            _ => continue,
        });
        fs::create_dir_all(unit.parent().unwrap()).unwrap();
        // systemd also checks that the program exists.
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("fantail serve", &format!("{FANTAIL} serve"));
        let text = text.replace("fantail reload", &format!("{FANTAIL} reload"));
        fs::write(&unit, text).unwrap();
        if unit.parent() == Some(folder.path()) {
            units.push(unit);
        }
    }
    assert_eq!(units.len(), 4, "{units:?}");
    let mut command = Command::new(analyze);
    command.args(["verify", "--man=no"]).args(&units);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let ours = said.lines().filter(|line| line.contains("fantail"));
    assert_eq!(ours.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// The block by which Dovecot leaves its sockets, as a configuration of 2.3.
const DOVECOT: &str = "service stats {
  unix_listener stats-writer {
    mode = 0
  }
  unix_listener login/stats-writer {
    mode = 0
  }
  unix_listener stats-reader {
    mode = 0
  }
}
";

#[test]
fn example_configurations_are_without_findings() {
    let folder = tempfile::tempdir().unwrap();
    let dovecot = folder.path().join("dovecot.conf");
    let packs = repository().join("contrib");
    for example in ["debian", "docker-mailserver", "mailcow"] {
        let path = packs.join(example).join("fantail.conf");
        let text = fs::read_to_string(path).unwrap();
        let text = text.replace("/etc/dovecot/dovecot.conf", dovecot.to_str().unwrap());
        let text = text.replace("/usr/share/fantail", packs.to_str().unwrap());
        for (series, version) in [("2.3", ""), ("2.4", "dovecot_config_version = 2.4.1\n")] {
            fs::write(&dovecot, format!("{version}{DOVECOT}")).unwrap();
            // With all that is switched off, for this series.
            let switched_on = text.lines().map(|line| match line.strip_prefix('#') {
                Some(on) if on.contains("/2.") && !on.contains(series) => line,
                Some(on) if !on.starts_with(' ') || on.starts_with("  ") => on,
                _ => line,
            });
            let switched_on = switched_on.collect::<Vec<_>>().join("\n");
            let ours = folder.path().join("fantail.conf");
            fs::write(&ours, switched_on).unwrap();
            let arguments = ["check", "--for", "fantail", ours.to_str().unwrap()];
            let run = fantail(&arguments, b"");
            assert_eq!(run.status, Some(0), "{example} {series}: {}", run.err);
            assert!(
                !run.err.contains("warning"),
                "{example} {series}: {}",
                run.err
            );
        }
    }
}

/// The lines of a file without blanks at their ends, from the block on.
fn block(path: &str) -> String {
    let text = fs::read_to_string(repository().join("contrib").join(path)).unwrap();
    let lines = text
        .lines()
        .skip_while(|line| !line.contains("service stats {"));
    let indent = lines
        .clone()
        .next()
        .map_or(0, |line| line.len() - line.trim_start().len());
    let mut block = String::new();
    for line in lines {
        block += line.get(indent..).unwrap_or_default();
        block += "\n";
        if line.get(indent..) == Some("}") {
            break;
        }
    }
    block
}

#[test]
fn all_instructions_have_the_same_block() {
    for path in [
        "debian/README.Debian",
        "docker-mailserver/dovecot.cf",
        "mailcow/extra.conf",
        "nixos/fantail.nix",
    ] {
        assert_eq!(block(path), DOVECOT, "{path}");
    }
}
