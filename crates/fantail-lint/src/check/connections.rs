//! Events of connections that are not those of mail clients.

use fantail_filter::Test;

use super::{Subject, shown};
use crate::{Finding, LintCode};

/// The events of connections that a Dovecot process makes.
const TO_SERVERS: [&str; 2] = [
    "server_connection_connected",
    "server_connection_disconnected",
];

/// Reports filters that confuse the connections of a service to other processes
/// with those of its mail clients.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let events = &subject.scope.events;
    let are_to_servers = events.iter().all(|event| TO_SERVERS.contains(&event.name));
    if events.is_empty() || !are_to_servers {
        return;
    }
    let written = subject.filter().tree().comparisons();
    let tests = subject.filter().comparisons().iter().zip(written);
    for (index, (comparison, written)) in tests.enumerate() {
        let Test::Category(name) = comparison.test() else {
            continue;
        };
        let service = name.strip_prefix(b"service:");
        let Some(service) = service.filter(|_| subject.is_wanted(index)) else {
            continue;
        };
        let service = shown(service);
        let message = format!(
            "these are connections that {service} processes make, such as those to `auth-master`, \
             not those of mail clients"
        );
        let place = subject.place(written.value_span.clone());
        findings.push(
            Finding::new(LintCode::NotOfClients, message, place).help(format!(
                "the end of a user's session is `event=mail_user_session_finished AND \
             category=service:{service}`"
            )),
        );
    }
}
