//! Problems in logs since Dovecot's last start or reload.

use std::{ffi::OsStr, io, os::unix::ffi::OsStrExt, path::PathBuf};

use fantail::{
    config::RawEntry,
    lint::{LogFacts, LogProblem, SocketRole},
};

use super::{Gathered, files::tail, programs};

/// The number of bytes to read from the end of a log.
const LIMIT: u64 = 1 << 20;

/// The usual log files of syslog for mail.
const SYSLOG: [&str; 3] = ["/var/log/mail.log", "/var/log/mail.err", "/var/log/maillog"];

/// The name of the journal in findings.
const JOURNAL: &str = "the journal";

/// The arguments of `journalctl`: the last lines of Dovecot and of the programs that
/// pass on what a delivery agent says.
const JOURNALCTL: [&str; 6] = [
    "--no-pager",
    "--output=short",
    "--lines=5000",
    "--identifier=dovecot",
    "--identifier=postfix/pipe",
    "--identifier=postfix/local",
];

pub(super) fn gather(gathered: &mut Gathered, further: &[PathBuf]) {
    let dovecots = of_dovecot(gathered);
    let is_syslog = dovecots.is_empty();
    let syslog = SYSLOG.iter().map(PathBuf::from);
    let logs = dovecots.into_iter().map(|path| (path, true));
    let logs = logs.chain(syslog.map(|path| (path, is_syslog)));
    let logs: Vec<(PathBuf, bool)> = logs
        .chain(further.iter().map(|path| (path.clone(), is_syslog)))
        .collect();
    for (path, is_dovecots) in logs {
        match tail(&path, LIMIT) {
            Ok(text) => {
                let file = path.display().to_string();
                record(
                    gathered,
                    &String::from_utf8_lossy(&text),
                    &file,
                    is_dovecots,
                );
            }
            Err(error) => {
                let is_missing = error.kind() == io::ErrorKind::NotFound;
                if further.contains(&path) || !is_missing {
                    gathered.unseen(path.display().to_string(), error);
                }
            }
        }
    }
    if is_syslog {
        journal(gathered);
    }
}

/// Reads the journal of systemd, if there is one.
fn journal(gathered: &mut Gathered) {
    match programs::run("journalctl", &JOURNALCTL) {
        // Without permission, journalctl says so and shows what this user may see.
        Ok(said) => match said.err.lines().next() {
            Some(why) => gathered.unseen(JOURNAL, why),
            None => record(gathered, &said.out, JOURNAL, true),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => gathered.unseen(JOURNAL, format!("journalctl: {error}")),
    }
}

/// Records the problems in a log.
fn record(gathered: &mut Gathered, text: &str, file: &str, is_dovecots: bool) {
    let mut sockets = gathered.facts.sockets.iter();
    let writer = sockets.find(|socket| socket.role == SocketRole::Writer);
    let found = read(text, writer.map(|socket| socket.path.as_str()), is_dovecots);
    for (problem, lines, last) in found {
        // A syslog daemon copies the journal to its files.
        let mut known = gathered.facts.log.iter();
        if !known.any(|one| one.problem == problem && one.last == last) {
            gathered.facts.log.push(LogFacts {
                file: file.to_owned(),
                problem,
                lines,
                last,
            });
        }
    }
}

/// Returns the files that Dovecot logs to; none if it logs to syslog.
fn of_dovecot(gathered: &Gathered) -> Vec<PathBuf> {
    const SETTINGS: [&[u8]; 2] = [b"log_path", b"info_log_path"];
    let last = |name: &[u8]| {
        let settings = gathered.loaded.raw.top().filter_map(|entry| match entry {
            RawEntry::Setting(setting) if setting.key.bytes() == name => Some(setting),
            _ => None,
        });
        let value = settings.last()?.value.bytes();
        value
            .starts_with(b"/")
            .then(|| PathBuf::from(OsStr::from_bytes(value)))
    };
    let mut paths: Vec<PathBuf> = SETTINGS.into_iter().filter_map(last).collect();
    paths.retain(|path| path.is_file());
    paths.dedup();
    paths
}

/// Returns each problem in a log, the number of its lines, and the last message.
fn read(text: &str, writer: Option<&str>, is_dovecots: bool) -> Vec<(LogProblem, u64, String)> {
    let mut found: Vec<(LogProblem, u64, String)> = Vec::new();
    for line in text.lines() {
        if is_dovecots && begins_anew(line) {
            found.retain(|(problem, ..)| *problem == LogProblem::PermissionDenied);
        }
        let Some(problem) = problem(line, writer, is_dovecots) else {
            continue;
        };
        let last = message(line).to_owned();
        match found.iter_mut().find(|(known, ..)| *known == problem) {
            Some((_, lines, known)) => {
                *lines = lines.saturating_add(1);
                *known = last;
            }
            None => found.push((problem, 1, last)),
        }
    }
    found
}

/// Returns whether Dovecot starts or reloads at this line: earlier problems may be
/// fixed.
fn begins_anew(line: &str) -> bool {
    line.contains(" starting up for ") || line.contains("SIGHUP received - reloading")
}

fn problem(line: &str, writer: Option<&str>, is_dovecots: bool) -> Option<LogProblem> {
    let has = |text: &str| line.contains(text);
    if has("ermission denied") && writer.is_some_and(has) {
        return Some(LogProblem::PermissionDenied);
    }
    if !is_dovecots {
        return None;
    }
    if has("Socket already exists") {
        Some(LogProblem::SocketExists)
    } else if (has("client_limit (") || has("process_limit (")) && has("reached") {
        Some(LogProblem::LimitReached)
    } else if has("Time just moved ") || has("Time moved ") {
        Some(LogProblem::ClockMoved)
    } else if has(" stats: Error: ") || has(" stats: Fatal: ") || has(" stats: Panic: ") {
        Some(LogProblem::StatsError)
    } else {
        None
    }
}

/// Returns the message of a line without time, host, process and user.
fn message(line: &str) -> &str {
    let levels = ["Error: ", "Fatal: ", "Warning: ", "Panic: "];
    let starts = levels
        .iter()
        .filter_map(|level| Some(line.find(level)? + level.len()));
    starts
        .min()
        .and_then(|start| line.get(start..))
        .unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITER: Option<&str> = Some("/run/dovecot/stats-writer");

    #[track_caller]
    fn check(text: &str, is_dovecots: bool, expected: &[(LogProblem, u64, &str)]) {
        let found = read(text, WRITER, is_dovecots);
        let found: Vec<_> = found
            .iter()
            .map(|(problem, lines, last)| (*problem, *lines, last.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn messages_stand_without_names_of_users() {
        let denied = "lda(anna): Error: net_connect_unix(/run/dovecot/stats-writer) failed: \
            Permission denied\n";
        let message = "net_connect_unix(/run/dovecot/stats-writer) failed: Permission denied";
        check(denied, false, &[(LogProblem::PermissionDenied, 1, message)]);
        check(&denied.replace("/run", "/other"), false, &[]);
    }

    #[test]
    fn a_start_or_a_reload_ends_what_was_before() {
        let text = "Nov 30 16:25:19 master: Error: Socket already exists: /run/dovecot/x\n";
        let exists = (
            LogProblem::SocketExists,
            1,
            "Socket already exists: /run/dovecot/x",
        );
        check(text, true, &[exists]);
        check(text, false, &[]);
        let again = format!("{text}x master: Info: Dovecot v2.3 starting up for imap\n");
        check(&again, true, &[]);
        let limit = "x master: Warning: service(imap): process_limit (1) reached, client \
            connections are being dropped\n";
        let reached = limit.split_once("Warning: ").unwrap().1.trim_end();
        check(
            &limit.repeat(2),
            true,
            &[(LogProblem::LimitReached, 2, reached)],
        );
        let reloaded = format!("{limit}x SIGHUP received - reloading configuration\n");
        check(&reloaded, true, &[]);
        let stats = "x stats: Error: no such host\n";
        check(stats, true, &[(LogProblem::StatsError, 1, "no such host")]);
    }
}
