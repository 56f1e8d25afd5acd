//! `fantail config`: prints the settings that fantail uses.

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
/// The output contains the settings of all included files, with variables expanded
/// and blocks of the same name merged. JSON output also contains all defaults.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail config
  fantail config dovecot.conf --format json
  fantail config dovecot.conf --as 2.4

To convert a configuration from one version to the other, use `fantail convert`:
it keeps the comments, and reports the settings that it cannot convert.

Exit status: 0 success, 1 the configuration has errors, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Configuration to read; default: the configuration of this machine.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// As FILE: other commands have this flag.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "file")]
    config: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    /// Syntax of the output; default: the syntax of the configuration.
    #[arg(long = "as", value_enum, value_name = "SYNTAX")]
    syntax: Option<Syntax>,
    /// Output format; json is one object with all defaults.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "syntax")]
    format: Form,
}

/// The syntax of the printed settings.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Syntax {
    /// Configuration of Dovecot 2.3.
    #[value(name = "2.3")]
    V2_3,
    /// Configuration of Dovecot 2.4.
    #[value(name = "2.4")]
    V2_4,
    /// The same as `--format json`.
    #[value(hide = true)]
    Json,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.file.as_deref().or(arguments.config.as_deref()));
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
