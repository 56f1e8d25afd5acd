//! Two evaluators of filters: libdovecot and `fantail filter eval`.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use super::super::version::Installation;
use crate::error::Error;

/// Builds the program that evaluates filters with libdovecot, in the folder of the
/// installation.
///
/// The compiler is that of this machine: a root folder needs only `dovecot-dev`. The
/// libraries of a newer root need a newer C library, which the program gets when it
/// runs in its root.
pub(super) fn build(installation: &Installation) -> Result<(), Error> {
    let headers = installation.in_root(Path::new("/usr/include/dovecot"));
    if !headers.join("event-filter.h").is_file() {
        let headers = headers.display();
        return Err(Error::new(format!(
            "no headers in {headers}: install dovecot-dev there"
        )));
    }
    let source = installation.outside("oracle.c");
    fs::write(&source, include_str!("oracle.c")).map_err(Error::at("write", &source))?;
    let libraries = installation.in_root(Path::new("/usr/lib/dovecot"));
    let output = Command::new("cc")
        .args(["-O2", "-std=gnu11", "-DHAVE_CONFIG_H", "-o"])
        .arg(installation.outside("oracle"))
        .arg("-I")
        .arg(headers)
        .arg(source)
        .arg("-L")
        .arg(libraries)
        .args(["-ldovecot", "-Wl,-rpath,/usr/lib/dovecot"])
        .arg("-Wl,--allow-shlib-undefined")
        .output()
        .map_err(|error| Error::new(format!("cannot run cc: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("cc: {}", said.trim_end())))
}

/// Returns the command of libdovecot's evaluator.
pub(super) fn theirs(installation: &Installation) -> Command {
    installation.command(&installation.inside("oracle"))
}

/// Returns the command of fantail's evaluator.
pub(super) fn ours(program: &Path, series: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["filter", "eval", "--dialect", series]);
    command
}

/// Feeds a program with lines; returns the lines of its answer, fewer if it dies.
pub(super) fn answers(mut command: Command, input: Vec<u8>) -> Result<Vec<Vec<u8>>, Error> {
    let failed = |error| Error::new(format!("cannot run an evaluator: {error}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let feeder = thread::spawn(move || {
        // A program that dies reads no more.
        stdin.map(|mut stdin| stdin.write_all(&input))
    });
    let mut answer = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut answer).map_err(failed)?;
    }
    child.wait().map_err(failed)?;
    let _ = feeder.join();
    let mut lines: Vec<Vec<u8>> = answer.split(|byte| *byte == b'\n').map(Vec::from).collect();
    // After the last LF: nothing, or a line that a dying program did not finish.
    lines.pop();
    Ok(lines)
}
