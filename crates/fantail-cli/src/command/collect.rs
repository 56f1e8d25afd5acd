//! `fantail collect`: the events of all hosts, from the stream that they publish.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use fantail::{
    fleet::events::CollectorLimits,
    server::{CollectOptions, CollectTarget, EventStreamSettings, Log, collect},
};

use super::nats::Broker;
use crate::{
    exit::{Failure, Findings, say},
    flag,
    io::hostname,
};

/// How long the last lines of the log may take.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// Collect the events of all hosts that publish them to a broker.
///
/// The events are read from the stream of the cluster, which exporters with `transport =
/// nats` fill. A file gets each event once, also if this process is killed: next to it, a
/// file with the position in the stream is saved. What hosts dropped is reported and
/// counted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail collect --nats nats://broker:4222 --file /var/log/fantail/all-events
  fantail collect --nats nats://broker:4222 --file - --once

Exit status: 0 it was stopped, or all is read; 1 it could not start, or failed; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// File that gets the events; - for standard output, which gets all events of the stream
    /// at each start.
    #[arg(long, value_name = "PATH")]
    file: PathBuf,
    /// File of the position; default: the file of events with .position at its end.
    #[arg(long, value_name = "PATH")]
    position: Option<PathBuf>,
    /// Interval of writes.
    #[arg(long = "interval", value_name = "TIME", default_value = "1s", value_parser = flag::interval)]
    write_interval: Duration,
    /// Exit once all events of the stream are read.
    #[arg(long)]
    once: bool,
    /// Replicas of the stream, if it does not exist and is created.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5))]
    replicas: u32,
    /// Maximum size of the stream, if it is created; beyond, the oldest events are removed.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = flag::size)]
    stream_size: u64,
    /// Name of this process for the broker; default: this machine's host name.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    #[command(flatten)]
    broker: Broker,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let Some(nats) = arguments.broker.options() else {
        return Err(Failure::new("a broker is needed: --nats URL"));
    };
    let log = Log::queued(|line| say(format_args!("{line}")));
    let log = log.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let hostname = arguments.hostname.clone().map(String::into_bytes);
    let collected = collect(CollectOptions {
        nats,
        stream: EventStreamSettings {
            replicas: arguments.replicas,
            bytes: arguments.stream_size,
        },
        hostname: hostname.unwrap_or_else(hostname::of_this_machine),
        target: target(arguments),
        interval: arguments.write_interval,
        once: arguments.once,
        limits: CollectorLimits::default(),
        log: log.clone(),
    });
    log.flush(LOG_PATIENCE);
    collected.map_err(|error| Failure::new(error.to_string()))?;
    Ok(Findings::None)
}

fn target(arguments: &Arguments) -> CollectTarget {
    let path = arguments.file.clone();
    if path.as_os_str() == "-" {
        return CollectTarget::Output;
    }
    let position = arguments.position.clone().unwrap_or_else(|| {
        let mut position = path.clone().into_os_string();
        position.push(".position");
        position.into()
    });
    CollectTarget::File { path, position }
}
