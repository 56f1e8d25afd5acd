//! `fantail filter`: the filter language without a configuration.

mod answer;
mod eval;
pub(crate) mod explain;
mod matching;
mod parse;

use clap::{Args, Subcommand};

use crate::exit::{Failure, Findings};

/// Parse, match, explain and evaluate filters.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Parse(parse::Arguments),
    Match(matching::Arguments),
    Explain(explain::Arguments),
    Eval(eval::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    match &arguments.command {
        Command::Parse(arguments) => parse::run(arguments),
        Command::Match(arguments) => matching::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
    }
}
