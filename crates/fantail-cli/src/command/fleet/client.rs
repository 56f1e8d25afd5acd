//! The HTTP client.

use std::{io::Read, path::PathBuf, time::Duration};

use fantail::{
    fleet::{Answer, AnswerLimits, Question},
    transport::internal::tls,
};
use flate2::read::GzDecoder;
use ureq::{
    Agent, Body, config::Config, http::Response, tls::TlsConfig,
    unversioned::resolver::DefaultResolver,
};

use super::{address::Address, unix::UnixConnector};
use crate::exit::Failure;

/// The largest part of an error's text that is shown.
const MAX_REASON_BYTES: usize = 200;

/// The settings of a client.
pub(super) struct ClientSettings {
    /// The time limit of an answer.
    pub(super) timeout: Duration,
    /// The file of trusted root certificates; otherwise, those of the system.
    pub(super) ca: Option<PathBuf>,
    /// The token of the hosts.
    pub(super) token: Option<String>,
    /// The largest size of an answer.
    pub(super) max_answer: usize,
}

/// Asks hosts.
pub(super) struct Client {
    agent: Agent,
    settings: ClientSettings,
    /// Whether there are certificates for HTTPS.
    has_tls: bool,
}

/// The body of an answer, as it was sent.
pub(super) struct Packed {
    bytes: Vec<u8>,
    is_gzip: bool,
    max_bytes: usize,
}

impl Client {
    pub(super) fn new(settings: ClientSettings) -> Result<Self, Failure> {
        let tls = tls(settings.ca.as_deref());
        let tls = match tls {
            Ok(tls) => Some(tls),
            // Without HTTPS, no certificates are needed.
            Err(_) if settings.ca.is_none() => None,
            Err(error) => return Err(Failure::new(format!("--ca: {error}"))),
        };
        Ok(Self {
            has_tls: tls.is_some(),
            agent: config(settings.timeout, tls).into(),
            settings,
        })
    }

    /// Asks a host, with the token.
    pub(super) fn ask(&self, address: &Address, question: &Question) -> Result<Packed, String> {
        let path = format!("/api/v1/fleet?{}", question.to_query());
        let (agent, url) = match address {
            Address::Url(url) => (self.agent.clone(), format!("{url}{path}")),
            Address::Socket(socket) => (
                self.over_socket(socket.clone()),
                // An address: no name has to be resolved.
                format!("http://127.0.0.1{path}"),
            ),
        };
        self.check(&url)?;
        let mut request = agent.get(&url).header("Accept-Encoding", "gzip");
        if let Some(token) = &self.settings.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().map_err(|error| error.to_string())?;
        checked(&mut answer)?;
        let encoding = answer.headers().get("content-encoding");
        let is_gzip = encoding.is_some_and(|encoding| encoding == "gzip");
        Ok(Packed {
            bytes: body(answer, self.settings.max_answer)?,
            is_gzip,
            max_bytes: self.settings.max_answer,
        })
    }

    /// Returns the body at a URL, which is asked without the token.
    pub(super) fn get_open(&self, url: &str, most: usize) -> Result<Vec<u8>, String> {
        self.check(url)?;
        let request = self.agent.get(url).header("Accept", "application/json");
        let mut answer = request.call().map_err(|error| error.to_string())?;
        checked(&mut answer)?;
        body(answer, most)
    }

    /// Returns an error for HTTPS without certificates.
    fn check(&self, url: &str) -> Result<(), String> {
        match self.has_tls || !url.to_ascii_lowercase().starts_with("https:") {
            true => Ok(()),
            false => Err("no trusted root certificates found; name them with --ca".to_owned()),
        }
    }

    fn over_socket(&self, socket: PathBuf) -> Agent {
        let connector = UnixConnector::new(socket);
        let config = config(self.settings.timeout, None);
        Agent::with_parts(config, connector, DefaultResolver::default())
    }
}

fn config(timeout: Duration, tls: Option<TlsConfig>) -> Config {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("fantail/", env!("CARGO_PKG_VERSION")));
    match tls {
        Some(tls) => config.tls_config(tls).build(),
        None => config.build(),
    }
}

/// Returns an error for a status other than 200.
fn checked(answer: &mut Response<Body>) -> Result<(), String> {
    let status = answer.status().as_u16();
    if status == 200 {
        return Ok(());
    }
    let advice = match status {
        401 => ": the host needs its token (--token)",
        404 => ": no `fantail serve`, or an older one",
        421 => ": the host does not allow this name (`serve --http-hosts`)",
        300..=399 => ": the host redirects to another URL",
        _ => "",
    };
    if !advice.is_empty() {
        return Err(format!("HTTP {status}{advice}"));
    }
    let mut reason = Vec::new();
    let read = answer.body_mut().as_reader();
    // Without its text, the status is the reason.
    let _ = read.take(MAX_REASON_BYTES as u64).read_to_end(&mut reason);
    let reason = String::from_utf8_lossy(&reason);
    let line = reason.lines().next().unwrap_or_default();
    let line: String = line.chars().filter(|one| !one.is_control()).collect();
    Err(match line.is_empty() {
        true => format!("HTTP {status}"),
        false => format!("HTTP {status}: {line}"),
    })
}

/// Reads a body of at most this many bytes.
fn body(answer: Response<Body>, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut from = answer.into_body().into_reader().take(most as u64 + 1);
    from.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    match bytes.len() > most {
        true => Err(format!("the answer has more than {most} bytes")),
        false => Ok(bytes),
    }
}

impl Packed {
    /// Decodes the answer.
    pub(super) fn answer(&self) -> Result<Answer, String> {
        let limits = AnswerLimits {
            metric_bytes: self.max_bytes,
            bytes: self.max_bytes,
            ..AnswerLimits::default()
        };
        let mut plain = self.bytes.as_slice();
        let mut packed;
        let from: &mut dyn Read = match self.is_gzip {
            false => &mut plain,
            true => {
                packed = GzDecoder::new(plain);
                &mut packed
            }
        };
        let mut from = from;
        Answer::read(&mut from, &limits).map_err(|error| error.to_string())
    }
}
