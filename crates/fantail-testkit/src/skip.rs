//! Skipped tests, which are counted.
//!
//! A test that passes without its peer must not look like one that compared
//! with it. `cargo xtask test` collects skips in the file of
//! `FANTAIL_SKIP_LOG`, lists them at its end, and fails with `--no-skips`.

use std::{
    env,
    ffi::OsStr,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Folders of servers, which a user's `PATH` often lacks.
const SERVER_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Reports that the calling test is skipped, with the reason, such as
/// `no Dovecot 2.4 is here`.
///
/// Prints `skipped: <reason>`, and appends that line to the file of
/// `FANTAIL_SKIP_LOG`, if it is set. Return from the test after it.
///
/// # Panics
/// Panics if the file cannot be written: the skip would be lost.
#[allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "for tests: the line is the result, and a lost one must fail"
)]
pub fn skip(reason: &str) {
    let line = format!("skipped: {}\n", reason.replace('\n', " "));
    print!("{line}");
    if let Some(log) = env::var_os("FANTAIL_SKIP_LOG")
        && let Err(error) = append(Path::new(&log), &line)
    {
        panic!("cannot append to {}: {error}", Path::new(&log).display());
    }
}

/// Returns the path of a program; if it is not installed, [`skip`]s the calling
/// test.
///
/// ```no_run
/// # fn test() {
/// let Some(doveconf) = fantail_testkit::program("doveconf") else {
///     return;
/// };
/// # _ = doveconf;
/// # }
/// ```
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let found = installed(name);
    if found.is_none() {
        skip(&format!("{name} is not installed"));
    }
    found
}

/// Returns the path of an installed program.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    find(name, &env::var_os("PATH").unwrap_or_default())
}

fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .chain(SERVER_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Appends the line with one write: tests of several processes share the file.
fn append(log: &Path, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(log)?;
    file.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{env, ffi::OsStr, fs, process};

    use super::{append, find};

    #[test]
    fn a_program_is_looked_for_in_the_path() {
        let check = |name: &str, path: &str, expected: bool| {
            assert_eq!(find(name, OsStr::new(path)).is_some(), expected, "{name}");
        };
        check("sh", "/nowhere:/bin", true);
        check("sh", "/nowhere", false);
        check("no-such-program", "/bin:/usr/bin", false);
    }

    #[test]
    fn lines_are_added_to_the_log() {
        let log = env::temp_dir().join(format!("fantail-skips-{}", process::id()));
        append(&log, "skipped: one\n").unwrap();
        append(&log, "skipped: two\n").unwrap();
        #[allow(clippy::disallowed_methods, reason = "its own file")]
        let text = String::from_utf8(fs::read(&log).unwrap()).unwrap();
        fs::remove_file(&log).unwrap();
        assert_eq!(text, "skipped: one\nskipped: two\n");
    }
}
