//! `fantail stats`: queries a stats process, `fantail serve` or Dovecot's own.

pub(crate) mod client;
mod dump;
mod top;

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::PathBuf};

use clap::{Args, Subcommand};
use fantail::{
    config::{LoadOptions, MetricRequest, Settings},
    event::Dialect,
    wire::reader::{MetricParts, Reply, Request},
};

use self::client::Client;
use crate::{
    exit::{Failure, Findings},
    io::{configuration, findings},
};

/// Query a running stats process: `fantail serve`, or Dovecot's own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail stats dump
  fantail stats dump --format json --columns 'count %99'
  fantail stats add slow 'event=imap_command_finished AND duration>1000000'
  fantail stats remove slow

Exit status: 0 success; 1 the stats process refused the request, or does not
answer; 2 wrong usage.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
    #[command(subcommand)]
    command: Command,
}

/// The flags that select a stats process.
#[derive(Debug, Args)]
pub(crate) struct Socket {
    /// Path of the stats-reader socket; default: stats-reader below base_dir of the
    /// configuration.
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
    /// Configuration of the stats process; default: the configuration of this machine.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// The socket folder of Dovecot's packages, the default of `base_dir`.
const BASE_DIR: &str = "/run/dovecot";

impl Socket {
    /// Returns the path of the socket.
    pub(crate) fn path(&self) -> PathBuf {
        if let Some(path) = &self.socket {
            return path.clone();
        }
        let base_dir = self.settings().and_then(|settings| settings.base_dir);
        let base_dir = base_dir.map_or_else(
            || PathBuf::from(BASE_DIR),
            |dir| PathBuf::from(OsStr::from_bytes(&dir.value)),
        );
        base_dir.join("stats-reader")
    }

    /// Returns the dialect of the stats process's filters, if the configuration exists.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        self.settings().map(|settings| settings.dialect)
    }

    /// Returns the settings of the configuration, if the file exists.
    fn settings(&self) -> Option<Settings> {
        let path = configuration::find(self.config.as_deref());
        let is_there = path.exists();
        is_there.then(|| configuration::load_silently(&path, &LoadOptions::default()).settings)
    }

    /// Returns the path of the configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        configuration::find(self.config.as_deref())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Dump(dump::Arguments),
    /// Reset all metrics to zero.
    Reset,
    Add(Metric),
    Remove(Name),
    /// Reopen the files of exporters after a log rotation.
    Reopen,
    Top(top::Arguments),
}

/// All parts of an event: Dovecot's default in a configuration. In a request, Dovecot
/// takes none for an empty text.
const ALL_PARTS: &str = "name hostname timestamps categories fields";

/// Add a metric, until it is removed or the stats process ends.
#[derive(Debug, Args)]
struct Metric {
    /// Name of the metric.
    name: String,
    /// Filter of the metric.
    filter: String,
    /// Description of the metric.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Fields to sum up, separated by spaces.
    #[arg(long, value_name = "FIELDS", default_value = "")]
    fields: String,
    /// Fields to group by: 'user net_in_bytes:exponential:0:6:10'.
    #[arg(long, value_name = "LEVELS", default_value = "")]
    group_by: String,
    /// Exporter of the configuration that exports the metric's events.
    #[arg(long, value_name = "NAME", default_value = "")]
    exporter: String,
    /// Parts of events to export: name hostname timestamps categories fields.
    #[arg(
        long,
        value_name = "PARTS",
        default_value = ALL_PARTS,
        hide_default_value = true,
        requires = "exporter"
    )]
    exporter_include: String,
}

/// Remove a metric.
#[derive(Debug, Args)]
struct Name {
    /// Name of the metric.
    name: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut client = Client::connect(&arguments.socket.path())?;
    match &arguments.command {
        Command::Dump(dump) => dump::run(dump, &mut client)?,
        Command::Reset => client.dump(Vec::new(), true, |_| ())?,
        Command::Add(metric) => add(metric, &arguments.socket, &mut client)?,
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
        Reply::Refused(why) => Err(Failure::refused(&why)),
    }
}

/// Adds a metric, and reports warnings about it.
fn add(metric: &Metric, socket: &Socket, client: &mut Client) -> Result<(), Failure> {
    let dialect = socket.dialect().unwrap_or(Dialect::V2_4);
    let request = metric.request();
    findings::say_of_metric(&request, dialect)?;
    match client.order(&Request::AddMetric(metric.parts()))? {
        Reply::Done => Ok(()),
        Reply::Refused(why) => Err(match findings::errors_of_metric(&request, dialect) {
            Some(errors) => Failure::drawn(&errors),
            None => Failure::refused(&why),
        }),
    }
}

impl Metric {
    /// Returns the parts of events that the exporter writes; none without an exporter.
    fn included(&self) -> &str {
        match self.exporter.as_str() {
            "" => "",
            _ => &self.exporter_include,
        }
    }

    fn request(&self) -> MetricRequest {
        let bytes = |text: &String| text.as_bytes().to_vec();
        MetricRequest {
            name: bytes(&self.name),
            description: bytes(&self.description),
            fields: bytes(&self.fields),
            group_by: bytes(&self.group_by),
            filter: bytes(&self.filter),
            exporter: bytes(&self.exporter),
            exporter_include: self.included().as_bytes().to_vec(),
        }
    }

    fn parts(&self) -> MetricParts<'_> {
        MetricParts {
            name: self.name.as_bytes().into(),
            description: self.description.as_bytes().into(),
            fields: self.fields.as_bytes().into(),
            group_by: self.group_by.as_bytes().into(),
            filter: self.filter.as_bytes().into(),
            exporter: self.exporter.as_bytes().into(),
            exporter_include: self.included().as_bytes().into(),
        }
    }
}
