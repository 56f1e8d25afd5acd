//! Counts over NATS JetStream: a server publishes its counts, an aggregate reads those of
//! all hosts and answers.
//!
//! `fantail-fleet` decides what is published and joins what is read; this module connects.
//! Both have threads of their own: no worker waits for the broker.

pub(crate) mod aggregate;
mod answers;
mod connection;
pub(crate) mod publish;
mod reader;
mod source;
mod stream;

use std::{path::PathBuf, time::Duration};

/// The broker, and the stream of a cluster.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// URLs of servers, such as `nats://broker:4222`, separated by commas. `tls://` is
    /// encrypted.
    pub url: String,
    /// The cluster: its hosts are added up. Its stream is `FANTAIL_COUNTS_` and the name.
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
