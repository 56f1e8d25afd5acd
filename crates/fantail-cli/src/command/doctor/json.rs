//! The JSON report: one object, documented in `docs/operate.md`.

use fantail::{
    config::Severity,
    lint::{Finding, SocketFacts, SocketOwner, SocketState},
};
use serde_json::{Value, json};

use super::gather::Gathered;
use crate::command::check::json::finding;

pub(super) fn write(gathered: &Gathered, findings: &[Finding]) -> String {
    let count = |level| findings.iter().filter(|one| one.severity == level).count();
    let sources = &gathered.loaded.sources;
    let told: Vec<Value> = findings.iter().map(|one| finding(one, sources)).collect();
    let unseen = gathered.unseen.iter();
    let unseen = unseen.map(|one| json!({ "what": one.what, "why": one.why }));
    let report = json!({
        "findings": told,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "hints": count(Severity::Hint),
        "installation": installation(gathered),
        "unseen": unseen.collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

fn installation(gathered: &Gathered) -> Value {
    let facts = &gathered.facts;
    let dovecot = &facts.dovecot;
    let scrapes = facts.scrapes.iter();
    let scrapes = scrapes.map(|one| json!({ "address": one.address, "failure": one.failure }));
    json!({
        "dovecot": dovecot.release.map(|release| release.to_string()),
        "dovecot_runs": dovecot.is_running,
        "mail_processes": dovecot.mail_processes,
        "configuration": gathered.config.display().to_string(),
        "base_dir": gathered.base_dir.display().to_string(),
        "sockets": facts.sockets.iter().map(socket).collect::<Vec<_>>(),
        "scrapes": scrapes.collect::<Vec<_>>(),
    })
}

fn socket(one: &SocketFacts) -> Value {
    let (state, program, pid) = match &one.state {
        SocketState::Missing => ("missing", None, None),
        SocketState::Stale => ("stale", None, None),
        SocketState::Unseen => ("unseen", None, None),
        SocketState::Served { program, pid } => {
            let program = match program {
                SocketOwner::Dovecot => "dovecot",
                SocketOwner::Fantail => "fantail",
                SocketOwner::Other(name) => name,
            };
            ("served", Some(program), Some(pid))
        }
    };
    json!({
        "name": one.role.name(),
        "path": one.path,
        "state": state,
        "program": program,
        "pid": pid,
        "mode": one.access.as_ref().map(|access| format!("{:04o}", access.mode)),
        "connections": one.clients,
    })
}
