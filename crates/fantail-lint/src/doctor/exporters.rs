//! Exporters, and errors that the stats process logs.

use super::{DoctorCode, LogProblem, Subject, counted};
use crate::Finding;

/// Reports exporters of a running fantail that fail, lose events, or have a full spool.
pub(super) fn check(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    for exporter in &facts.exporters {
        let name = &exporter.name;
        if let Some(error) = &exporter.last_error {
            let message = format!("the exporter `{name}` does not work: {error}");
            let waiting = counted(exporter.waiting, "event waits", "events wait");
            subject.push(
                Finding::doctor(DoctorCode::ExportFails, message)
                    .note(waiting)
                    .help("see to the target; fantail tries again until it answers"),
            );
        }
        let dropped = exporter.dropped.iter().filter(|(_, count)| *count > 0);
        let dropped: Vec<String> = dropped
            .map(|(reason, count)| format!("{count} ({reason})"))
            .collect();
        if !dropped.is_empty() {
            let dropped = dropped.join(", ");
            let message = format!("the exporter `{name}` lost events since its start: {dropped}");
            subject.push(Finding::doctor(DoctorCode::ExportDrops, message).help(
                "`delivery = spool` keeps events while the target does not answer; \
                 docs/exporters.md tells the reasons",
            ));
        }
        let (used, limit) = (exporter.spool_bytes, exporter.spool_limit);
        let is_near = |limit: &u64| used.saturating_mul(10) >= limit.saturating_mul(8);
        if let Some(limit) = limit.filter(|limit| *limit > 0).filter(is_near) {
            let percent = used.saturating_mul(100) / limit;
            let message = format!("the spool of the exporter `{name}` is {percent} % full");
            subject.push(
                Finding::doctor(DoctorCode::SpoolNearLimit, message).help(format!(
                    "events are lost when it is full. See to the target, or allow more: \
                 `spool_size` of event_exporter {name}"
                )),
            );
        }
    }
}

/// Reports errors that the stats process logged.
pub(super) fn log(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    for logged in &facts.log {
        let lines = counted(logged.lines, "line", "lines");
        let (file, last) = (&logged.file, &logged.last);
        match logged.problem {
            LogProblem::StatsError => {
                let message = format!("the stats process logs errors: {last}");
                let finding = Finding::doctor(DoctorCode::StatsErrors, message);
                subject.push(finding.note(format!("{lines} of {file} since the last start")));
            }
            LogProblem::SocketExists => {
                let message = format!("Dovecot did not start: {last}");
                let finding = Finding::doctor(DoctorCode::DovecotBinds, message);
                subject.push(
                    finding
                        .note(format!("{lines} of {file}"))
                        .help("another process has the socket: leave it to one of them"),
                );
            }
            _ => {}
        }
    }
}
