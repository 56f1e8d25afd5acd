//! The options of pushes of metrics.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use fantail::server::{PushOptions, PushProtocol};

use crate::flag;

/// The target of pushes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pushes of metrics")]
pub(crate) struct Push {
    /// URL to which metrics are pushed, with its path, such as
    /// http://prometheus:9090/api/v1/write or http://collector:4318/v1/metrics.
    #[arg(long, value_name = "URL", requires = "push_protocol")]
    push: Option<String>,
    /// Protocol of pushes.
    #[arg(long, value_name = "PROTOCOL", requires = "push")]
    push_protocol: Option<Protocol>,
    /// Interval of pushes.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = flag::interval)]
    push_interval: Duration,
    /// Label `job` of remote write; the label `instance` is the host name.
    #[arg(long, value_name = "NAME", default_value = "fantail")]
    push_job: String,
    /// File with the bearer token for the target of pushes.
    #[arg(long, value_name = "FILE", requires = "push")]
    push_token: Option<PathBuf>,
    /// File with more headers for the target of pushes, one `Name: value` per line.
    #[arg(long, value_name = "FILE", requires = "push")]
    push_headers: Option<PathBuf>,
    /// PEM file with authorities of the target's certificate, instead of those of the
    /// system.
    #[arg(long, value_name = "FILE", requires = "push")]
    push_ca: Option<PathBuf>,
}

/// A protocol of pushes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Protocol {
    /// Remote write 1.0, of Prometheus and compatible servers.
    RemoteWrite,
    /// OTLP over HTTP with JSON, of OpenTelemetry.
    Otlp,
}

impl Push {
    /// Returns the options, if there is a target.
    pub(crate) fn options(&self) -> Option<PushOptions> {
        let protocol = match self.push_protocol? {
            Protocol::RemoteWrite => PushProtocol::RemoteWrite,
            Protocol::Otlp => PushProtocol::Otlp,
        };
        let mut options = PushOptions::new(self.push.clone()?, protocol);
        options.interval = self.push_interval;
        options.job.clone_from(&self.push_job);
        options.token.clone_from(&self.push_token);
        options.headers.clone_from(&self.push_headers);
        options.authorities.clone_from(&self.push_ca);
        Some(options)
    }
}
