//! `fantail aggregate`: the counts of all hosts, from the stream that they publish.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use fantail::{
    fleet::counts::{AggregatorLimits, PartRange},
    server::{Aggregate, AggregateOptions, FoldOptions, HttpAccess, Log},
};

use super::nats::Broker;
use crate::{
    exit::{Failure, Findings, say},
    flag,
    io::hostname,
};

/// Add up the counts of all hosts that publish them to a broker.
///
/// The counts are read from the stream of the cluster, which each `fantail serve --nats`
/// fills, and answered over HTTP: /metrics for Prometheus, and /api/v1/fleet for `fantail
/// fleet dump`, `top` and `look-up` with this process as the only host. Each answer says
/// whether it has all that hosts have published. Nothing is saved: a start reads the whole
/// stream. Any number of aggregates give the same answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail aggregate --nats nats://broker:4222 --http 127.0.0.1:9901
  fantail fleet dump --host http://127.0.0.1:9901

Exit status: 0 it was stopped; 1 it could not start, or failed; 2 wrong usage.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    broker: Broker,
    /// Replicas of the stream, if it does not exist and is created.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5))]
    replicas: u32,
    /// Only these parts of the counts, such as 0-63: all aggregates of a cluster together
    /// have 0-255. `fantail fleet` asks all of them.
    #[arg(long, value_name = "FIRST-LAST", default_value_t = PartRange::ALL)]
    parts: PartRange,
    /// Replace the counts of hosts that have ended by their sum, so that the stream does not
    /// grow. One aggregate of a cluster is enough.
    #[arg(long, conflicts_with = "parts")]
    fold: bool,
    /// Interval of folds: longer than the sync_interval of the broker.
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = flag::interval, requires = "fold")]
    fold_interval: Duration,
    /// Time without counts after which a host that did not end properly is folded.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = flag::interval, requires = "fold")]
    retire_after: Duration,
    /// Address of HTTP.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9901")]
    http: SocketAddr,
    /// Comma-separated names that the Host header of a request may have, besides
    /// localhost, IP addresses, and this machine's host name.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    http_hosts: Vec<String>,
    /// File with the bearer token that requests to /api need.
    #[arg(long, value_name = "FILE")]
    http_token: Option<PathBuf>,
    /// Require the token also for scrapes.
    #[arg(long, requires = "http_token")]
    http_private: bool,
    /// Name of this process for the broker; default: this machine's host name.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Maximum number of series of all hosts.
    #[arg(long, value_name = "N", default_value_t = AggregatorLimits::default().series)]
    max_series: usize,
    /// Maximum number of series of one host.
    #[arg(long, value_name = "N", default_value_t = AggregatorLimits::default().series_of_host)]
    max_host_series: usize,
    /// Maximum memory of answers.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = flag::memory)]
    max_memory: usize,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let Some(nats) = arguments.broker.options() else {
        return Err(Failure::new("a broker is needed: --nats URL"));
    };
    let log = Log::queued(|line| say(format_args!("{line}")));
    let log = log.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let hostname = arguments.hostname.clone().map(String::into_bytes);
    let limits = AggregatorLimits {
        series: arguments.max_series,
        series_of_host: arguments.max_host_series,
        ..AggregatorLimits::default()
    };
    let options = AggregateOptions {
        nats,
        replicas: arguments.replicas,
        http: arguments.http,
        http_access: HttpAccess {
            hosts: arguments.http_hosts.clone(),
            token: arguments.http_token.clone(),
            private: arguments.http_private,
            ..HttpAccess::default()
        },
        hostname: hostname.unwrap_or_else(hostname::of_this_machine),
        limits,
        parts: arguments.parts,
        fold: arguments.fold.then_some(FoldOptions {
            interval: arguments.fold_interval,
            retire_after: arguments.retire_after,
        }),
        memory: arguments.max_memory,
        signals: true,
        log: log.clone(),
    };
    let served = Aggregate::start(options).and_then(|aggregate| {
        if let Some(address) = aggregate.http_address() {
            log.line(&format!("listening on http://{address}/metrics"));
        }
        aggregate.run()
    });
    served.map_err(|error| Failure::new(error.to_string()))?;
    Ok(Findings::None)
}
