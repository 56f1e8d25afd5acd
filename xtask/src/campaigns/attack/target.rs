//! The server under attack.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    Attack, Start,
    clients::{self, ANSWER_TIMEOUT, Answer, Door},
    service_manager,
    watch::{WATCH_INTERVAL, Watch, Watched, signal},
};
use crate::error::Error;

/// The maximum size of the log excerpt in a report.
const SHOWN_LOG_BYTES: usize = 600;

/// A running server, in a folder of its own.
pub(super) struct Target {
    program: PathBuf,
    attack: &'static Attack,
    folder: PathBuf,
    begun: Instant,
    /// The address of the HTTP listener.
    pub(super) address: SocketAddr,
    child: Child,
    watched: Watched,
    watch: Option<Watch>,
}

/// How a server ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) peak_bytes: u64,
    pub(super) longest_stall: Duration,
    pub(super) longest_turn: Duration,
    /// Why the watchers killed the server.
    pub(super) killed: Option<String>,
    pub(super) took: Duration,
    pub(super) in_time: bool,
}

impl Target {
    /// Starts a server in a new folder.
    pub(super) fn start(program: &Path, attack: &'static Attack) -> Result<Self, Error> {
        let name = format!("fantail-attack-{}-{}", std::process::id(), attack.name);
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("run")).map_err(Error::at("make", &folder))?;
        (attack.prepare)(&folder)?;
        let config = folder.join("fantail.conf");
        let text = format!("{}base_dir = FOLDER/run\n", attack.blocks);
        let text = text.replace("FOLDER", &folder.display().to_string());
        fs::write(&config, text).map_err(Error::at("write", &config))?;
        let address = free_address()?;
        let child = spawn(program, attack, &folder, address)?;
        let mut target = Self {
            program: program.to_owned(),
            attack,
            folder,
            begun: Instant::now(),
            address,
            child,
            watched: Watched::default(),
            watch: None,
        };
        target.wait_until_ready()?;
        Ok(target)
    }

    /// Restarts the server after it has ended.
    pub(super) fn start_again(&mut self) -> Result<(), Error> {
        self.child = spawn(&self.program, self.attack, &self.folder, self.address)?;
        self.wait_until_ready()
    }

    /// Waits for the first answer and starts to watch the server.
    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let http = self.http();
        while http.get("/readyz", Duration::from_secs(5)).is_err() {
            let ended = self.child.try_wait();
            if Instant::now() > deadline || !matches!(ended, Ok(None)) {
                let why = format!("the server did not start: {}", self.last_logged());
                return Err(Error::new(why));
            }
            thread::sleep(WATCH_INTERVAL);
        }
        let (pid, most) = (self.child.id(), self.attack.max_peak_bytes);
        self.watch = Some(self.watched.watch(pid, http, self.begun, most));
        Ok(())
    }

    /// A path in the folder of the server.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The socket for events.
    pub(super) fn writer(&self) -> PathBuf {
        self.path("run/stats-writer")
    }

    /// The socket for requests.
    pub(super) fn reader(&self) -> PathBuf {
        self.path("run/stats-reader")
    }

    /// Returns the HTTP listener: the Unix socket, if the server has one.
    pub(super) fn http(&self) -> Door {
        match self.attack.arguments.contains(&"--http-socket") {
            true => Door::Socket(self.path("http")),
            false => Door::Tcp(self.address),
        }
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer, Error> {
        self.http().get(path, ANSWER_TIMEOUT)
    }

    /// The line that answers a request.
    pub(super) fn ask(&self, request: &str) -> Result<String, Error> {
        clients::ask(&self.reader(), request)
    }

    /// Sends events until one is counted.
    pub(super) fn check_honest_client(&self) -> Result<(), Error> {
        clients::check_honest_client(&self.writer(), &self.http())
    }

    /// Returns the event count of a metric.
    pub(super) fn count(&self, metric: &str) -> Result<u64, Error> {
        clients::count_of(&self.http(), metric)
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the process ID of the server.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Requests a reload with SIGHUP.
    pub(super) fn hang_up(&self) {
        signal(self.pid(), Signal::HUP);
    }

    /// Kills the server, as the kernel does when memory runs out.
    pub(super) fn kill(&mut self) {
        self.stop_watching();
        signal(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }

    /// Returns the log of the server.
    pub(super) fn logged(&self) -> String {
        let log = fs::read(self.path("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Returns the end of the log, for a report.
    pub(super) fn last_logged(&self) -> String {
        let logged = self.logged();
        let from = logged.len().saturating_sub(SHOWN_LOG_BYTES);
        let from = (from..).find(|at| logged.is_char_boundary(*at));
        let end = from.and_then(|from| logged.get(from..));
        format!("log: {}", end.unwrap_or_default())
    }

    fn stop_watching(&mut self) {
        // A request of the watch may fail because the server ends.
        if let Some(watch) = &self.watch {
            watch.stop();
        }
        self.watched.add_turn(&self.http());
        self.watched.add_peak(self.child.id());
    }

    /// Ends the server by SIGTERM; kills it if that takes too long.
    pub(super) fn end(&mut self, max_end: Duration) -> Ended {
        self.stop_watching();
        let begun = Instant::now();
        let pid = self.pid();
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(pid, Signal::TERM);
        }
        let mut in_time = true;
        while matches!(self.child.try_wait(), Ok(None)) {
            if in_time && begun.elapsed() > max_end {
                in_time = false;
                signal(pid, Signal::KILL);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let took = begun.elapsed();
        self.watch = None;
        let seen = self.watched.get();
        Ended {
            peak_bytes: seen.peak_bytes,
            longest_stall: seen.longest_stall,
            longest_turn: seen.longest_turn,
            killed: seen.killed,
            took,
            in_time,
        }
    }

    /// Ends the server during an attack, within the attack's limit.
    pub(super) fn end_in_time(&mut self) -> Result<(), Error> {
        let ended = self.end(self.attack.max_end);
        match ended.in_time {
            true => Ok(()),
            false => Err(Error::new("the server did not end in time")),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.watch = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts the program.
fn spawn(
    program: &Path,
    attack: &Attack,
    folder: &Path,
    address: SocketAddr,
) -> Result<Child, Error> {
    let log = folder.join("log");
    let opened = fs::OpenOptions::new().create(true).append(true).open(&log);
    let file = opened.map_err(Error::at("write", &log))?;
    let shown = folder.display().to_string();
    let mut command = launcher(program, attack.start, folder, address);
    command.args(["serve", "--config"]);
    command.arg(folder.join("fantail.conf"));
    command.args(["--workers", "4", "--http", &address.to_string()]);
    command.arg("--ignore-dovecot");
    let arguments = attack.arguments.iter();
    command.args(arguments.map(|argument| argument.replace("FOLDER", &shown)));
    let errors = match attack.unread_log {
        true => Stdio::piped(),
        false => file.into(),
    };
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn();
    child.map_err(Error::at("run", program))
}

/// Returns the command that runs the program, directly or through another one.
fn launcher(program: &Path, start: Start, folder: &Path, address: SocketAddr) -> Command {
    let by_shell = |script: &str| {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{script} exec \"$0\" \"$@\""));
        shell.arg(program);
        shell
    };
    match start {
        Start::Directly => Command::new(program),
        Start::WithFiles(files) => by_shell(&format!("ulimit -n {files};")),
        Start::WithSmallDisk => {
            let disk = folder.join("disk");
            let mount = "mount -t tmpfs -o size=1m,mode=0700 tmpfs \"$0\" && exec \"$@\"";
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", mount]);
            command.arg(disk).arg(program);
            command
        }
        Start::WithClock => {
            let mut command = Command::new(program);
            command.env("LD_PRELOAD", super::clock::LIBRARY);
            command.env("FAKETIME_TIMESTAMP_FILE", folder.join("clock"));
            command.env("FAKETIME_NO_CACHE", "1");
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            command
        }
        Start::WithSockets => service_manager::launcher(program, folder, address),
    }
}

fn free_address() -> Result<SocketAddr, Error> {
    let wrong = |error| Error::new(format!("no free port: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(wrong)?;
    listener.local_addr().map_err(wrong)
}
