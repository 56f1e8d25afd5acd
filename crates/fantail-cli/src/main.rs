//! The program `fantail`.
//!
//! Each command is a module with its arguments and its work; what they share
//! is how they end ([`exit`]) and where they write ([`output`]).

mod captures;
mod check;
mod cli;
mod config;
mod configuration;
mod convert;
mod events;
mod exit;
mod exports;
mod filter;
mod hostname;
mod input;
mod output;
mod reload;
mod replay;
mod serve;
mod stats;
mod table;
mod test;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Check(arguments) => check::run(&arguments),
        cli::Command::Events(arguments) => events::run(&arguments),
        cli::Command::Config(arguments) => config::run(&arguments),
        cli::Command::Convert(arguments) => convert::run(&arguments),
        cli::Command::Replay(arguments) => replay::run(&arguments),
        cli::Command::Filter(arguments) => filter::run(&arguments),
        cli::Command::Serve(arguments) => serve::run(&arguments),
        cli::Command::Test(arguments) => test::run(&arguments),
        cli::Command::Reload(arguments) => reload::run(&arguments),
        cli::Command::Stats(arguments) => stats::run(&arguments),
    };
    exit::code(outcome)
}
