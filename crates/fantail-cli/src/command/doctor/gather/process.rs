//! Processes, from the parts of `/proc` that every user may read.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::files::head;

/// The maximum size of a file of `/proc`, in bytes.
const LIMIT: u64 = 1 << 20;

/// A snapshot of all processes.
#[derive(Debug, Default)]
pub(in crate::command::doctor) struct Processes {
    all: Vec<Process>,
    /// The time since the machine started.
    uptime: Duration,
}

/// A process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    /// The name of the program, cut to 15 characters by the kernel.
    pub(super) name: String,
    /// The time since the process started.
    pub(super) age: Duration,
}

impl Processes {
    pub(super) fn read() -> Self {
        let uptime = head(Path::new("/proc/uptime"), LIMIT).unwrap_or_default();
        let uptime = String::from_utf8_lossy(&uptime);
        let seconds = uptime.split(' ').next().and_then(|text| text.parse().ok());
        let uptime = Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let all = pids.filter_map(|pid| read(pid, uptime)).collect();
        Self { all, uptime }
    }

    pub(super) fn get(&self, pid: u32) -> Option<&Process> {
        self.all.iter().find(|process| process.pid == pid)
    }

    /// Returns the processes whose program has this name.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Process> {
        self.all.iter().filter(move |process| process.name == name)
    }

    /// Returns the child processes of a process.
    pub(super) fn children(&self, pid: u32) -> impl Iterator<Item = &Process> {
        self.all.iter().filter(move |process| process.parent == pid)
    }

    /// Returns whether `/proc` is readable.
    pub(super) fn are_seen(&self) -> bool {
        !self.uptime.is_zero() && !self.all.is_empty()
    }
}

fn read(pid: u32, uptime: Duration) -> Option<Process> {
    let stat = head(&folder(pid).join("stat"), LIMIT).ok()?;
    parse(&String::from_utf8_lossy(&stat), uptime)
}

/// Parses `pid (name) state ppid …`; the name may contain parentheses and blanks.
fn parse(stat: &str, uptime: Duration) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    // Zombies (Z) and dead processes (X) do not count as running.
    fields.next().filter(|state| !matches!(*state, "Z" | "X"))?;
    let parent = fields.next()?.parse().ok()?;
    // `starttime`, the 22nd field of the line, in ticks since the machine started.
    let ticks: u64 = fields.nth(17)?.parse().ok()?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let millis = ticks.saturating_mul(1_000) / per_second;
    Some(Process {
        pid: pid.parse().ok()?,
        parent,
        name: name.to_owned(),
        age: uptime.saturating_sub(Duration::from_millis(millis)),
    })
}

fn folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// Returns the command line of a process.
pub(super) fn command_line(pid: u32) -> Vec<String> {
    let line = head(&folder(pid).join("cmdline"), LIMIT).unwrap_or_default();
    let words = line.split(|byte| *byte == 0);
    let words: Vec<String> = words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    match words.split_last() {
        Some((last, words)) if last.is_empty() => words.to_vec(),
        _ => words,
    }
}

/// Returns the working directory of a process, if this user may read it.
pub(super) fn current_folder(pid: u32) -> Option<PathBuf> {
    fs::read_link(folder(pid).join("cwd")).ok()
}

/// Returns the effective user ID of a process.
pub(super) fn user(pid: u32) -> Option<u32> {
    let status = head(&folder(pid).join("status"), LIMIT).ok()?;
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    // The line has the real, effective, saved and file-system user IDs.
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the limit of open files of a process, if this user may read it.
pub(super) fn file_limit(pid: u32) -> Option<u64> {
    let limits = head(&folder(pid).join("limits"), LIMIT).ok()?;
    let limits = String::from_utf8_lossy(&limits);
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns the inodes of the sockets that a process has open, if this user may read
/// them.
pub(super) fn socket_inodes(pid: u32) -> Option<BTreeSet<u64>> {
    let files = fs::read_dir(folder(pid).join("fd")).ok()?.flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    let inodes = targets.filter_map(|target| {
        let inode = target.to_str()?.strip_prefix("socket:[")?;
        inode.strip_suffix(']')?.parse().ok()
    });
    Some(inodes.collect())
}

/// Returns a path below the root directory of a process; the path itself if this user
/// may not read that root.
pub(super) fn path_within(pid: u32, path: &Path) -> PathBuf {
    let root = folder(pid).join("root");
    let inside = root.join(path.strip_prefix("/").unwrap_or(path));
    if fs::read_link(&root).is_ok() {
        inside
    } else {
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_may_hold_parentheses() {
        let rest = "S 7 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 500 0";
        let uptime = Duration::from_secs(60);
        let process = parse(&format!("12 (a) b (c) {rest}"), uptime).unwrap();
        assert_eq!((process.pid, process.parent), (12, 7));
        assert_eq!(process.name, "a) b (c");
        let ticks = rustix::param::clock_ticks_per_second();
        let begun = Duration::from_millis(500 * 1_000 / ticks);
        assert_eq!(process.age, uptime - begun);
        assert!(parse("12 (a", uptime).is_none());
        assert!(parse(&format!("12 (a) {}", rest.replace('S', "Z")), uptime).is_none());
    }

    #[test]
    fn this_process_is_seen() {
        let processes = Processes::read();
        let this = processes.get(std::process::id()).unwrap();
        assert!(processes.are_seen());
        let mut children = processes.children(this.parent);
        assert!(children.any(|child| child.pid == this.pid));
        assert_eq!(command_line(this.pid), std::env::args().collect::<Vec<_>>());
        assert_eq!(user(this.pid), Some(rustix::process::geteuid().as_raw()));
        assert!(file_limit(this.pid).is_some());
    }
}
