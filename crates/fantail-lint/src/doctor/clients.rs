//! The connections of Dovecot's processes.

use super::{DoctorCode, LogProblem, SocketRole, SocketState, Subject, counted};
use crate::Finding;

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
    let mail = subject.facts.dovecot.mail_processes.unwrap_or_default();
    if !is_served || writer.clients != Some(0) || mail == 0 {
        return;
    }
    if subject.has(&[DoctorCode::StatsOff]) {
        return;
    }
    let processes = counted(mail as u64, "mail process runs", "mail processes run");
    let message = format!("{processes}, and none is connected to {}", writer.path);
    let help = "processes try again every 10 seconds: if this lasts, see Dovecot's log for \
                `stats-writer`, then restart Dovecot:\n  systemctl restart dovecot";
    subject.push(Finding::doctor(DoctorCode::NotConnected, message).help(help));
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
