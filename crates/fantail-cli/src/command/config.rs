//! `fantail config`: what a configuration means to fantail.

mod json;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use fantail::{
    config, event,
    lint::{Catalogue, translate},
};

use crate::{
    command::check::SYSTEM,
    dialect::Dialect,
    exit::{Failure, Findings},
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
  fantail config dovecot.conf --as json
  fantail config dovecot.conf --as 2.4

To take a configuration from one version to the other, see `fantail convert`:
it keeps the comments, and says what cannot be carried over.

Exit status: 0 all went well, 1 the configuration has errors, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// The dovecot.conf.
    #[arg(value_name = "FILE", default_value = SYSTEM)]
    file: PathBuf,
    /// Whose rules apply; without it, what the configuration says.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// In which syntax; without it, in that of the configuration.
    #[arg(long = "as", value_enum, value_name = "SYNTAX")]
    syntax: Option<Syntax>,
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
    /// As one JSON object.
    Json,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let Some(settings) = configuration::load(&arguments.file, arguments.dialect)? else {
        return Ok(Findings::Some);
    };
    let written = |dialect| {
        let translated = translate(&settings, dialect, &Catalogue::new());
        config::write(&translated.settings)
    };
    let text = match arguments.syntax {
        None => config::write(&settings),
        Some(Syntax::V2_3) => written(event::Dialect::V2_3),
        Some(Syntax::V2_4) => written(event::Dialect::V2_4),
        Some(Syntax::Json) => json::write(&settings).into_bytes(),
    };
    Output::open(Path::new("-"))?.write_whole(&text)?;
    Ok(Findings::None)
}
