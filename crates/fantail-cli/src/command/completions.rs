//! `fantail completions`: what a shell completes.

use std::path::Path;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::{
    exit::{Failure, Findings},
    io::output::Output,
};

/// Print a script by which a shell completes commands and flags.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail completions bash >/usr/share/bash-completion/completions/fantail
  fantail completions zsh >/usr/share/zsh/vendor-completions/_fantail")]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Runs the command; `program` is the whole command line.
pub(crate) fn run(arguments: &Arguments, mut program: Command) -> Result<Findings, Failure> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut program, "fantail", &mut script);
    Output::open(Path::new("-"))?.write_whole(&script)?;
    Ok(Findings::None)
}
