//! Finds the problems of an installation.
//!
//! [`diagnose`] is a function of [`Facts`] and the configuration; the caller gathers the
//! facts. A fact that was not observed leads to no finding.

mod clients;
mod code;
mod exporters;
mod facts;
mod metrics;
mod probe;
mod server;
mod sockets;
#[cfg(test)]
mod tests;

use fantail_config::{FileId, Loaded, Severity};

pub use self::{
    code::DoctorCode,
    facts::{
        DeliveryAgent, DovecotFacts, ExporterFacts, Facts, LogFacts, LogProblem, MetricCount,
        ScrapeFacts, ServerFacts, SocketAccess, SocketFacts, SocketOwner, SocketRole, SocketState,
        UnitFacts,
    },
    probe::{Probe, probe},
};
use crate::{Catalogue, Finding, LintCode, Reader, check, check_reader};

/// Returns the findings in an installation, the most important first: those from
/// [`Facts`], and the errors and warnings of the configuration.
///
/// `is_public` returns whether all users of the machine can read a file.
///
/// ```
/// use fantail_lint::{Facts, diagnose};
///
/// let text = "stats_writer_socket_path =\nmetric m {\n  filter = event=login_finished\n}\n";
/// let loaded = fantail_config::load_text("dovecot.conf", text, &Default::default());
/// let findings = diagnose(&Facts::default(), &loaded, &|_| false);
/// assert_eq!(findings[0].code, "doctor/stats-off");
/// ```
#[must_use]
pub fn diagnose(facts: &Facts, loaded: &Loaded, is_public: &dyn Fn(&[u8]) -> bool) -> Vec<Finding> {
    let mut subject = Subject {
        facts,
        loaded,
        configuration: of_configuration(loaded, is_public),
        findings: Vec::new(),
    };
    for rule in RULES {
        rule(&mut subject);
    }
    let Subject {
        mut findings,
        configuration,
        ..
    } = subject;
    findings.extend(configuration);
    rank(&mut findings);
    findings
}

/// Sorts findings: the most important first.
pub fn rank(findings: &mut [Finding]) {
    findings.sort_by_key(importance);
}

/// The rules in their order: later rules see the findings of earlier rules.
const RULES: &[fn(&mut Subject<'_>)] = &[
    server::dovecot,
    server::units,
    sockets::stats_off,
    sockets::bound_twice,
    sockets::still_bound,
    sockets::divided,
    sockets::not_served,
    sockets::stale,
    sockets::permissions,
    sockets::denied,
    clients::not_connected,
    clients::limits,
    metrics::none,
    metrics::reload,
    metrics::zero,
    exporters::check,
    exporters::log,
    server::scrapes,
    server::state,
    server::clock,
];

/// The input of the rules, and their findings.
struct Subject<'a> {
    facts: &'a Facts,
    loaded: &'a Loaded,
    /// The findings in the configuration.
    configuration: Vec<Finding>,
    findings: Vec<Finding>,
}

impl Subject<'_> {
    fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn has(&self, codes: &[DoctorCode]) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|one| codes.iter().any(|code| one.code == code.as_str()))
    }

    /// Returns whether a finding already explains why no events arrive.
    fn is_cut_off(&self) -> bool {
        // As a warning, the code is about some processes.
        let connected = DoctorCode::NotConnected.as_str();
        let mut errors = self.findings.iter();
        let none = errors.any(|one| one.code == connected && one.severity == Severity::Error);
        let others = [
            DoctorCode::DovecotRefuses,
            DoctorCode::StatsOff,
            DoctorCode::NotServed,
            DoctorCode::DovecotStopped,
        ];
        none || self.has(&others)
    }

    fn socket(&self, role: SocketRole) -> Option<&SocketFacts> {
        self.facts.sockets.iter().find(|one| one.role == role)
    }

    /// Returns whether only fantail reads the main file.
    fn is_fantails(&self) -> bool {
        let dovecot = self.loaded.settings.dovecot.as_ref();
        dovecot.is_some_and(|dovecot| dovecot.file != FileId::MAIN)
    }

    /// Returns the name of the file that Dovecot reads.
    fn dovecots_file(&self) -> String {
        let file = match &self.loaded.settings.dovecot {
            Some(dovecot) => dovecot.file,
            None => FileId::MAIN,
        };
        String::from_utf8_lossy(self.loaded.sources.name(file)).into_owned()
    }
}

/// Returns the errors and warnings of the configuration, and the metrics whose names
/// hide them from Prometheus.
fn of_configuration(loaded: &Loaded, is_public: &dyn Fn(&[u8]) -> bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = loaded.diagnostics.iter().map(Finding::from).collect();
    findings.extend(check(loaded, &Catalogue::new(), is_public));
    findings.extend(check_reader(loaded, Reader::ByName));
    findings.retain(|one| {
        one.severity >= Severity::Warning || one.code == LintCode::HiddenMetric.as_str()
    });
    findings
}

/// Sorts by severity, then by the order of the codes.
fn importance(finding: &Finding) -> (std::cmp::Reverse<Severity>, usize) {
    let mut codes = DoctorCode::ALL.iter();
    let known = codes.position(|code| code.as_str() == finding.code);
    let place = known.unwrap_or(DoctorCode::ALL.len());
    (std::cmp::Reverse(finding.severity), place)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns a count with its noun, such as `1 process` or `2 processes`.
fn counted(count: u64, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    }
}
