//! The connections to one server.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::crypto::ring;
use ureq::{
    Agent,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
    unversioned::{resolver::DefaultResolver, transport::Connector},
};

use super::{
    HttpSettings,
    answer::{self, Failure},
};
use crate::{
    Retry, TransportError,
    TransportErrorKind::{Answer, Connect, Open, Write},
};

/// Files in which systems keep trusted certificates.
const SYSTEM_CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Bytes of the largest file of certificates.
const MAX_CERTIFICATE_FILE_BYTES: u64 = 16 << 20;

/// Bytes of a response body that are read so that the connection can be reused.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// Idle time after which a connection is not reused. Servers close idle
/// connections after about a minute.
const MAX_IDLE_AGE: Duration = Duration::from_secs(20);

/// Posts to one URL.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    url: String,
    /// Whether the URL has credentials, as `https://name:secret@host`.
    in_url: bool,
}

/// A request.
#[derive(Debug)]
pub(super) struct Request<'r> {
    pub(super) body: &'r [u8],
    pub(super) content_type: &'r str,
    pub(super) content_encoding: Option<&'r str>,
    pub(super) retries: answer::Retries,
}

impl Client {
    pub(super) fn new(settings: &HttpSettings) -> Result<Self, TransportError> {
        let config = Agent::config_builder()
            .timeout_global(settings.timeout)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_age(MAX_IDLE_AGE)
            .proxy(None)
            .user_agent(concat!("fantail/", env!("CARGO_PKG_VERSION")));
        let encrypted = settings.url.to_ascii_lowercase().starts_with("https:");
        let config = if encrypted {
            config.tls_config(tls(settings.ca_file.as_deref())?)
        } else {
            config
        };
        Ok(Self {
            agent: config.build().into(),
            in_url: has_credentials(&settings.url),
            url: settings.url.clone(),
        })
    }

    /// Replaces the network by other connections.
    pub(super) fn connect_by(&mut self, connector: impl Connector) {
        let config = self.agent.config().clone();
        self.agent = Agent::with_parts(config, connector, DefaultResolver::default());
    }

    /// Makes one request; returns the body of the response, if it is small.
    pub(super) fn post(
        &self,
        what: &Request<'_>,
        headers: &[(String, String)],
    ) -> Result<Vec<u8>, Failure> {
        let mut request = self.agent.post(&self.url).content_type(what.content_type);
        if let Some(encoding) = what.content_encoding {
            request = request.header("Content-Encoding", encoding);
        }
        if what.retries == answer::Retries::RemoteWrite {
            request = request.header("X-Prometheus-Remote-Write-Version", "0.1.0");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.send(what.body).map_err(failed)?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        let credentials = !headers.is_empty() || self.in_url;
        let checked = answer::check(status, (credentials, what.retries), retry_after, now());
        // A connection is reused only after its response was read. An error
        // changes nothing for the payloads.
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        let body = body.read_to_vec();
        checked.map(|()| body.unwrap_or_default())
    }
}

fn has_credentials(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next();
    authority.is_some_and(|authority| authority.contains('@'))
}

/// Returns TLS settings with these certificates, or those of the system.
///
/// # Errors
/// There is no such file, or no certificate in it.
pub fn tls(file: Option<&Path>) -> Result<TlsConfig, TransportError> {
    let file = file.map(Path::to_owned).or_else(|| {
        let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let mut known = SYSTEM_CERTIFICATES.iter().map(PathBuf::from);
        named.or_else(|| known.find(|path| path.exists()))
    });
    let missing = "no trusted root certificates found; set `http_ca_file`";
    let missing = || io::Error::new(io::ErrorKind::NotFound, missing);
    let file = file.ok_or_else(|| TransportError::new(Open, missing()))?;
    let roots = certificates(&file).map_err(|error| TransportError::opening(&file, error))?;
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}

fn certificates(path: &Path) -> io::Result<Vec<Certificate<'static>>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_CERTIFICATE_FILE_BYTES)
        .read_to_end(&mut text)?;
    let items = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    if found.is_empty() {
        return Err(io::Error::other("the file has no certificate in PEM"));
    }
    Ok(found)
}

/// Returns the error of a request without a response.
fn failed(error: ureq::Error) -> TransportError {
    let (kind, retry) = match &error {
        ureq::Error::Io(error) => match error.kind() {
            // A kept connection that the server has closed fails like this.
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => (Write, Retry::Now),
            io::ErrorKind::ConnectionRefused => (Connect, Retry::Backoff),
            _ => (Write, Retry::Backoff),
        },
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => (Connect, Retry::Backoff),
        ureq::Error::BadUri(_) => (Open, Retry::Backoff),
        // Among them timeouts.
        _ => (Answer, Retry::Backoff),
    };
    TransportError::new(kind, error.into_io()).with_retry(retry)
}

#[allow(
    clippy::disallowed_methods,
    reason = "a `Retry-After` may be a date; nothing replays it"
)]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
