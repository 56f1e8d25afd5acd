//! `doctor --bundle`: facts for a support request, limited to an explicit allow-list.
//!
//! The bundle contains numbers, codes, fixed words of this program, and names from
//! Dovecot's event catalogue. It contains no text of the configuration, events, logs,
//! paths or errors. Names of metrics and exporters are left out, because they may be
//! names of users and hosts.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use fantail::{
    config::{Exporter, Metric},
    filter::Mentions,
    lint::{
        Catalogue, ExporterFacts, Facts, Finding, LogProblem, SocketFacts, SocketOwner, SocketState,
    },
};
use serde_json::{Value, json};

use super::gather::Gathered;
use crate::exit::Failure;

/// The results of failed units that systemd defines.
const RESULTS: [&str; 8] = [
    "exit-code",
    "signal",
    "core-dump",
    "timeout",
    "watchdog",
    "start-limit-hit",
    "resources",
    "oom-kill",
];

/// Writes the bundle to a new file that only its owner may read.
pub(super) fn write(path: &Path, gathered: &Gathered, findings: &[Finding]) -> Result<(), Failure> {
    let text = format!("{:#}\n", contents(gathered, findings));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::file("create", path, &error))
}

fn contents(gathered: &Gathered, findings: &[Finding]) -> Value {
    let facts = &gathered.facts;
    let settings = &gathered.loaded.settings;
    let findings = findings.iter();
    let findings =
        findings.map(|one| json!({ "code": one.code, "severity": one.severity.as_str() }));
    let metrics = settings.metrics.iter();
    let catalogue = Catalogue::new();
    json!({
        "fantail": env!("CARGO_PKG_VERSION"),
        "commit": env!("FANTAIL_COMMIT"),
        "findings": findings.collect::<Vec<_>>(),
        "unseen": gathered.unseen.len(),
        "dialect": settings.dialect.to_string(),
        "release": settings.release.map(|release| release.to_string()),
        "files": gathered.loaded.sources.len(),
        "metrics": metrics.map(|one| metric(one, facts, &catalogue)).collect::<Vec<_>>(),
        "broken_metrics": gathered.loaded.broken_metrics.len(),
        "exporters": settings.exporters.iter().map(|one| exporter(one, facts)).collect::<Vec<_>>(),
        "dovecot": {
            "release": facts.dovecot.release.map(|release| release.to_string()),
            "runs": facts.dovecot.is_running,
            "refuses": facts.dovecot.refusal.is_some(),
            "writer_path_is_empty": facts.dovecot.writer_path.as_ref().map(String::is_empty),
            "client_limit": facts.dovecot.client_limit,
            "mail_processes": facts.dovecot.mail_processes,
            "unconnected": facts.dovecot.unconnected.len(),
            "clock_step_seconds": facts.dovecot.clock_step,
        },
        "sockets": facts.sockets.iter().map(socket).collect::<Vec<_>>(),
        "scrapes_fail": facts.scrapes.iter().map(|one| one.failure.is_some()).collect::<Vec<_>>(),
        "server": server(facts),
        "agents_may_open": facts.agents.iter().map(|one| one.may_open).collect::<Vec<_>>(),
        "log": log(facts),
        "units": units(facts),
    })
}

/// Describes a metric by the Dovecot events in its filter, its sizes and its count.
fn metric(metric: &Metric, facts: &Facts, catalogue: &Catalogue) -> Value {
    let mentions = Mentions::of(&metric.filter);
    let names = mentions.names().iter().filter_map(|name| name.literal());
    let events = names.filter_map(|name| Some(catalogue.event(name)?.name));
    let counts = facts.counts.iter().flatten();
    let mut counts = counts.filter(|one| one.name == metric.settings.name);
    json!({
        "events": events.collect::<Vec<_>>(),
        "comparisons": metric.filter.comparisons().len(),
        "fields": metric.settings.fields.len(),
        "levels": metric.settings.group_by.len(),
        "is_exported": !metric.exporters.is_empty(),
        "count": counts.next().map(|one| one.count),
    })
}

/// Describes an exporter by its transport, its queue and its counters.
fn exporter(exporter: &Exporter, facts: &Facts) -> Value {
    let mut running = facts.exporters.iter();
    let running = running.find(|one| one.name.as_bytes() == exporter.name);
    let default = ExporterFacts::default();
    let numbers = running.unwrap_or(&default);
    // The reasons are fixed words of this program, so the sum is enough.
    let dropped: u64 = numbers.dropped.iter().map(|(_, count)| count).sum();
    json!({
        "transport": exporter.transport.name(),
        "has_spool": exporter.queue.level.spool().is_some(),
        "is_running": running.is_some(),
        "fails": numbers.last_error.is_some(),
        "dropped": dropped,
        "waiting": numbers.waiting,
        "spool_bytes": numbers.spool_bytes,
        "spool_limit_bytes": numbers.spool_limit,
    })
}

fn socket(one: &SocketFacts) -> Value {
    let (state, program) = match &one.state {
        SocketState::Missing => ("missing", None),
        SocketState::Stale => ("stale", None),
        SocketState::Unseen => ("unseen", None),
        SocketState::Served { program, .. } => {
            let program = match program {
                SocketOwner::Dovecot => "dovecot",
                SocketOwner::Fantail => "fantail",
                SocketOwner::Other(_) => "other",
            };
            ("served", Some(program))
        }
    };
    let access = one.access.as_ref();
    json!({
        "name": one.role.name(),
        "state": state,
        "program": program,
        "mode": access.map(|access| format!("{:04o}", access.mode)),
        "user": access.map(|access| access.user),
        "group": access.map(|access| access.group),
        "needed": access.and_then(|access| access.needed),
        "connections": one.clients,
    })
}

fn server(facts: &Facts) -> Value {
    let Some(server) = &facts.server else {
        return Value::Null;
    };
    json!({
        "uptime_seconds": server.uptime.map(|uptime| uptime.as_secs()),
        "connections": server.connections,
        "connection_limit": server.connection_limit,
        "file_limit": server.file_limit,
        "refused": server.refused,
        "events": server.events,
        "scrapes": server.scrapes,
        "clock_step_seconds": server.clock_step,
        "has_state": server.state.is_some(),
        "state_fails": server.state.as_ref().is_some_and(|(_, problem)| problem.is_some()),
    })
}

fn log(facts: &Facts) -> Vec<Value> {
    let entries = facts.log.iter().map(|one| {
        let problem = match one.problem {
            LogProblem::PermissionDenied => "permission-denied",
            LogProblem::SocketExists => "socket-exists",
            LogProblem::LimitReached => "limit-reached",
            LogProblem::ClockMoved => "clock-moved",
            LogProblem::StatsError => "stats-error",
        };
        json!({ "problem": problem, "lines": one.lines })
    });
    entries.collect()
}

fn units(facts: &Facts) -> Vec<Value> {
    let units = facts.units.iter().map(|unit| {
        let failure = unit.failure.as_deref();
        let known = failure.map(|failure| {
            let mut results = RESULTS.iter();
            results
                .find(|known| **known == failure)
                .copied()
                .unwrap_or("other")
        });
        json!({ "name": unit.name, "is_active": unit.is_active, "failure": known })
    });
    units.collect()
}
