//! `fantail fleet`: one answer from many hosts.

mod address;
mod ask;
mod client;
mod discover;
mod dump;
mod hosts;
mod look_up;
mod notes;
mod top;
mod unix;

use clap::{Args, Subcommand};

use crate::exit::{Failure, Findings};

/// Ask the fantail of many hosts, and add up their answers.
///
/// Each host answers from its counts over HTTP (`fantail serve --http`): no other
/// program is needed. `top` and `look-up` ask each host only for the series that the
/// answer needs; `dump` and `metrics` ask for all. Hosts that do not answer, whose
/// counts stand still, or that define a metric differently are named on standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail fleet dump --host mail1:9900 --host mail2:9900
  fantail fleet top logins --field user --hosts hosts.txt --token token
  fantail fleet look-up user=anna --discover https://sd.example.com/mail
  fantail fleet metrics --host unix:///run/fantail/http.sock

Exit status: 0 all hosts are in the answer; 1 some are not, or only in part; 2 wrong
usage.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dump(dump::Arguments),
    Metrics(dump::Scrape),
    Top(top::Arguments),
    LookUp(look_up::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    match &arguments.command {
        Command::Dump(arguments) => dump::run(arguments),
        Command::Metrics(arguments) => dump::scrape(arguments),
        Command::Top(arguments) => top::run(arguments),
        Command::LookUp(arguments) => look_up::run(arguments),
    }
}
