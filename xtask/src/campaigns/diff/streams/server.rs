//! The two stats servers, each in a folder of its own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{super::version::Installation, client};
use crate::error::Error;

/// The maximum time of a start or an end.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The command that a server refuses, and writes to its log after all exports.
const LAST_COMMAND: &str = "FANTAIL-DIFF-END";

/// A running stats server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) writer: PathBuf,
    pub(super) reader: PathBuf,
    pub(super) port: u16,
    is_dovecot: bool,
    log: PathBuf,
    /// What the program says at its start.
    said: PathBuf,
    child: Child,
}

/// A server that does not start.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What it says, on its standard streams and in its log.
    pub(super) said: String,
}

/// Starts Dovecot with its own stats process.
pub(super) fn dovecot(
    installation: &Installation,
    blocks: &str,
) -> Result<Result<Server, Refusal>, Error> {
    let folder = installation.outside("dovecot");
    clear(&folder)?;
    let port = free_port()?;
    let text = format!(
        "{}{}service stats {{\n  unix_listener stats-writer {{\n    mode = 0666\n  }}\n  \
         inet_listener http {{\n    port = {port}\n  }}\n}}\n{blocks}",
        series(installation),
        base(&installation.inside("dovecot")),
    );
    let config = folder.join("dovecot.conf");
    fs::write(&config, text).map_err(Error::at("write", &config))?;
    let mut command = installation.command(Path::new("dovecot"));
    command.arg("-F").arg("-c");
    command.arg(installation.inside("dovecot/dovecot.conf"));
    start(command, &folder, port, true)
}

/// Starts `fantail serve`.
pub(super) fn fantail(
    program: &Path,
    installation: &Installation,
    blocks: &str,
    workers: usize,
) -> Result<Result<Server, Refusal>, Error> {
    let folder = installation.outside("fantail");
    clear(&folder)?;
    let port = free_port()?;
    let text = format!("{}{}{blocks}", series(installation), base(&folder));
    let config = folder.join("dovecot.conf");
    fs::write(&config, text).map_err(Error::at("write", &config))?;
    let run = folder.join("run");
    let mut command = Command::new(program);
    command.args([
        "serve",
        "--compat-metrics",
        "--ignore-dovecot",
        "--no-login-writer",
    ]);
    command.args(["--workers", &workers.to_string()]);
    command.args(["--http", &format!("127.0.0.1:{port}")]);
    command.arg("--config").arg(&config);
    command.arg("--writer").arg(run.join("stats-writer"));
    command.arg("--reader").arg(run.join("stats-reader"));
    start(command, &folder, port, false)
}

/// Makes the empty folder of a server.
fn clear(folder: &Path) -> Result<(), Error> {
    let _ = fs::remove_dir_all(folder);
    for part in ["run", "state"] {
        let path = folder.join(part);
        fs::create_dir_all(&path).map_err(Error::at("make", &path))?;
    }
    Ok(())
}

fn series(installation: &Installation) -> &'static str {
    match installation.version.is_2_3() {
        true => "",
        false => "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n",
    }
}

fn base(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "protocols =\nbase_dir = {folder}/run\nstate_dir = {folder}/state\n\
         log_path = {folder}/log\nssl = no\nlisten = 127.0.0.1\n"
    )
}

/// Starts a server, and waits until it answers.
fn start(
    mut command: Command,
    folder: &Path,
    port: u16,
    is_dovecot: bool,
) -> Result<Result<Server, Refusal>, Error> {
    let said = folder.join("said");
    let file = fs::File::create(&said).map_err(Error::at("write", &said))?;
    let again = file.try_clone().map_err(Error::at("write", &said))?;
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(again)
        .spawn()
        .map_err(|error| Error::new(format!("cannot run {name}: {error}")))?;
    let mut server = Server {
        writer: folder.join("run/stats-writer"),
        reader: folder.join("run/stats-reader"),
        port,
        is_dovecot,
        log: folder.join("log"),
        said,
        child,
    };
    let deadline = Instant::now() + MAX_WAIT;
    while client::ask(&server.reader, "DUMP\tcount").is_err() {
        if server.has_died() {
            return Ok(Err(Refusal {
                said: server.said(),
            }));
        }
        if Instant::now() > deadline {
            return Err(Error::new(format!("{name} did not start")));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(Ok(server))
}

impl Server {
    /// Returns whether it ended, or its stats process did.
    fn has_died(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None)) || has_crashed(&self.logged())
    }

    fn logged(&self) -> Vec<u8> {
        fs::read(&self.log).unwrap_or_default()
    }

    fn said(&self) -> String {
        let said = fs::read(&self.said).unwrap_or_default();
        String::from_utf8_lossy(&[said, self.logged()].concat()).into_owned()
    }

    /// Ends it, and returns its log.
    ///
    /// Dovecot's log process may end before it has read everything: its log is
    /// complete when it has a line that the stats process wrote last.
    pub(super) fn end(mut self) -> Result<Vec<u8>, Error> {
        let deadline = Instant::now() + MAX_WAIT;
        let is_whole = |log: &[u8]| {
            let mut parts = log.windows(LAST_COMMAND.len());
            parts.any(|bytes| bytes == LAST_COMMAND.as_bytes())
        };
        if self.is_dovecot {
            let lines = format!("VERSION\tstats-client\t4\t0\n{LAST_COMMAND}\n");
            client::send(&self.writer, lines.as_bytes())?;
            while !is_whole(&self.logged()) && !self.has_died() {
                if Instant::now() > deadline {
                    return Err(Error::new("Dovecot does not write its log"));
                }
                thread::sleep(Duration::from_millis(2));
            }
            return Ok(self.logged());
        }
        terminate(&self.child);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                return Err(Error::new("fantail did not end"));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(self.logged())
    }
}

/// Returns whether a log says that the stats process died.
pub(super) fn has_crashed(log: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [
        b" stats: Panic: ",
        b" stats: Fatal: ",
        b"killed with signal",
    ];
    marks
        .iter()
        .any(|mark| log.windows(mark.len()).any(|bytes| bytes == *mark))
}

fn terminate(child: &Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
}

fn free_port() -> Result<u16, Error> {
    let wrong = |error| Error::new(format!("no free port: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(wrong)?;
    Ok(listener.local_addr().map_err(wrong)?.port())
}

impl Drop for Server {
    /// A Dovecot ends its processes when it is asked to.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            terminate(&self.child);
            let _ = self.child.wait();
        }
    }
}
