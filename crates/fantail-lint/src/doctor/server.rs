//! Processes, units, scrapes, the state file and the clock.

use std::time::Duration;

use super::{DoctorCode, LogProblem, Subject};
use crate::Finding;

/// The difference between clocks up to which they count as equal.
const CLOCK_TOLERANCE_SECONDS: u64 = 5;

/// The uptime after which a missing scrape is reported: Prometheus scrapes every minute
/// by default.
const SCRAPED_AFTER: Duration = Duration::from_secs(300);

/// Reports that Dovecot refuses its configuration or does not run.
pub(super) fn dovecot(subject: &mut Subject<'_>) {
    let dovecot = &subject.facts.dovecot;
    if let Some(refusal) = &dovecot.refusal {
        let message = format!("Dovecot refuses its configuration: {refusal}");
        let finding = Finding::doctor(DoctorCode::DovecotRefuses, message);
        subject.push(finding.help("`doveconf -n` says so, too; it does not start or reload"));
    }
    if dovecot.is_running == Some(false) {
        let message = "Dovecot does not run";
        let finding = Finding::doctor(DoctorCode::DovecotStopped, message);
        subject.push(finding.help("systemctl start dovecot"));
    }
}

/// Reports units that have failed.
pub(super) fn units(subject: &mut Subject<'_>) {
    for unit in &subject.facts.units {
        if let Some(result) = &unit.failure {
            let name = &unit.name;
            let message = format!("the unit {name} has failed: {result}");
            let finding = Finding::doctor(DoctorCode::UnitFailed, message);
            subject.push(finding.help(format!("journalctl -u {name} -n 50")));
        }
    }
}

/// Reports scrapes that fail, and a listener without scrapes.
pub(super) fn scrapes(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    for scrape in &facts.scrapes {
        if let Some(failure) = &scrape.failure {
            let address = &scrape.address;
            let message = format!("a scrape of {address} fails: {failure}");
            let finding = Finding::doctor(DoctorCode::ScrapeFails, message);
            subject.push(finding.help(
                "the listener is opened at the start: after a change of `inet_listener http`, \
                 restart fantail (systemctl restart fantail)",
            ));
        }
    }
    let Some(server) = &facts.server else {
        return;
    };
    let is_old = server.uptime.is_some_and(|uptime| uptime > SCRAPED_AFTER);
    if is_old && server.scrapes == Some(0) && !facts.scrapes.is_empty() {
        let message = "no scraper has asked since fantail started";
        let finding = Finding::doctor(DoctorCode::NotScraped, message);
        subject.push(finding.help("add the job `fantail` to prometheus.yml, see docs/operate.md"));
    }
}

/// Reports a state file that cannot be used.
pub(super) fn state(subject: &mut Subject<'_>) {
    let server = subject.facts.server.as_ref();
    if let Some((path, Some(problem))) = server.and_then(|server| server.state.as_ref()) {
        let message = format!("the state file {path} cannot be used: {problem}");
        let finding = Finding::doctor(DoctorCode::StateFile, message);
        subject.push(finding.help(
            "what is counted is lost at the next restart: let the folder of `--state` belong to \
             the user of fantail",
        ));
    }
}

/// Reports clocks that were set while a process ran.
pub(super) fn clock(subject: &mut Subject<'_>) {
    let facts = subject.facts;
    let server = facts.server.as_ref().and_then(|server| server.clock_step);
    let steps = [("Dovecot", facts.dovecot.clock_step), ("fantail", server)];
    for (process, step) in steps {
        let Some(step) = step.filter(|step| step.unsigned_abs() > CLOCK_TOLERANCE_SECONDS) else {
            continue;
        };
        let direction = if step > 0 { "forwards" } else { "backwards" };
        let seconds = step.unsigned_abs();
        let message =
            format!("the clock was set {direction} by {seconds} s since {process} started");
        subject.push(clock_finding(message));
    }
    let mut log = facts.log.iter();
    if let Some(logged) = log.find(|one| one.problem == LogProblem::ClockMoved) {
        let message = format!("Dovecot saw the clock move: {}", logged.last);
        subject.push(clock_finding(message));
    }
}

fn clock_finding(message: String) -> Finding {
    Finding::doctor(DoctorCode::ClockMoved, message)
        .note("durations and times of events that were under way are wrong")
        .help("let a time service run, such as chrony, and start it before Dovecot")
}
