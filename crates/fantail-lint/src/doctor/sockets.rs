//! The sockets of the stats service: the processes that bind them, and access to them.

use fantail_config::{RawEntry, RawSetting, Severity};

use super::{DoctorCode, LogProblem, SocketAccess, SocketOwner, SocketRole, SocketState, Subject};
use crate::{
    Finding, LintCode,
    check::sockets::{SOCKETS, block, is_left_alone},
};

/// The setting that names the socket for events.
const WRITER_PATH: &[u8] = b"stats_writer_socket_path";

/// Reports an empty socket name, with which Dovecot's processes send no events.
pub(super) fn stats_off(subject: &mut Subject<'_>) {
    let setting = last_setting(subject);
    let written = setting.map(|setting| setting.value.bytes().trim_ascii().is_empty());
    let by_dovecot = subject.facts.dovecot.writer_path.as_ref();
    let is_off = by_dovecot.map_or(written == Some(true), |path| path.trim().is_empty());
    if !is_off {
        return;
    }
    let message = "Dovecot sends no events: `stats_writer_socket_path` is empty";
    let mut finding = Finding::doctor(DoctorCode::StatsOff, message);
    if let Some(setting) = setting {
        finding = finding.at(setting.key.span().to(setting.written));
    }
    subject.push(
        finding
            .note("with an empty name no process connects, and every metric stays 0")
            .help(
                "remove the line, or write\n  stats_writer_socket_path = stats-writer\nand let \
                 Dovecot read it:\n  doveadm reload",
            ),
    );
}

/// Returns the last setting that names the socket, which is the one in force.
fn last_setting<'a>(subject: &Subject<'a>) -> Option<&'a RawSetting> {
    let settings = subject.loaded.raw.top().filter_map(|entry| match entry {
        RawEntry::Setting(setting) if setting.key.bytes() == WRITER_PATH => Some(setting),
        _ => None,
    });
    settings.last()
}

/// Reports sockets of fantail that Dovecot's configuration binds as well.
pub(super) fn bound_twice(subject: &mut Subject<'_>) {
    let Some(dovecot) = &subject.loaded.settings.dovecot else {
        return;
    };
    let taken = SOCKETS.into_iter().filter(|name| {
        let sockets = subject.facts.sockets.iter();
        let mut served = sockets.filter(|socket| socket.role.name() == *name);
        let is_fantails = served.any(|socket| is_served_by(&socket.state, &SocketOwner::Fantail));
        is_fantails && !is_left_alone(dovecot, name)
    });
    let taken: Vec<&str> = taken.collect();
    let same = LintCode::SameSockets.as_str();
    if taken.is_empty() {
        // The main file is read only by fantail, so fantail is meant to have the sockets.
        if subject.is_fantails() {
            let mut same = subject.configuration.iter_mut();
            if let Some(finding) = same.find(|one| one.code == LintCode::SameSockets.as_str()) {
                finding.severity = Severity::Error;
            }
        }
        return;
    }
    subject.configuration.retain(|one| one.code != same);
    let names = crate::finding::enumerate(&taken, "and");
    let message = format!("Dovecot will not start again: it binds {names}, which fantail has");
    let help = format!(
        "put this into {}:{}\nthen restart Dovecot",
        subject.dovecots_file(),
        block(&taken)
    );
    subject.push(Finding::doctor(DoctorCode::DovecotBinds, message).help(help));
}

/// Reports sockets that Dovecot still has, although its configuration leaves them alone.
pub(super) fn still_bound(subject: &mut Subject<'_>) {
    let Some(dovecot) = &subject.loaded.settings.dovecot else {
        return;
    };
    let owner = |name: &str| {
        let mut sockets = subject.facts.sockets.iter();
        match &sockets.find(|socket| socket.role.name() == name)?.state {
            SocketState::Served { program, .. } => Some(program),
            _ => None,
        }
    };
    if SOCKETS
        .into_iter()
        .any(|name| owner(name) == Some(&SocketOwner::Fantail))
    {
        // Reported by `divided`.
        return;
    }
    let is_dovecots = |name: &&str| owner(name) == Some(&SocketOwner::Dovecot);
    let kept = SOCKETS.into_iter().filter(is_dovecots);
    let kept = kept.filter(|name| is_left_alone(dovecot, name));
    let kept: Vec<&str> = kept.collect();
    if kept.is_empty() {
        return;
    }
    let names = crate::finding::enumerate(&kept, "and");
    let message = format!("Dovecot still has {names}, which its configuration leaves to fantail");
    let finding = Finding::doctor(DoctorCode::DovecotBinds, message);
    subject.push(
        finding
            .note("fantail does not start before Dovecot has closed them")
            .help("restart Dovecot:\n  systemctl restart dovecot"),
    );
}

fn is_served_by(state: &SocketState, wanted: &SocketOwner) -> bool {
    matches!(state, SocketState::Served { program, .. } if program == wanted)
}

/// Reports sockets of different processes, whose answers do not contain the events.
pub(super) fn divided(subject: &mut Subject<'_>) {
    let mut served = Vec::new();
    for socket in &subject.facts.sockets {
        if let SocketState::Served { program, pid } = &socket.state {
            served.push((socket, program, *pid));
        }
    }
    let first = served.first().map(|(_, _, pid)| *pid);
    if served.iter().all(|(_, _, pid)| Some(*pid) == first) {
        return;
    }
    let mut finding = Finding::doctor(
        DoctorCode::SocketsDivided,
        "the sockets of the stats service belong to different processes",
    );
    for (socket, program, pid) in served {
        let path = &socket.path;
        let program = named(program);
        finding = finding.note(format!("{path} belongs to {program}, process {pid}"));
    }
    let help = "one of them takes the events, another one answers: keep one.\nStop fantail, restart \
                Dovecot, then start fantail; or stop the fantail that is not needed";
    subject.push(finding.help(help));
}

fn named(program: &SocketOwner) -> &str {
    match program {
        SocketOwner::Dovecot => "Dovecot",
        SocketOwner::Fantail => "fantail",
        SocketOwner::Other(name) => name,
    }
}

/// Reports that no process listens on the socket for events.
pub(super) fn not_served(subject: &mut Subject<'_>) {
    let Some(writer) = subject.socket(SocketRole::Writer) else {
        return;
    };
    if !matches!(writer.state, SocketState::Missing | SocketState::Stale) {
        return;
    }
    let path = writer.path.clone();
    let left_over = writer.state == SocketState::Stale;
    let dovecot = subject.loaded.settings.dovecot.as_ref();
    let is_left = dovecot.is_some_and(|dovecot| is_left_alone(dovecot, "stats-writer"));
    if !is_left && subject.facts.dovecot.is_running != Some(true) {
        return;
    }
    let finding = Finding::doctor(
        DoctorCode::NotServed,
        format!("no process takes the events: nothing listens on {path}"),
    );
    let finding = match left_over {
        true => finding.note("the socket is left over from a process that has ended"),
        false => finding,
    };
    let file = subject.dovecots_file();
    subject.push(match is_left {
        true => finding
            .note(format!(
                "with `mode = 0`, {file} leaves the socket to fantail"
            ))
            .help(
                "start fantail:\n  systemctl start fantail\nor remove the listeners with \
                 `mode = 0` and restart Dovecot",
            ),
        false => finding.help("restart Dovecot, which binds it:\n  systemctl restart dovecot"),
    });
}

/// Reports socket files that ended processes left, except the socket for events.
pub(super) fn stale(subject: &mut Subject<'_>) {
    let has_writer = subject.has(&[DoctorCode::NotServed]);
    let stale: Vec<String> = subject
        .facts
        .sockets
        .iter()
        .filter(|socket| socket.state == SocketState::Stale)
        .filter(|socket| !(has_writer && socket.role == SocketRole::Writer))
        .map(|socket| socket.path.clone())
        .collect();
    for path in stale {
        let message = format!("nothing listens on {path}: it is left over");
        subject.push(Finding::doctor(DoctorCode::StaleSocket, message).help(
            "restart the process that binds it, fantail or Dovecot: either replaces a socket \
             that is left over",
        ));
    }
}

/// Reports sockets that Dovecot's own processes may not open.
pub(super) fn permissions(subject: &mut Subject<'_>) {
    let denied: Vec<(SocketRole, String, SocketAccess)> = subject
        .facts
        .sockets
        .iter()
        .filter_map(|socket| Some((socket.role, socket.path.clone(), socket.access.clone()?)))
        .filter(|(role, _, access)| !admits(*role, access))
        .collect();
    for (role, path, access) in denied {
        let SocketAccess {
            mode, needed_name, ..
        } = access;
        let (who, block) = match role {
            SocketRole::LoginWriter => (
                format!("login processes (user {needed_name})"),
                format!("    mode = 0600\n    user = {needed_name}\n"),
            ),
            _ => (
                format!("processes of mail users (group {needed_name})"),
                format!("    mode = 0660\n    group = {needed_name}\n"),
            ),
        };
        let message = format!("{who} may not open {path}, which has the permissions {mode:04o}");
        let name = role.name();
        subject.push(
            Finding::doctor(DoctorCode::SocketPermissions, message).help(format!(
                "give it the owner that Dovecot's own has, in {}:\nservice stats {{\n  \
                 unix_listener {name} {{\n{block}  }}\n}}",
                file_of_sockets(subject)
            )),
        );
    }
}

/// Returns the name of the configuration file that defines the sockets.
fn file_of_sockets(subject: &Subject<'_>) -> String {
    match subject.is_fantails() {
        true => super::text(subject.loaded.sources.name(fantail_config::FileId::MAIN)),
        false => subject.dovecots_file(),
    }
}

/// Returns whether the permissions let the account open the socket that it needs.
fn admits(role: SocketRole, access: &SocketAccess) -> bool {
    let SocketAccess {
        mode,
        user,
        group,
        needed,
        ..
    } = access;
    let Some(needed) = needed else {
        return true;
    };
    let everybody = mode & 0o002 != 0;
    everybody
        || match role {
            SocketRole::Writer => group == needed && mode & 0o020 != 0,
            SocketRole::LoginWriter => user == needed && mode & 0o200 != 0,
            SocketRole::Reader => true,
        }
}

/// Reports delivery agents whose users may not open the socket.
pub(super) fn denied(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    let mut lines = facts.log.iter();
    let logged = lines.find(|one| one.problem == LogProblem::PermissionDenied);
    let refused: Vec<_> = facts.agents.iter().filter(|one| !one.may_open).collect();
    if logged.is_none() && refused.is_empty() {
        return;
    }
    let message = "a program outside Dovecot may not open the socket for events";
    let mut finding = Finding::doctor(DoctorCode::PermissionDenied, message);
    for agent in &refused {
        let (place, user) = (&agent.place, &agent.user);
        finding = finding.note(format!("{place} runs a delivery agent as {user}"));
    }
    if let Some(logged) = logged {
        let (file, last) = (&logged.file, &logged.last);
        finding = finding.note(format!("{file} says: {last}"));
    }
    let user = refused.first().map_or("vmail", |agent| &agent.user);
    let help = format!(
        "deliveries work, but their events are missing. Give the socket to the group of that \
         user, in {}:\nservice stats {{\n  unix_listener stats-writer {{\n    mode = 0660\n    \
         group = {user}\n  }}\n}}\nor deliver by LMTP, which keeps Dovecot's group",
        file_of_sockets(subject)
    );
    subject.push(finding.help(help));
}
