//! `fantail check`: reports problems of a configuration.

mod deny;
mod input;
pub(crate) mod json;
mod sarif;

use std::{
    ops::ControlFlow,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use fantail::{
    config::{self, Loaded, Severity, render_reports},
    lint::{self, Catalogue, Finding, Trial},
};

use self::input::Input;
use crate::{
    dialect::Rules,
    exit::{Failure, Findings},
    io::capture::{Player, Recording},
    io::configuration,
    io::output::Output,
    io::terminal,
};

/// Check a configuration for problems before you use it.
///
/// The command reports errors that Dovecot itself refuses, and settings that Dovecot
/// accepts but that have no useful effect: unknown events and fields, values that
/// Dovecot never sends, buckets that miss the data.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail check
  doveconf -n | fantail check -
  fantail check dovecot.conf --against capture.tsv
  fantail check --for dovecot metrics.conf
  fantail check dovecot.conf --format sarif --deny warning >report.sarif

A capture has one line for each line that a client sent to the stats-writer
socket: <connection> TAB <microseconds since 1970> TAB <line>.

Exit status: 0 no errors (there may be warnings and hints); 1 there are errors,
or findings that --deny selects; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Configurations to check; - is standard input. Default: the configuration of
    /// this machine, which is FANTAIL_CONFIG, /etc/fantail/fantail.conf or
    /// /etc/dovecot/dovecot.conf.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// As FILE: other commands have this flag.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "files")]
    config: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Program that reads FILE. Dovecot does not start with extension settings, which
    /// only fantail knows. Default: dovecot for a file called dovecot.conf and the
    /// files that it includes.
    #[arg(long = "for", value_enum, value_name = "PROGRAM")]
    reader: Option<Reader>,
    /// Count findings as errors: those of a level (error, warning, hint) and above, or
    /// those with a code.
    #[arg(long, value_name = "LEVEL|CODE", value_parser = deny::parse)]
    deny: Vec<deny::Deny>,
    /// Also report the metrics that match no event of this capture, and the reason.
    #[arg(long, value_name = "CAPTURE")]
    against: Vec<PathBuf>,
}

/// The program that reads a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// Dovecot, and possibly also fantail.
    Dovecot,
    /// Only fantail.
    Fantail,
}

/// The output format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text with the lines that the findings are about.
    Human,
    /// One line per finding: file, line, column, level, code and message.
    Short,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

/// A configuration and its findings.
struct Checked {
    loaded: Loaded,
    findings: Vec<Finding>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let files = match arguments.files.as_slice() {
        [] => &[configuration::find(arguments.config.as_deref())],
        files => files,
    };
    let input = Input::read(files)?;
    let mut outcome = Findings::None;
    let mut checked = Vec::new();
    for file in files {
        let (one, read) = check(file, &input, arguments)?;
        outcome = outcome.or(read);
        checked.push(one);
    }
    Output::open(Path::new("-"))?.write_whole(&told(arguments.format, &checked))?;
    let is_denied = |one: &Finding| {
        one.severity == Severity::Error || arguments.deny.iter().any(|deny| deny.names(one))
    };
    let mut findings = checked.iter().flat_map(|one| &one.findings);
    if findings.any(is_denied) {
        outcome = Findings::Some;
    }
    Ok(outcome)
}

/// Checks one configuration; also returns whether a capture has invalid lines.
fn check(
    file: &Path,
    input: &Input,
    arguments: &Arguments,
) -> Result<(Checked, Findings), Failure> {
    let options = arguments.rules.options();
    let loaded = config::load(file.as_os_str().as_bytes(), input, &options);
    let mut findings = beyond_errors(&loaded, arguments.reader);
    findings.extend(loaded.diagnostics.iter().map(Finding::from));
    let mut read = Findings::None;
    if !arguments.against.is_empty() {
        let mut trial = Trial::new(&loaded.settings.metrics, loaded.settings.dialect);
        let mut player = Player::new(loaded.settings.dialect);
        for path in &arguments.against {
            player.play_events(&mut Recording::open(path)?, |sent, _| {
                trial.observe(sent);
                ControlFlow::Continue(())
            })?;
        }
        read = player.finish();
        findings.extend(trial.findings());
    }
    sort(&mut findings);
    Ok((Checked { loaded, findings }, read))
}

/// Returns the findings about settings that Dovecot accepts.
fn beyond_errors(loaded: &Loaded, reader: Option<Reader>) -> Vec<Finding> {
    let mut findings = lint::check(loaded, &Catalogue::new(), &is_public);
    let reader = match reader {
        None => lint::Reader::ByName,
        Some(Reader::Dovecot) => lint::Reader::Dovecot,
        Some(Reader::Fantail) => lint::Reader::Fantail,
    };
    findings.extend(lint::check_reader(loaded, reader));
    findings
}

/// Renders the errors and warnings of a configuration that is used despite them.
pub(crate) fn drawn_findings(loaded: &Loaded) -> Option<String> {
    let mut findings = beyond_errors(loaded, None);
    findings.extend(loaded.diagnostics.iter().map(Finding::from));
    findings.retain(|one| one.severity >= Severity::Warning);
    sort(&mut findings);
    let reports = findings.iter().map(Finding::report);
    let drawn = render_reports(reports, &loaded.sources, terminal::style());
    (!findings.is_empty()).then(|| drawn.trim_end().to_owned())
}

/// Sorts findings by position, and those at one position by descending severity.
fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|one| {
        let label = one.primary.as_ref();
        let place = label.map(|label| (label.span.file, label.span.start));
        (place, std::cmp::Reverse(one.severity))
    });
}

fn told(format: Format, checked: &[Checked]) -> Vec<u8> {
    let text = match format {
        Format::Human => checked
            .iter()
            .map(|one| human(one, checked.len() > 1))
            .collect(),
        Format::Short => checked.iter().flat_map(short).collect(),
        Format::Json => json::write(checked),
        Format::Sarif => sarif::write(checked),
    };
    text.into_bytes()
}

/// Renders the findings and a summary, which names the file if there are several.
fn human(one: &Checked, is_one_of_several: bool) -> String {
    let Checked { loaded, findings } = one;
    let reports = findings.iter().map(Finding::report);
    let drawn = render_reports(reports, &loaded.sources, terminal::output_style());
    let file = loaded.sources.ids().next().filter(|_| is_one_of_several);
    let name = file.map(|file| loaded.sources.name(file));
    let name = name.map(|name| format!("{}: ", String::from_utf8_lossy(name)));
    format!(
        "{drawn}{}{}\n",
        name.unwrap_or_default(),
        summary(findings, loaded)
    )
}

fn short(one: &Checked) -> impl Iterator<Item = String> + '_ {
    let findings = one.findings.iter();
    findings.map(|finding| finding.to_line(&one.loaded.sources) + "\n")
}

/// Returns the summary, such as `3 metrics, 1 exporter, read as Dovecot 2.4: 2 errors`.
fn summary(findings: &[Finding], loaded: &Loaded) -> String {
    let levels = [Severity::Error, Severity::Warning, Severity::Hint];
    let counts = levels.map(|level| {
        let found = findings.iter().filter(|one| one.severity == level);
        (level, found.count())
    });
    let told: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| counted(*count, level.as_str()))
        .collect();
    let settings = &loaded.settings;
    let broken = loaded.broken_metrics.len();
    let metrics = counted(settings.metrics.len() + broken, "metric");
    let exporters = counted(settings.exporters.len(), "exporter");
    let found = if told.is_empty() {
        "nothing is wrong".to_owned()
    } else {
        told.join(", ")
    };
    let target = settings.target();
    format!("{metrics}, {exporters}, read as Dovecot {target}: {found}")
}

/// Returns a count with its noun: `2 errors`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Returns whether all users may read a file.
pub(crate) fn is_public(path: &[u8]) -> bool {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}
