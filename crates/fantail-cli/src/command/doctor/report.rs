//! The text report.

use fantail::{
    config::{Severity, Style, render_reports},
    lint::{Finding, SocketOwner, SocketRole, SocketState},
};

use super::gather::Gathered;
use crate::command::check::counted;

/// The width of the indentation of a note's lines: the line numbers and ` = help: `.
const BEFORE_NOTES: usize = 14;

/// The minimum width of wrapped text.
const MIN_WIDTH: usize = 20;

/// Renders a report; text is wrapped at `columns`.
pub(super) fn write(
    gathered: &Gathered,
    findings: &[Finding],
    style: Style,
    columns: Option<usize>,
) -> String {
    let mut text = installation(gathered);
    text.push('\n');
    let broken = findings.iter().map(|one| match columns {
        Some(columns) => broken(one, columns),
        None => one.clone(),
    });
    let broken: Vec<Finding> = broken.collect();
    let reports = broken.iter().map(Finding::report);
    text += &render_reports(reports, &gathered.loaded.sources, style);
    if !gathered.unseen.is_empty() {
        text += "not seen:\n";
        for one in &gathered.unseen {
            let line = format!("{}: {}", one.what, one.why);
            let columns = columns.unwrap_or(usize::MAX).saturating_sub(4);
            text += &format!("  {}\n", wrap(&line, columns).replace('\n', "\n    "));
        }
        text.push('\n');
    }
    text += &summary(findings, !gathered.unseen.is_empty());
    text.push('\n');
    text
}

/// Returns the finding with its message and notes wrapped.
fn broken(finding: &Finding, columns: usize) -> Finding {
    let mut finding = finding.clone();
    let before = finding.severity.as_str().len() + finding.code.len() + "[]: ".len();
    finding.message = wrap(&finding.message, columns.saturating_sub(before));
    for note in &mut finding.notes {
        note.text = wrap(&note.text, columns.saturating_sub(BEFORE_NOTES));
    }
    finding
}

/// Wraps lines at blanks. Lines that begin with a blank are for copying and pasting,
/// and are not wrapped.
fn wrap(text: &str, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        if line.starts_with(' ') || line.chars().count() <= width {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = String::new();
        for word in line.split(' ') {
            let length = current.chars().count() + 1 + word.chars().count();
            if !current.is_empty() && length > width {
                lines.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// Describes the installation, one fact per line.
fn installation(gathered: &Gathered) -> String {
    let facts = &gathered.facts;
    let release = facts.dovecot.release.map(|release| format!(" {release}"));
    let release = release.unwrap_or_default();
    let runs = match (facts.dovecot.is_running, gathered.master) {
        (Some(true), Some(pid)) => format!("runs, process {pid}"),
        (Some(true), None) => "runs".to_owned(),
        (Some(false), _) => "does not run".to_owned(),
        (None, _) => "cannot be seen".to_owned(),
    };
    let mut text = format!("Dovecot{release} {runs}\n");
    text += &format!("configuration  {}\n", gathered.config.display());
    for socket in &facts.sockets {
        let name = match socket.role {
            SocketRole::Writer => "events",
            SocketRole::LoginWriter => "login events",
            SocketRole::Reader => "answers",
        };
        let state = state(&socket.state);
        let clients = socket.clients.filter(|_| socket.role != SocketRole::Reader);
        let clients = clients.map(|count| format!(", {}", counted(count, "connection")));
        let clients = clients.unwrap_or_default();
        text += &format!("{name:<14} {}: {state}{clients}\n", socket.path);
    }
    for scrape in &facts.scrapes {
        let state = scrape.failure.as_deref().unwrap_or("answers");
        text += &format!("{:<14} {}: {state}\n", "scrapes", scrape.address);
    }
    text
}

/// Describes the state of a socket.
pub(super) fn state(state: &SocketState) -> String {
    match state {
        SocketState::Missing => "missing".to_owned(),
        SocketState::Stale => "left over, nothing listens".to_owned(),
        SocketState::Unseen => "cannot be seen".to_owned(),
        SocketState::Served { program, pid } => {
            let name = match program {
                SocketOwner::Dovecot => "Dovecot",
                SocketOwner::Fantail => "fantail",
                SocketOwner::Other(name) => name,
            };
            format!("{name}, process {pid}")
        }
    }
}

/// Returns the numbers of findings by level: `2 errors, 1 warning`.
fn summary(findings: &[Finding], is_partial: bool) -> String {
    let levels = [Severity::Error, Severity::Warning, Severity::Hint];
    let counts = levels.map(|level| {
        let found = findings.iter().filter(|one| one.severity == level);
        (level, found.count())
    });
    let told = counts.iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = told
        .map(|(level, count)| counted(*count, level.as_str()))
        .collect();
    match told.is_empty() {
        true if is_partial => "nothing is wrong with what was seen".to_owned(),
        true => "nothing is wrong".to_owned(),
        false => format!("{}; `fantail explain CODE` tells more", told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_blocks_are_not() {
        let text = "put this into the configuration:\nservice stats {\n  a line that is long \
                    and is to be pasted\n}";
        let expected = "put this into the\nconfiguration:\nservice stats {\n  a line that is long \
                        and is to be pasted\n}";
        assert_eq!(wrap(text, 20), expected);
        assert_eq!(wrap("short", 20), "short");
        let word = "/a/path/that/is/longer/than/a/line";
        assert_eq!(wrap(&format!("see {word}"), 20), format!("see\n{word}"));
    }
}
