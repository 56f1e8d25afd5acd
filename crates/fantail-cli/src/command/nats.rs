//! The options of the broker of counts, which `serve` and `aggregate` share.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use fantail::server::NatsOptions;

use crate::flag;

/// The broker of counts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Counts of many hosts")]
pub(crate) struct Broker {
    /// Broker of the counts of many hosts, NATS with JetStream: nats://HOST:PORT, or tls://
    /// for encryption; several are separated by commas.
    #[arg(long = "nats", value_name = "URL")]
    url: Option<String>,
    /// Cluster of this host: the hosts of a cluster are added up.
    #[arg(long = "nats-cluster", value_name = "NAME", default_value = "mail")]
    cluster: String,
    /// File with the credentials for the broker: those of `nsc`, or USER:PASSWORD.
    #[arg(long = "nats-credentials", value_name = "FILE", requires = "url")]
    credentials: Option<PathBuf>,
    /// PEM file with authorities of the broker's certificate, besides those of the system.
    #[arg(long = "nats-ca", value_name = "FILE", requires = "url")]
    authorities: Option<PathBuf>,
    /// Interval of publications.
    #[arg(long = "nats-interval", value_name = "TIME", default_value = "5s", value_parser = flag::interval)]
    interval: Duration,
}

impl Broker {
    /// Returns the options, if there is a broker.
    pub(crate) fn options(&self) -> Option<NatsOptions> {
        let mut options = NatsOptions::new(self.url.clone()?);
        options.cluster = self.cluster.clone().into_bytes();
        options.credentials.clone_from(&self.credentials);
        options.authorities.clone_from(&self.authorities);
        options.interval = self.interval;
        Some(options)
    }
}
