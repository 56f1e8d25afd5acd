//! `fantail convert`: from one version's syntax to the other's.

use std::path::{Path, PathBuf};

use clap::Args;
use fantail::{
    config::{self, Comments, Loaded, Settings, render_reports},
    event,
    lint::{Catalogue, Finding, Translation, translate},
};

use crate::{
    dialect::Dialect,
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
  fantail convert --to 2.4 --part dovecot.conf >>/etc/dovecot/local.conf

Exit status: 0 everything was carried over; 1 something was not, or the
configuration has errors; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// The version to write for.
    #[arg(long, value_enum)]
    to: Dialect,
    /// Leave out the lines that a whole 2.4 configuration begins with.
    #[arg(long)]
    part: bool,
    /// Whose rules apply to FILE; without it, what it says.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// The dovecot.conf; without it, that of this machine.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.file.as_deref());
    let Some(loaded) = configuration::load(&path, arguments.dialect.map(Into::into)) else {
        return Ok(Findings::Some);
    };
    let to = event::Dialect::from(arguments.to);
    let Translation { settings, losses } = translate(&loaded.settings, to, &Catalogue::new());
    let text = text(&settings, &loaded, arguments.part);
    Output::open(Path::new("-"))?.write_whole(&text)?;
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
        text.extend_from_slice(config::VERSION_LINES);
    }
    let comments = Comments::new(&loaded.sources, loaded.settings.dialect);
    config::write_blocks(settings, Some(&comments), &mut text);
    text
}
