//! One server, with its connections.

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
};

use super::{
    HttpSettings,
    answer::{self, Failure},
    body::Written,
};
use crate::{Retry, TransportError, TransportErrorKind};

/// Where systems keep the certificates that they trust.
const SYSTEM_CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The largest file of certificates that is read.
const MOST_CERTIFICATES: u64 = 16 << 20;

/// An answer's body is read up to here, for the sake of the connection.
const MOST_ANSWER: u64 = 64 << 10;

/// A connection that was idle for longer is not used again: servers close
/// theirs after a minute or so.
const IDLE: Duration = Duration::from_secs(20);

/// Posts to one URL.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    url: String,
    /// Whether the URL has credentials: `https://name:secret@host`.
    in_url: bool,
}

impl Client {
    pub(super) fn new(settings: &HttpSettings) -> Result<Self, TransportError> {
        let config = Agent::config_builder()
            .timeout_global(settings.timeout)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_age(IDLE)
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

    /// Makes one request.
    pub(super) fn post(
        &self,
        body: &Written<'_>,
        headers: &[(String, String)],
    ) -> Result<(), Failure> {
        let mut request = self.agent.post(&self.url).content_type(body.content_type);
        if body.gzip {
            request = request.header("Content-Encoding", "gzip");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.send(&*body.bytes).map_err(failed)?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        let credentials = !headers.is_empty() || self.in_url;
        let checked = answer::check(status, credentials, retry_after, now());
        // The connection is used again only if the answer was read; whether
        // that succeeds changes nothing for the payloads.
        let body = answer.body_mut().with_config().limit(MOST_ANSWER);
        body.read_to_vec().ok();
        checked
    }
}

fn has_credentials(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next();
    authority.is_some_and(|authority| authority.contains('@'))
}

/// TLS with these certificates, or those that the system trusts.
fn tls(file: Option<&Path>) -> Result<TlsConfig, TransportError> {
    let file = file.map(Path::to_owned).or_else(|| {
        let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let mut known = SYSTEM_CERTIFICATES.iter().map(PathBuf::from);
        named.or_else(|| known.find(|path| path.exists()))
    });
    let missing = || io::Error::new(io::ErrorKind::NotFound, "no trusted certificates are here");
    let file = file.ok_or_else(|| TransportError::opening(missing()))?;
    let roots = certificates(&file).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        TransportError::opening(io::Error::new(error.kind(), message))
    })?;
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}

fn certificates(path: &Path) -> io::Result<Vec<Certificate<'static>>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MOST_CERTIFICATES)
        .read_to_end(&mut text)?;
    let items = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    if found.is_empty() {
        return Err(io::Error::other("no certificate in PEM is in it"));
    }
    Ok(found)
}

/// Why no answer came.
fn failed(error: ureq::Error) -> TransportError {
    use TransportErrorKind::{Answer, Connect, Open, Write};
    let (kind, retry) = match &error {
        ureq::Error::Io(error) => match error.kind() {
            // A kept connection that the server had closed looks like this.
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => (Write, Retry::Now),
            io::ErrorKind::ConnectionRefused => (Connect, Retry::Backoff),
            _ => (Write, Retry::Backoff),
        },
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => (Connect, Retry::Backoff),
        ureq::Error::BadUri(_) => (Open, Retry::Backoff),
        // A timeout among them.
        _ => (Answer, Retry::Backoff),
    };
    TransportError::new(kind, error.into_io()).with_retry(retry)
}

#[allow(
    clippy::disallowed_methods,
    reason = "a `Retry-After` may be a date; nothing replays that"
)]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
