//! Runs the static program in a root that has no other file: no C library, no shell, no
//! list of users.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{emptied, output, silently};
use crate::error::Error;

/// The configuration of the trial: all sockets are fantail's, and none has an owner that
/// would have to be looked up.
const CONFIGURATION: &str = "base_dir = /run
service stats {
  unix_listener stats-writer {
    user = 0
    group = 0
  }
  unix_listener login/stats-writer {
    user = 0
    group = 0
  }
}
metric commands {
  filter = event=imap_command_finished
}
";

/// Unpacks the tarball into an empty root, and runs commands and a server there.
pub(super) fn run(tarball: &Path, roots: &Path) -> Result<(), Error> {
    let unpacked = roots.join("bare.unpacked");
    emptied(&unpacked)?;
    let mut tar = Command::new("tar");
    tar.args(["--strip-components=1", "-xzf"]).arg(tarball);
    silently(tar.arg("-C").arg(&unpacked))?;
    let root = roots.join("bare");
    emptied(&root)?;
    let program = unpacked.join("fantail");
    fs::copy(&program, root.join("fantail")).map_err(Error::at("copy", &program))?;
    let path = root.join("fantail.conf");
    fs::write(&path, CONFIGURATION).map_err(Error::at("write", &path))?;
    let said = output(inside(&root).arg("--version"))?;
    print!("empty root: {said}");
    output(inside(&root).args(["check", "/fantail.conf"]))?;
    output(inside(&root).args(["explain", "doctor/not-served"]))?;
    let mut serve = inside(&root);
    serve.args(["serve", "--config", "/fantail.conf", "--state", "/state"]);
    serve.args(["--http", "127.0.0.1:0", "--hostname", "bare"]);
    serve.stdin(Stdio::null()).stderr(Stdio::piped());
    let child = serve.spawn();
    let mut child = child.map_err(|error| Error::caused("cannot run chroot", error))?;
    let served = dump(&root, &mut child);
    if served.is_err() {
        let _ = child.kill();
    }
    let status = child.wait();
    let status = status.map_err(|error| Error::caused("cannot wait for fantail", error))?;
    served?;
    if !status.success() || !root.join("state").is_file() {
        return Err(Error::new(format!(
            "empty root: the server ended: {status}"
        )));
    }
    println!("empty root: serves, answers, saves its state and ends");
    fs::remove_dir_all(&unpacked).map_err(Error::at("remove", &unpacked))?;
    fs::remove_dir_all(&root).map_err(Error::at("remove", &root))
}

/// Waits until the server is ready, requests a dump, and stops the server.
fn dump(root: &Path, child: &mut Child) -> Result<(), Error> {
    let Some(said) = child.stderr.take() else {
        return Err(Error::new("empty root: no standard error"));
    };
    let (mut lines, mut line) = (BufReader::new(said), String::new());
    while !line.ends_with("is ready\n") {
        let from = line.len();
        let read = lines.read_line(&mut line);
        if read.map_err(|error| Error::caused("cannot read", error))? == 0 {
            return Err(Error::new(format!("empty root: {line}")));
        }
        print!("empty root: {}", line.get(from..).unwrap_or_default());
    }
    let dumped = output(inside(root).args(["stats", "dump", "--socket", "/run/stats-reader"]))?;
    if !dumped.contains("commands") {
        return Err(Error::new(format!("empty root: the dump is\n{dumped}")));
    }
    let id = i32::try_from(child.id()).ok();
    if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    let _ = lines.read_to_string(&mut line);
    Ok(())
}

/// Returns a command of the program in the root.
fn inside(root: &Path) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).arg("/fantail").env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}
