//! The server of a soak, and what it must have counted.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{counts, slope};
use crate::{campaigns::attack::clients::Door, error::Error, measure::compare::feed};

/// The metrics of all configurations. `FOLDER` is that of the server.
const STEADY: &str = "dovecot_config_version = 2.4.1\n\
    base_dir = FOLDER/run\n\
    log_path = FOLDER/log\n\
    event_exporter dying {\n  format = json\n  driver = unix\n  unix_path = FOLDER/target\n}\n\
    event_exporter kept {\n  format = tab-text\n  driver = drop\n}\n\
    metric all {\n  filter = event=imap_command_finished\n  fields = net_in_bytes net_out_bytes\n}\n\
    metric users {\n  filter = event=imap_command_finished AND category=storage\n  \
    group_by user {\n  }\n  group_by cmd_name {\n  }\n}\n\
    metric sizes {\n  filter = net_out_bytes > 1000\n  fields = net_out_bytes\n  \
    group_by net_out_bytes {\n    method exponential {\n      min_magnitude = 1\n      \
    max_magnitude = 6\n      base = 10\n    }\n  }\n}\n\
    metric sent {\n  filter = event=imap_command_finished AND cmd_name=NOOP\n  \
    exporter = dying\n}\n\
    metric dropped {\n  filter = event=imap_command_finished AND cmd_name=STORE\n  \
    exporter = kept\n}\n";

/// The maximum time of an answer, a start or an end.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Where a server listens.
#[derive(Debug, Clone)]
pub(super) struct Sockets {
    pub(super) writer: PathBuf,
    pub(super) reader: PathBuf,
    pub(super) http: Door,
    pub(super) config: PathBuf,
    /// The socket of the target that dies.
    pub(super) target: PathBuf,
}

/// A running server.
pub(super) struct Server {
    child: Child,
    folder: PathBuf,
    sockets: Sockets,
}

/// Returns a configuration; `changing` is the filter of a metric that reloads change.
pub(super) fn configuration(folder: &Path, changing: &str) -> String {
    let text = format!("{STEADY}metric changing {{\n  filter = {changing}\n}}\n");
    text.replace("FOLDER", &folder.display().to_string())
}

impl Server {
    /// Starts the program, and waits until it serves.
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self, Error> {
        let config = folder.join("dovecot.conf");
        let text = configuration(folder, "event=a");
        fs::write(&config, text).map_err(Error::at("write", &config))?;
        let address = free_address()?;
        let said = folder.join("said");
        let file = fs::File::create(&said).map_err(Error::at("write", &said))?;
        let child = Command::new(program)
            .args([
                "serve",
                "--workers",
                "4",
                "--no-login-writer",
                "--ignore-dovecot",
            ])
            .args(["--http", &address.to_string(), "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(Error::at("run", program))?;
        let mut server = Self {
            child,
            folder: folder.to_owned(),
            sockets: Sockets {
                writer: folder.join("run/stats-writer"),
                reader: folder.join("run/stats-reader"),
                http: Door::Tcp(address),
                config,
                target: folder.join("target"),
            },
        };
        let deadline = Instant::now() + MAX_WAIT;
        while feed::dump(&server.sockets.reader, "count").is_err() {
            if Instant::now() > deadline || !server.is_alive() {
                let said = fs::read_to_string(&said).unwrap_or_default();
                return Err(Error::new(format!("the server did not start: {said}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub(super) fn sockets(&self) -> Sockets {
        self.sockets.clone()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the server has closed the files that it opened for clients.
    pub(super) fn wait_for_open_files(&self, before: f64, failures: &mut Vec<String>) {
        let deadline = Instant::now() + MAX_WAIT;
        // The connection to the target may be open now.
        while slope::open_files(self.pid()) > before + 1.0 {
            if Instant::now() > deadline {
                let now = slope::open_files(self.pid());
                failures.push(format!("{now} open files at the end, {before} before"));
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Compares the counts with those of a replay of one block.
    pub(super) fn check_counts(
        &self,
        program: &Path,
        blocks: u64,
        failures: &mut Vec<String>,
    ) -> Result<(), Error> {
        let expected = counts::of_replay(program, &self.folder, blocks)?;
        let counted = counts::of_server(&self.sockets.reader)?;
        println!("{} rows of counts, as {blocks} replays", expected.len());
        let differing = expected
            .iter()
            .zip(&counted)
            .find(|(one, other)| one != other);
        if let Some((expected, counted)) = differing {
            failures.push(format!("replays have {expected:?}, the server {counted:?}"));
        } else if expected.len() != counted.len() || expected.is_empty() {
            failures.push("the server has other rows than the replays".to_owned());
        }
        Ok(())
    }

    /// Ends the server.
    pub(super) fn end(mut self, failures: &mut Vec<String>) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let deadline = Instant::now() + MAX_WAIT;
        while self.is_alive() {
            if Instant::now() > deadline {
                failures.push("the server did not end".to_owned());
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr, Error> {
    let wrong = |error| Error::new(format!("no free port: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(wrong)?;
    listener.local_addr().map_err(wrong)
}
