//! The connections of Dovecot's processes.

use std::time::Duration;

use fantail_config::Severity;

use super::{DoctorCode, LogProblem, SocketRole, SocketState, Subject, counted};
use crate::Finding;

/// The time after which processes have connected again to a new stats process.
const RECONNECTED_AFTER: Duration = Duration::from_secs(15);

/// Reports that mail processes run but none is connected. Only mail processes count,
/// because Dovecot's other processes disconnect after an idle minute.
pub(super) fn not_connected(subject: &mut Subject<'_>) {
    let Some(writer) = subject.socket(SocketRole::Writer) else {
        return;
    };
    if let Some(finding) = elsewhere(subject, &writer.path) {
        subject.push(finding);
        return;
    }
    let is_served = matches!(writer.state, SocketState::Served { .. });
    if !is_served || subject.has(&[DoctorCode::StatsOff]) {
        return;
    }
    let mail = subject.facts.dovecot.mail_processes.unwrap_or_default();
    let finding = match writer.clients {
        Some(0) if mail > 0 => {
            let processes = counted(mail as u64, "mail process runs", "mail processes run");
            let message = format!("{processes}, and none is connected to {}", writer.path);
            Finding::doctor(DoctorCode::NotConnected, message)
        }
        _ => match some(subject) {
            Some(finding) => finding,
            None => return,
        },
    };
    subject.push(finding.note(NEVER_AGAIN).help(
        "see Dovecot's log for `stats-writer`, then restart Dovecot:\n  systemctl restart dovecot",
    ));
}

const NEVER_AGAIN: &str = "a process of Dovecot connects when it starts, and once more 10 \
                           seconds after it lost its connection. If it finds no socket, it sends \
                           no event until it ends";

/// The maximum number of processes that a finding names.
const MAX_PROCESSES: usize = 5;

/// Reports the processes that are not connected while others are. Right after a start
/// of fantail, processes are about to connect again.
fn some(subject: &Subject<'_>) -> Option<Finding> {
    let facts = subject.facts;
    let processes = &facts.dovecot.unconnected;
    let server = facts.server.as_ref();
    let is_new = server.is_some_and(|server| server.uptime.is_none_or(|it| it < RECONNECTED_AFTER));
    if processes.is_empty() || is_new {
        return None;
    }
    let named = processes.iter().take(MAX_PROCESSES);
    let mut named: Vec<String> = named.map(|(name, pid)| format!("{name} ({pid})")).collect();
    if let Some(more) = processes.len().checked_sub(MAX_PROCESSES + 1) {
        named.push(format!("{} more", more + 1));
    }
    let named = named.join(", ");
    let count = counted(processes.len() as u64, "process", "processes");
    let verb = if processes.len() == 1 {
        "sends"
    } else {
        "send"
    };
    let message = format!("{count} of Dovecot {verb} no events: {named}");
    let mut finding = Finding::doctor(DoctorCode::NotConnected, message);
    finding.severity = Severity::Warning;
    Some(finding)
}

/// Reports that Dovecot's processes send their events to another socket.
fn elsewhere(subject: &Subject<'_>, served: &str) -> Option<Finding> {
    let named = subject.facts.dovecot.writer_path.as_deref()?.trim();
    let is_same = named == served || served.ends_with(&format!("/{named}"));
    if named.is_empty() || is_same {
        return None;
    }
    let message = format!("Dovecot's processes send their events to {named}, not to {served}");
    let finding = Finding::doctor(DoctorCode::NotConnected, message);
    Some(finding.help(
        "remove `stats_writer_socket_path` from Dovecot's configuration, or name that socket with \
         `fantail serve --writer`",
    ))
}

/// Reports too many connections, to fantail or to Dovecot's stats process.
pub(super) fn limits(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    if let Some(server) = &facts.server {
        let limit = [server.connection_limit, server.file_limit];
        let limit = limit.into_iter().flatten().min();
        let refused = server.refused.unwrap_or_default();
        if let Some(message) = too_many(server.connections, limit, refused) {
            subject.push(Finding::doctor(DoctorCode::ConnectionLimit, message).help(
                "allow more: `--max-connections` of fantail serve, and `LimitNOFILE` of its unit",
            ));
        }
        return;
    }
    let writer = subject.socket(SocketRole::Writer);
    let clients = writer.and_then(|writer| writer.clients);
    let clients = clients.map(|clients| clients as u64);
    let mut logged = facts.log.iter();
    let logged = logged.rfind(|one| one.problem == LogProblem::LimitReached);
    let message = match logged {
        Some(logged) => Some(format!("Dovecot reached a limit: {}", logged.last)),
        None => too_many(clients, facts.dovecot.client_limit, 0),
    };
    if let Some(message) = message {
        subject.push(Finding::doctor(DoctorCode::ConnectionLimit, message).help(
            "each process of Dovecot is a client of the stats service. Allow more:\nservice \
             stats {\n  client_limit = 10000\n}\nthen: doveadm reload",
        ));
    }
}

fn too_many(connections: Option<u64>, limit: Option<u64>, refused: u64) -> Option<String> {
    if refused > 0 {
        let refused = counted(refused, "connection was", "connections were");
        return Some(format!("{refused} refused: the limit was reached"));
    }
    let (connections, limit) = (connections?, limit?);
    let is_near = connections.saturating_mul(10) >= limit.saturating_mul(9);
    is_near.then(|| format!("{connections} of {limit} connections are in use"))
}
