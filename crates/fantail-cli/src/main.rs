//! The program `fantail`.
//!
//! Each command is a module with its arguments and its `run` function. Commands share
//! exit codes and failures ([`exit`]), and input and output ([`io`]).

mod cli;
mod command;
mod dialect;
mod exit;
mod flag;
mod io;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::command::{
    check, completions, config, convert, doctor, events, explain, filter, fleet, man, record,
    reload, replay, serve, stats, tap, test,
};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    io::terminal::set_color(cli.color);
    let outcome = match cli.command {
        #[cfg(feature = "nats")]
        cli::Command::Aggregate(arguments) => command::aggregate::run(&arguments),
        #[cfg(feature = "nats")]
        cli::Command::Collect(arguments) => command::collect::run(&arguments),
        cli::Command::Check(arguments) => check::run(&arguments),
        cli::Command::Events(arguments) => events::run(&arguments),
        cli::Command::Explain(arguments) => explain::run(&arguments),
        cli::Command::Config(arguments) => config::run(&arguments),
        cli::Command::Completions(arguments) => completions::run(&arguments, cli::Cli::command()),
        cli::Command::Convert(arguments) => convert::run(&arguments),
        cli::Command::Doctor(arguments) => doctor::run(&arguments),
        cli::Command::Man(arguments) => man::run(&arguments, cli::Cli::command()),
        cli::Command::Replay(arguments) => replay::run(&arguments),
        cli::Command::Filter(arguments) => filter::run(&arguments),
        cli::Command::Fleet(arguments) => fleet::run(&arguments),
        cli::Command::Serve(arguments) => serve::run(&arguments),
        cli::Command::Test(arguments) => test::run(&arguments),
        cli::Command::Record(arguments) => record::run(&arguments),
        cli::Command::Reload(arguments) => reload::run(&arguments),
        cli::Command::Stats(arguments) => stats::run(&arguments),
        cli::Command::Tap(arguments) => tap::run(&arguments),
    };
    exit::code(outcome)
}
