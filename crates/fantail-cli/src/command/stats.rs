//! `fantail stats`: asking a stats process, ours or Dovecot's own.

pub(crate) mod client;
mod dump;
mod top;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fantail::wire::reader::{MetricParts, Reply, Request};

use self::client::Client;
use crate::exit::{Failure, Findings};

/// Ask a running stats process: `fantail serve`, or Dovecot's own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail stats dump
  fantail stats dump --format json --columns 'count %99'
  fantail stats add slow 'event=imap_command_finished AND duration>1s'
  fantail stats remove slow

Exit status: 0 all went well; 1 it was refused, or nobody answers; 2 wrong
usage.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
    #[command(subcommand)]
    command: Command,
}

/// Whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Socket {
    /// The stats-reader socket.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/run/dovecot/stats-reader",
        global = true
    )]
    pub(crate) socket: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dump(dump::Arguments),
    Reset,
    Add(Metric),
    Remove(Name),
    Reopen,
    Top(top::Arguments),
}

/// Add a metric until it is removed, or the process ends.
#[derive(Debug, Args)]
struct Metric {
    /// Its name.
    name: String,
    /// Its filter.
    filter: String,
    /// What people call it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Fields to sum up, separated by spaces.
    #[arg(long, value_name = "FIELDS", default_value = "")]
    fields: String,
    /// Levels of sub-metrics: 'user net_in_bytes:exponential:0:6:10'.
    #[arg(long, value_name = "LEVELS", default_value = "")]
    group_by: String,
    /// Export its events by this exporter of the configuration.
    #[arg(long, value_name = "NAME", default_value = "")]
    exporter: String,
    /// What is exported: name hostname timestamps categories fields.
    #[arg(long, value_name = "PARTS", default_value = "", requires = "exporter")]
    exporter_include: String,
}

/// Remove a metric.
#[derive(Debug, Args)]
struct Name {
    /// Its name.
    name: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut client = Client::connect(&arguments.socket.socket)?;
    match &arguments.command {
        Command::Dump(dump) => dump::run(dump, &mut client)?,
        Command::Reset => client.dump(Vec::new(), true, |_| ())?,
        Command::Add(metric) => order(&mut client, &Request::AddMetric(metric.parts()))?,
        Command::Remove(name) => {
            let name = name.name.as_bytes().into();
            order(&mut client, &Request::RemoveMetric { name })?;
        }
        Command::Reopen => order(&mut client, &Request::Reopen)?,
        Command::Top(top) => top::run(top, &mut client)?,
    }
    Ok(Findings::None)
}

fn order(client: &mut Client, request: &Request<'_>) -> Result<(), Failure> {
    match client.order(request)? {
        Reply::Done => Ok(()),
        Reply::Refused(why) => Err(Failure::new(String::from_utf8_lossy(&why).into_owned())),
    }
}

impl Metric {
    fn parts(&self) -> MetricParts<'_> {
        MetricParts {
            name: self.name.as_bytes().into(),
            description: self.description.as_bytes().into(),
            fields: self.fields.as_bytes().into(),
            group_by: self.group_by.as_bytes().into(),
            filter: self.filter.as_bytes().into(),
            exporter: self.exporter.as_bytes().into(),
            exporter_include: self.exporter_include.as_bytes().into(),
        }
    }
}
