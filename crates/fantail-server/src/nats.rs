//! Counts and events over NATS JetStream: a server publishes its own, an aggregate and a
//! collector read those of all hosts.
//!
//! `fantail-fleet` decides what is published and joins what is read; this module connects.
//! All have threads of their own: no worker waits for the broker.

pub(crate) mod aggregate;
mod answers;
mod connection;
mod consumer;
pub(crate) mod events;
pub(crate) mod folding;
pub(crate) mod publish;
mod reader;
mod source;
mod stream;

use std::{path::PathBuf, time::Duration};

use fantail_transport::NatsSettings;

/// The broker, and the stream of a cluster.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// URLs of servers, such as `nats://broker:4222`, separated by commas. `tls://` is
    /// encrypted.
    pub url: String,
    /// The cluster: its hosts are added up. Its streams are `FANTAIL_COUNTS_` and
    /// `FANTAIL_EVENTS_` with the name.
    pub cluster: Vec<u8>,
    /// The file with the credentials: those of `nsc`, or `USER:PASSWORD`.
    pub credentials: Option<PathBuf>,
    /// The file with authorities in PEM, besides those of the system.
    pub authorities: Option<PathBuf>,
    /// The time between publications.
    pub interval: Duration,
}

impl NatsOptions {
    /// Returns the defaults for a broker: the cluster `mail`, a publication every 5 seconds.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            cluster: b"mail".to_vec(),
            credentials: None,
            authorities: None,
            interval: Duration::from_secs(5),
        }
    }
}

impl From<&NatsSettings> for NatsOptions {
    fn from(settings: &NatsSettings) -> Self {
        Self {
            cluster: settings.cluster.clone(),
            credentials: settings.credentials_file.clone(),
            authorities: settings.ca_file.clone(),
            ..Self::new(&settings.url)
        }
    }
}
