//! Pushes of the metrics of a server, by remote write or OTLP.
//!
//! A thread takes a snapshot at an interval and sends it in bodies of bounded size. Only the
//! newest snapshot is sent: one that could not be sent until the next is due is given up, so
//! that a receiver never gets an older sample after a newer one. No worker waits for it.

mod bodies;
mod otlp;
pub(crate) mod pusher;
mod remembered;
mod remote_write;
mod target;
mod waiting;

use std::{path::PathBuf, time::Duration};

/// The target of pushes.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// The URL, with its path: `http://prometheus:9090/api/v1/write` or
    /// `http://collector:4318/v1/metrics`.
    pub url: String,
    /// The protocol.
    pub protocol: PushProtocol,
    /// The time between two snapshots; at least a second, by default 15 seconds.
    pub interval: Duration,
    /// The label `job` of remote write, by default `fantail`. The label `instance` is the
    /// host name.
    pub job: String,
    /// The file with the token of `Authorization: Bearer`.
    pub token: Option<PathBuf>,
    /// The file with more headers, one `Name: value` per line.
    pub headers: Option<PathBuf>,
    /// The file with authorities in PEM, instead of those of the system.
    pub authorities: Option<PathBuf>,
}

/// A protocol of pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushProtocol {
    /// Remote write 1.0 of Prometheus.
    RemoteWrite,
    /// Metrics of OTLP/HTTP with JSON.
    Otlp,
}

impl PushOptions {
    /// Returns the defaults for a target.
    #[must_use]
    pub fn new(url: impl Into<String>, protocol: PushProtocol) -> Self {
        Self {
            url: url.into(),
            protocol,
            interval: Duration::from_secs(15),
            job: "fantail".to_owned(),
            token: None,
            headers: None,
            authorities: None,
        }
    }
}
