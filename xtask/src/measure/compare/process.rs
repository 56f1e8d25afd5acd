//! What a process has used, by the kernel's accounts.

use std::{fs, thread, time::Duration};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::error::Error;

/// Raises the limit of open files as far as the system allows: a load has thousands
/// of clients.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer files, the load with many clients fails and says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Time on a processor of all its threads.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Error> {
    cpu_of(pid, "")
}

/// Time on a processor of the threads whose names begin with `name`.
pub(crate) fn cpu_of(pid: u32, name: &str) -> Result<Duration, Error> {
    let tasks = format!("/proc/{pid}/task");
    let gone = |error| Error::new(format!("process {pid}: {error}"));
    let mut nanoseconds = 0;
    for task in fs::read_dir(&tasks).map_err(gone)? {
        let path = task.map_err(gone)?.path();
        // A thread may end meanwhile.
        let thread = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if !thread.starts_with(name) {
            continue;
        }
        let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        let first = text.split_whitespace().next();
        nanoseconds += first.and_then(|number| number.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The most memory that it ever had, in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64, Error> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path)
        .map_err(|error| Error::new(format!("cannot read {path}: {error}")))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<u64> = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse().ok());
    kilobytes
        .map(|kilobytes| kilobytes << 10)
        .ok_or_else(|| Error::new(format!("{path}: no VmHWM")))
}

/// Waits until it uses no more time, and returns what it has used.
pub(crate) fn settled(pid: u32) -> Result<Duration, Error> {
    let mut last = cpu(pid)?;
    let mut calm = 0;
    // A minute of work that does not end is no rest.
    for _ in 0..3_000 {
        thread::sleep(Duration::from_millis(20));
        let now = cpu(pid)?;
        calm = if now.saturating_sub(last) < Duration::from_micros(300) {
            calm + 1
        } else {
            0
        };
        last = now;
        if calm == 4 {
            return Ok(now);
        }
    }
    Err(Error::new(format!("process {pid} does not come to rest")))
}
