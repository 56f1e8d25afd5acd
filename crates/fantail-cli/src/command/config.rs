//! `fantail config`: what a configuration means to fantail.

mod json;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use fantail::{
    config, event,
    lint::{Catalogue, translate},
};

use crate::{
    dialect::Rules,
    exit::{Failure, Findings},
    flag::Form,
    io::configuration,
    io::output::Output,
};

/// Print the settings of a configuration that fantail uses.
///
/// All files read, variables expanded, blocks of one name merged; everything
/// else left out. As JSON with all defaults, in the other syntaxes without.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail config
  fantail config dovecot.conf --format json
  fantail config dovecot.conf --as 2.4

To take a configuration from one version to the other, see `fantail convert`:
it keeps the comments, and says what cannot be carried over.

Exit status: 0 all went well, 1 the configuration has errors, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// The dovecot.conf; without it, that of this machine.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    /// In which syntax; without it, in that of the configuration.
    #[arg(long = "as", value_enum, value_name = "SYNTAX")]
    syntax: Option<Syntax>,
    /// How to tell; json is one object with all defaults.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "syntax")]
    format: Form,
}

/// How settings are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Syntax {
    /// As a configuration of Dovecot 2.3.
    #[value(name = "2.3")]
    V2_3,
    /// As a configuration of Dovecot 2.4.
    #[value(name = "2.4")]
    V2_4,
    /// As `--format json`.
    #[value(hide = true)]
    Json,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.file.as_deref());
    let Some(loaded) = configuration::load(&path, &arguments.rules.options()) else {
        return Ok(Findings::Some);
    };
    let settings = loaded.settings;
    let written = |dialect| {
        let translated = translate(&settings, dialect, &Catalogue::new());
        config::write(&translated.settings)
    };
    let text = match arguments.syntax {
        None if arguments.format == Form::Json => json::write(&settings).into_bytes(),
        None => config::write(&settings),
        Some(Syntax::V2_3) => written(event::Dialect::V2_3),
        Some(Syntax::V2_4) => written(event::Dialect::V2_4),
        Some(Syntax::Json) => json::write(&settings).into_bytes(),
    };
    Output::open(Path::new("-"))?.write_whole(&text)?;
    Ok(Findings::None)
}
