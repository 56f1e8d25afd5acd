//! The processes of a pipeline, and the processor time that they use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{error::Error, measure::compare::process};

/// The most processor time that idle processes use in the time they are watched.
const IDLE_USE: Duration = Duration::from_millis(50);
const MAX_START: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A process that ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts a program; what it prints goes to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Result<Self, Error> {
        let program = PathBuf::from(command.get_program());
        let output = fs::File::create(log).map_err(Error::at("write", log))?;
        let errors = output.try_clone().map_err(Error::at("write", log))?;
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map(Self)
            .map_err(Error::at("run", &program))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the most memory that each had, added up, in bytes.
pub(super) fn peak_memory(pids: &[u32]) -> Result<u64, Error> {
    pids.iter().map(|pid| process::peak_memory(*pid)).sum()
}

/// Waits until the processes are idle for this long, and returns the processor
/// time of each.
pub(super) fn idle(pids: &[u32], quiet: Duration) -> Result<Vec<Duration>, Error> {
    let each =
        || -> Result<Vec<Duration>, Error> { pids.iter().map(|pid| process::cpu(*pid)).collect() };
    let start = Instant::now();
    let mut since = start;
    let mut before: Duration = each()?.iter().sum();
    loop {
        thread::sleep(Duration::from_millis(50));
        let used = each()?;
        let now: Duration = used.iter().sum();
        if now.saturating_sub(before) > IDLE_USE {
            (since, before) = (Instant::now(), now);
        } else if since.elapsed() > quiet {
            return Ok(used);
        }
        if start.elapsed() > MAX_WAIT {
            return Err(Error::new(format!(
                "processes {pids:?} do not become idle in {} s",
                MAX_WAIT.as_secs()
            )));
        }
    }
}

/// Returns the child of a process with this name, once it has started.
pub(super) fn child(parent: u32, name: &str) -> Result<u32, Error> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let is_named = |pid: &&str| {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
        comm.is_ok_and(|comm| comm.trim_end() == name)
    };
    let deadline = Instant::now() + MAX_START;
    loop {
        let children = fs::read_to_string(&path).map_err(Error::at("read", Path::new(&path)))?;
        let pid = children.split_whitespace().find(is_named);
        if let Some(pid) = pid.and_then(|pid| pid.parse().ok()) {
            return Ok(pid);
        }
        if Instant::now() > deadline {
            return Err(Error::new(format!(
                "process {parent} has no child named {name}"
            )));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the path of a program in `PATH`.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut paths = std::env::split_paths(&folders).map(|folder| folder.join(program));
    paths.find(|path| path.is_file())
}
