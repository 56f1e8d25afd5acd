//! `fantail convert`: converts a configuration to the syntax of another version.

use std::path::{Path, PathBuf};

use clap::Args;
use fantail::{
    config::{self, Comments, Loaded, Settings, render_reports},
    event,
    lint::{Catalogue, Finding, Translation, translate},
};

use crate::{
    dialect::{Edition, Rules, edition},
    exit::{Failure, Findings, say},
    io::configuration,
    io::output::Output,
    io::terminal,
};

/// Convert metrics and exporters from one version of Dovecot to the other.
///
/// The command prints the event settings of a configuration, with their comments, in
/// the syntax and with the field names of the other version. It reports settings that
/// it cannot convert on standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail convert --to 2.4 /etc/dovecot/dovecot.conf >events.conf
  fantail convert --to 2.4.1 dovecot.conf
  fantail convert --to 2.4 --part dovecot.conf >>/etc/dovecot/local.conf

Exit status: 0 all settings were converted; 1 some settings were not, or the
configuration has errors; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Target version: 2.3, 2.4, or a release of 2.4 such as 2.4.1, which sets
    /// dovecot_config_version in the output.
    #[arg(long, value_name = "VERSION", value_parser = edition)]
    to: Edition,
    /// Leave out the first lines of a complete 2.4 configuration.
    #[arg(long)]
    part: bool,
    #[command(flatten)]
    rules: Rules,
    /// Configuration to convert; default: the configuration of this machine.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// As FILE: other commands have this flag.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "file")]
    config: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.file.as_deref().or(arguments.config.as_deref()));
    let Some(loaded) = configuration::load(&path, &arguments.rules.options()) else {
        return Ok(Findings::Some);
    };
    let to = arguments.to;
    let translation = translate(&loaded.settings, to.dialect, &Catalogue::new());
    let Translation {
        mut settings,
        losses,
    } = translation;
    settings.release = to.release.or(settings.release);
    let text = text(&settings, &loaded, arguments.part);
    Output::open(Path::new("-"))?.write_whole(&text)?;
    if to.dialect == event::Dialect::V2_4 && settings.release.is_none() && !arguments.part {
        say(format_args!(
            "note: written with dovecot_config_version = 2.4.0, which each release of 2.4 reads; \
             `--to 2.4.1` writes that of another release, and `--part` none"
        ));
    }
    if losses.is_empty() {
        return Ok(Findings::None);
    }
    let reports = losses.iter().map(Finding::report);
    let drawn = render_reports(reports, &loaded.sources, terminal::style());
    say(format_args!("{}", drawn.trim_end()));
    Ok(Findings::Some)
}

/// Returns the settings as text, block by block, with their comments.
fn text(settings: &Settings, loaded: &Loaded, part: bool) -> Vec<u8> {
    let mut text = Vec::new();
    if settings.dialect == event::Dialect::V2_4 && !part {
        text.extend_from_slice(config::version_lines(settings.release).as_bytes());
    }
    let comments = Comments::new(&loaded.sources, loaded.settings.dialect);
    config::write_blocks(settings, Some(&comments), &mut text);
    text
}
