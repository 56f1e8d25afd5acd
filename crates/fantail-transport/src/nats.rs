//! Settings of the transport `nats`.
//!
//! `fantail-server` has the transport, because its client needs a runtime.

use std::path::PathBuf;

/// Settings of the transport `nats`: a stream of NATS `JetStream`.
///
/// ```
/// use fantail_transport::NatsSettings;
///
/// let settings = NatsSettings::new("tls://broker:4222");
/// assert_eq!(settings.cluster, b"mail");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSettings {
    /// `nats://…` or `tls://…`; several are separated by commas.
    pub url: String,
    /// The cluster, whose hosts share a stream; by default `mail`.
    pub cluster: Vec<u8>,
    /// File with the credentials: those of `nsc`, or `USER:PASSWORD`.
    pub credentials_file: Option<PathBuf>,
    /// File of trusted root certificates in PEM, besides those of the system.
    pub ca_file: Option<PathBuf>,
}

impl NatsSettings {
    /// Returns settings without credentials, for the cluster `mail`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            cluster: b"mail".to_vec(),
            credentials_file: None,
            ca_file: None,
        }
    }
}
