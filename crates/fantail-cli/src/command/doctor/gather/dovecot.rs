//! Dovecot's release, its configuration as `doveconf` reads it, and its processes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use fantail::config::{FileId, RawEntry, Release};

use super::{
    Gathered,
    files::head,
    process::{Process, Processes},
    programs,
};

/// The names of processes that serve mail users.
const MAIL: [&str; 5] = ["imap", "pop3", "lmtp", "submission", "managesieve"];

/// The names of other processes that stay connected to the stats process while they run.
const OTHERS: [&str; 5] = [
    "auth",
    "imap-login",
    "pop3-login",
    "submission-login",
    "managesieve-login",
];

/// The age at which a process should be connected to the stats process: processes
/// connect when they start, and retry every 10 seconds.
const CONNECTED_AFTER: Duration = Duration::from_secs(15);

/// Returns the release that `dovecot --version` prints.
pub(super) fn release() -> Option<Release> {
    let said = programs::run("dovecot", &["--version"]).ok()?;
    Release::parse(said.out.split_whitespace().next()?)
}

pub(super) fn gather(gathered: &mut Gathered, processes: &Processes) {
    if let Some(file) = configuration(gathered) {
        ask_doveconf(gathered, &file);
    }
    if !processes.are_seen() {
        gathered.unseen("processes", "/proc cannot be read");
        return;
    }
    let pid_file = gathered.base_dir.join("master.pid");
    let master = match head(&pid_file, 32) {
        Ok(text) => {
            let pid = String::from_utf8_lossy(&text).trim().parse().ok();
            let pid = pid.and_then(|pid| processes.get(pid));
            pid.filter(|process| process.name == "dovecot")
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let all = processes.named("dovecot");
            let all: Vec<_> = all.collect();
            // With several Dovecot instances, the one of this configuration is unknown.
            if let [only] = all.as_slice() {
                Some(*only)
            } else {
                gathered.unseen(pid_file.display().to_string(), error);
                return;
            }
        }
    };
    gathered.facts.dovecot.is_running = Some(master.is_some());
    let Some(master) = master else {
        return;
    };
    gathered.master = Some(master.pid);
    let mail = senders(processes, master.pid).filter(|one| MAIL.contains(&one.name.as_str()));
    gathered.facts.dovecot.mail_processes = Some(mail.count());
    gathered.facts.dovecot.clock_step = clock_step(&pid_file, master.age);
}

/// Returns the processes of Dovecot that are connected to the stats process if they can
/// be, without those that have just started.
pub(super) fn senders(processes: &Processes, master: u32) -> impl Iterator<Item = &Process> {
    processes.children(master).filter(|process| {
        let name = process.name.as_str();
        (MAIL.contains(&name) || OTHERS.contains(&name)) && process.age >= CONNECTED_AFTER
    })
}

/// Returns the seconds by which the clock was set since a process of this age wrote
/// its PID file at its start.
fn clock_step(pid_file: &Path, age: Duration) -> Option<i64> {
    let written = fs::metadata(pid_file).ok()?.modified().ok()?;
    step(written, age)
}

/// Returns the clock's time since `then` minus the elapsed time, in seconds.
#[allow(clippy::disallowed_methods, reason = "it is about this clock")]
pub(super) fn step(then: SystemTime, passed: Duration) -> Option<i64> {
    let now = SystemTime::now();
    let (ahead, behind) = match now.duration_since(then) {
        Ok(since) => (since, passed),
        Err(error) => (Duration::ZERO, passed + error.duration()),
    };
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).ok();
    Some(seconds(ahead)? - seconds(behind)?)
}

/// Returns the configuration file that Dovecot reads.
fn configuration(gathered: &Gathered) -> Option<PathBuf> {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let dovecot = gathered.loaded.settings.dovecot.as_ref();
    let file = dovecot.map_or(FileId::MAIN, |dovecot| dovecot.file);
    let name = Path::new(OsStr::from_bytes(gathered.loaded.sources.name(file)));
    (dovecot.is_some() && name.exists()).then(|| name.to_owned())
}

/// Reads the settings that `doveconf` prints.
fn ask_doveconf(gathered: &mut Gathered, file: &Path) {
    let path = file.as_os_str();
    let dash = |text: &'static str| std::ffi::OsStr::new(text);
    // With `-n`, doveconf reads the whole configuration and fails on the first error.
    let checked = programs::run("doveconf", &[dash("-n"), dash("-c"), path]);
    let checked = match checked {
        Ok(said) => said,
        Err(error) => {
            gathered.unseen(
                "what Dovecot makes of its configuration",
                format!("doveconf: {error}"),
            );
            return;
        }
    };
    if !checked.status.success() {
        let refusal = checked.err.lines().find(|line| !line.is_empty());
        let refusal = refusal.unwrap_or("doveconf fails");
        if refusal.contains("ermission denied") {
            gathered.unseen("what Dovecot makes of its configuration", refusal);
        } else {
            gathered.facts.dovecot.refusal = Some(told(refusal).to_owned());
        }
        return;
    }
    let asked = ["stats_writer_socket_path", "default_client_limit"].map(dash);
    let [writer, limit] = asked;
    let Ok(said) = programs::run("doveconf", &[dash("-c"), path, writer, limit]) else {
        return;
    };
    let value = |setting: &str| {
        let mut lines = said.out.lines();
        let value = lines.find_map(|line| line.strip_prefix(setting)?.strip_prefix(" ="))?;
        Some(value.trim().to_owned())
    };
    gathered.facts.dovecot.writer_path = value("stats_writer_socket_path");
    let default = value("default_client_limit").and_then(|text| text.parse().ok());
    gathered.facts.dovecot.client_limit = client_limit(gathered).or(default);
}

/// Returns the `client_limit` of `service stats`, if it is set; 0 means the default.
fn client_limit(gathered: &Gathered) -> Option<u64> {
    let raw = &gathered.loaded.raw;
    let stats = raw.top().filter_map(|entry| match entry {
        RawEntry::Block(block) => Some(block),
        _ => None,
    });
    let stats = stats.filter(|block| {
        let argument = block.argument.as_ref();
        block.name.bytes() == b"service" && argument.is_some_and(|name| name.bytes() == b"stats")
    });
    let limits = stats
        .flat_map(|block| raw.within(block))
        .filter_map(|entry| match entry {
            RawEntry::Setting(setting) if setting.key.bytes() == b"client_limit" => {
                String::from_utf8_lossy(setting.value.bytes()).parse().ok()
            }
            _ => None,
        });
    limits.last().filter(|limit| *limit > 0)
}

/// Returns an error message of `doveconf` without its prefixes.
fn told(line: &str) -> &str {
    let line = line.strip_prefix("doveconf: ").unwrap_or(line);
    line.strip_prefix("Fatal: ").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "it is about this clock")]
    fn a_clock_that_was_set_is_off_by_so_many_seconds() {
        let hour = Duration::from_secs(3_600);
        let check = |then: SystemTime, passed, expected: i64| {
            let found = step(then, passed).unwrap();
            // The clock advances while the test runs.
            assert!((found - expected).abs() <= 2, "{found} {expected}");
        };
        let now = SystemTime::now();
        check(now - hour, hour, 0);
        check(now - hour, Duration::ZERO, 3_600);
        check(now, hour, -3_600);
        check(now + hour, hour, -7_200);
    }
}
