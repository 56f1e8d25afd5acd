//! The server under attack, and the threads that watch it.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Attack, clients};
use crate::error::Error;

/// An attack takes no longer.
const MAX_DURATION: Duration = Duration::from_secs(120);

/// How often the server is watched.
const WATCH_INTERVAL: Duration = Duration::from_millis(20);

/// A running server.
#[derive(Debug)]
pub(super) struct Target {
    folder: PathBuf,
    pub(super) http: SocketAddr,
    child: Child,
    watched: Arc<Watched>,
    watchers: Vec<JoinHandle<()>>,
}

/// What the watchers have seen.
#[derive(Debug, Default)]
struct Watched {
    stop: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    peak_bytes: u64,
    longest_stall: Duration,
    killed: Option<String>,
}

/// How a server ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) peak_bytes: u64,
    pub(super) longest_stall: Duration,
    /// Why the watchers killed the server.
    pub(super) killed: Option<String>,
    pub(super) took: Duration,
    pub(super) in_time: bool,
}

impl Target {
    /// Starts a server in a folder of its own.
    pub(super) fn start(program: &Path, attack: &Attack) -> Result<Self, Error> {
        let name = format!("fantail-attack-{}-{}", std::process::id(), attack.name);
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("run")).map_err(Error::at("make", &folder))?;
        let http = free_address()?;
        let config = folder.join("fantail.conf");
        let blocks = attack
            .blocks
            .replace("FOLDER", &folder.display().to_string());
        let text = format!("{blocks}base_dir = {}/run\n", folder.display());
        fs::write(&config, text).map_err(Error::at("write", &config))?;
        let log = folder.join("log");
        let file = fs::File::create(&log).map_err(Error::at("write", &log))?;
        let mut command = match attack.max_files {
            None => Command::new(program),
            Some(files) => {
                let mut shell = Command::new("sh");
                let limited = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
                shell.arg("-c").arg(limited).arg(program);
                shell
            }
        };
        let errors = match attack.unread_log {
            true => Stdio::piped(),
            false => file.into(),
        };
        let child = command
            .args(["serve", "--config"])
            .arg(&config)
            .args(["--workers", "4", "--http", &http.to_string()])
            .args(["--ignore-dovecot"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(Error::at("run", program))?;
        let mut target = Self {
            folder,
            http,
            child,
            watched: Arc::default(),
            watchers: Vec::new(),
        };
        target.wait_until_ready()?;
        target.watch(attack.max_peak_bytes);
        Ok(target)
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while clients::get(self.http, "/readyz", Duration::from_secs(5)).is_err() {
            let ended = self.child.try_wait();
            if Instant::now() > deadline || !matches!(ended, Ok(None)) {
                let said = fs::read_to_string(self.path("log")).unwrap_or_default();
                return Err(Error::new(format!("the server did not start: {said}")));
            }
            thread::sleep(WATCH_INTERVAL);
        }
        Ok(())
    }

    /// Watches the memory of the server, and asks it all the time.
    fn watch(&mut self, max_bytes: u64) {
        let (watched, pid) = (Arc::clone(&self.watched), self.child.id());
        let begun = Instant::now();
        self.watchers.push(thread::spawn(move || {
            while !watched.stop.load(Ordering::Relaxed) {
                let peak = peak_bytes(pid);
                let mut seen = watched.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.peak_bytes = seen.peak_bytes.max(peak);
                let why = if peak > max_bytes {
                    Some("killed: too much memory")
                } else if begun.elapsed() > MAX_DURATION {
                    Some("killed: too much time")
                } else {
                    None
                };
                if let (Some(why), None) = (why, &seen.killed) {
                    seen.killed = Some(why.to_owned());
                    signal(pid, Signal::KILL);
                }
                drop(seen);
                thread::sleep(WATCH_INTERVAL);
            }
        }));
        let (watched, http) = (Arc::clone(&self.watched), self.http);
        self.watchers.push(thread::spawn(move || {
            while !watched.stop.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let answered = clients::get(http, "/readyz", Duration::from_secs(30));
                let took = asked.elapsed();
                let stall = match answered {
                    Ok(answer) if answer.status == 200 => took,
                    // The server waits two seconds for its workers.
                    _ => took.max(Duration::from_secs(3)),
                };
                if watched.stop.load(Ordering::Relaxed) {
                    return;
                }
                let mut seen = watched.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.longest_stall = seen.longest_stall.max(stall);
                drop(seen);
                thread::sleep(WATCH_INTERVAL);
            }
        }));
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

    /// Asks for a reload by a signal.
    pub(super) fn hang_up(&self) {
        signal(self.child.id(), Signal::HUP);
    }

    /// The line that answers a request.
    pub(super) fn ask(&self, request: &str) -> Result<String, Error> {
        clients::ask(&self.reader(), request)
    }

    /// Ends the server by SIGTERM; kills it if that takes too long.
    pub(super) fn end(&mut self, max_end: Duration) -> Ended {
        self.watched.stop.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        let pid = self.child.id();
        let peak = peak_bytes(pid);
        signal(pid, Signal::TERM);
        let mut in_time = true;
        while matches!(self.child.try_wait(), Ok(None)) {
            if in_time && begun.elapsed() > max_end {
                in_time = false;
                signal(pid, Signal::KILL);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let took = begun.elapsed();
        for watcher in self.watchers.drain(..) {
            let _ = watcher.join();
        }
        let mut seen = self
            .watched
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ended {
            peak_bytes: seen.peak_bytes.max(peak),
            longest_stall: seen.longest_stall,
            killed: seen.killed.take(),
            took,
            in_time,
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.watched.stop.store(true, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // The process may have ended.
        let _ = kill_process(pid, signal);
    }
}

/// The largest number of bytes that a process has had in memory.
fn peak_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

fn free_address() -> Result<SocketAddr, Error> {
    let wrong = |error| Error::new(format!("no free port: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(wrong)?;
    listener.local_addr().map_err(wrong)
}
