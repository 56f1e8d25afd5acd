//! `fantail convert`: from one version's syntax to the other's.

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

/// Take metrics and exporters from one version of Dovecot to the other.
///
/// Writes the event parts of a configuration, with their comments, in the
/// syntax of the other version: fields get the names that they have there.
/// What cannot be carried over is said on standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail convert --to 2.4 /etc/dovecot/dovecot.conf >events.conf
  fantail convert --to 2.4.1 dovecot.conf
  fantail convert --to 2.4 --part dovecot.conf >>/etc/dovecot/local.conf

Exit status: 0 everything was carried over; 1 something was not, or the
configuration has errors; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// The version to write for: 2.3, 2.4, or a release of 2.4 such as 2.4.1, whose
    /// dovecot_config_version is written.
    #[arg(long, value_name = "VERSION", value_parser = edition)]
    to: Edition,
    /// Leave out the lines that a whole 2.4 configuration begins with.
    #[arg(long)]
    part: bool,
    #[command(flatten)]
    rules: Rules,
    /// The dovecot.conf; without it, that of this machine.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.file.as_deref());
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

/// The settings block by block, with their comments.
fn text(settings: &Settings, loaded: &Loaded, part: bool) -> Vec<u8> {
    let mut text = Vec::new();
    if settings.dialect == event::Dialect::V2_4 && !part {
        text.extend_from_slice(config::version_lines(settings.release).as_bytes());
    }
    let comments = Comments::new(&loaded.sources, loaded.settings.dialect);
    config::write_blocks(settings, Some(&comments), &mut text);
    text
}
