//! Access to HTTP: the one decision for every route.
//!
//! A page of another site must not read the counts of users: not by a name that
//! it has pointed at this host (`Host`), nor by a request of the browser
//! (`Sec-Fetch-Site`, `Origin`). Routes that may show personal labels ask for a token,
//! or the Unix socket, if the server is told so, and always if it has a page. A browser
//! exchanges the token for a session.

pub(super) mod sessions;
mod token;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::sleep;

use self::{
    sessions::{SESSION_DURATION, Sessions, SignInError},
    token::Token,
};
use super::{
    error::{HttpError, HttpErrorKind},
    own_names::{is_address, own_names},
    reread::{Reread, keep_reading},
    tls::Tls,
};
use crate::{HttpAccess, Log, ServerOptions, process::thread};

/// Routes that need no token: they say only whether the server works.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The route of scrapes, which needs a token only if all of HTTP is private.
const METRICS: &str = "/metrics";

/// The route that begins and ends sessions; open, because it needs the token itself.
pub(super) const SESSION: &str = "/api/v1/session";

/// The paths of the page's files, which have no data.
pub(super) const PAGE_FILES: &str = "/web/";

/// How long the answer to a wrong token takes, so that guessing it is slow.
const WRONG_TOKEN_DELAY: Duration = Duration::from_secs(1);

/// The rules of a running server.
#[derive(Debug)]
pub(crate) struct Access {
    /// In lower case.
    hosts: Vec<String>,
    token: Option<Reread<Token>>,
    private: bool,
    /// Whether there is a page.
    web: bool,
    tls: Option<Tls>,
    sessions: Sessions,
}

/// The way on which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Tcp,
    Socket,
}

/// The rules for requests of one way.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) access: Arc<Access>,
    pub(crate) via: Via,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Host,
    OtherSite,
    Token,
}

impl Access {
    /// Reads the access rules from the options, and the files of the token and of TLS.
    ///
    /// # Errors
    /// Fails if a file cannot be read or is invalid, if its file system does not answer
    /// within `patience`, or if all of HTTP is private without a token or a Unix socket.
    pub(crate) fn read_within(
        options: &ServerOptions,
        patience: Duration,
    ) -> Result<Self, HttpError> {
        let settings = options.http_access.clone();
        let files = settings.token.iter();
        let mut files = files.chain(settings.tls.iter().map(|tls| &tls.certificate));
        let first = files.next().cloned().unwrap_or_default();
        let hostname = String::from_utf8_lossy(&options.hostname).into_owned();
        let read = thread::run_within("http-files", patience, move || {
            Self::new(&settings, &hostname)
        });
        match read {
            Ok(read) => read,
            Err(error) => Err(HttpError::because(HttpErrorKind::Stuck, &first, error)),
        }
    }

    pub(crate) fn new(settings: &HttpAccess, hostname: &str) -> Result<Self, HttpError> {
        let HttpAccess {
            hosts,
            token,
            tls,
            socket,
            private,
            web,
        } = settings;
        if token.is_none() && socket.is_none() {
            let kind = match (private, web) {
                (true, _) => Some(HttpErrorKind::NoWayIn),
                (false, true) => Some(HttpErrorKind::NoWayToPage),
                (false, false) => None,
            };
            if let Some(kind) = kind {
                return Err(HttpError::new(kind, "".as_ref()));
            }
        }
        let names = hosts.iter().map(|name| name.to_ascii_lowercase());
        let token = token
            .clone()
            .map(|path| Reread::new(vec![path], token::read, token::parse));
        Ok(Self {
            hosts: names.chain(own_names(hostname)).collect(),
            token: token.transpose()?,
            private: *private,
            web: *web,
            sessions: Sessions::default(),
            tls: tls.as_ref().map(Tls::new).transpose()?,
        })
    }

    /// Logs the addresses to which clients send the token without encryption.
    pub(super) fn warn_of_plain_tokens(&self, addresses: &[SocketAddr], log: &Log) {
        if self.token.is_none() || self.tls.is_some() {
            return;
        }
        for address in addresses.iter().filter(|it| !it.ip().is_loopback()) {
            log.say(format_args!(
                "the token of HTTP is sent to {address} without encryption; set \
                 `--http-tls-cert` and `--http-tls-key`, or listen on 127.0.0.1"
            ));
        }
    }

    /// Returns the TLS settings, or `None` if connections over TCP are not encrypted.
    pub(super) const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Rereads the token and the certificate when their files change.
    pub(super) async fn keep_reading(self: Arc<Self>, log: Log) {
        if self.token.is_none() && self.tls.is_none() {
            return;
        }
        let token = self.token.iter().flat_map(Reread::files);
        let tls = self.tls.iter().flat_map(|tls| tls.files().files());
        let files = token.chain(tls).cloned().collect();
        let told = log.clone();
        let again = move || {
            self.token.iter().for_each(|token| token.again(&told));
            self.tls.iter().for_each(|tls| tls.files().again(&told));
        };
        keep_reading(files, again, log).await;
    }

    fn decide(&self, via: Via, request: &Parts) -> Result<(), Refused> {
        let headers = &request.headers;
        if via == Via::Tcp && !self.allows_host(headers) {
            return Err(Refused::Host);
        }
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        // Also over the socket, which a proxy may serve to browsers.
        if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
            return Err(Refused::OtherSite);
        }
        let is_safe = [Method::GET, Method::HEAD].contains(&request.method);
        if !is_safe && (site == Some(b"none") || !is_own_origin(headers)) {
            return Err(Refused::OtherSite);
        }
        if via == Via::Tcp && self.needs_token(request.uri.path()) && !self.is_known(headers) {
            return Err(Refused::Token);
        }
        Ok(())
    }

    fn needs_token(&self, path: &str) -> bool {
        let is_page = self.web && (path == "/" || path.starts_with(PAGE_FILES) || path == SESSION);
        let is_open = HEALTH.contains(&path) || is_page || (path == METRICS && !self.private);
        // Loopback is no protection: every user of the host reaches it.
        !is_open && (self.private || self.token.is_some() || (self.web && path != METRICS))
    }

    /// Whether a request has the token or a session.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        self.has_token(headers) || self.has_session(headers)
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        let (Some(token), Some(id)) = (&self.token, self.session_of(headers)) else {
            return false;
        };
        self.sessions.is_open(id, &token.get(), Instant::now())
    }

    /// Returns the number in the cookie of a request.
    fn session_of<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let cookies = headers.get_all(header::COOKIE).iter();
        let mut cookies = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        let name = self.cookie_name();
        cookies.find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// The name of the cookie. Browsers accept `__Host-` only from this host, over TLS.
    fn cookie_name(&self) -> &'static str {
        match self.tls {
            Some(_) => "__Host-fantail-session",
            None => "fantail-session",
        }
    }

    /// Begins a session; returns the cookie for the browser.
    pub(super) fn sign_in(&self, given: &[u8]) -> Result<String, SignInError> {
        let token = self.token.as_ref().ok_or(SignInError::Token)?;
        let id = self.sessions.begin(&token.get(), given, Instant::now())?;
        let seconds = SESSION_DURATION.as_secs();
        Ok(self.cookie(&id, seconds))
    }

    /// Ends the session of a request; returns the cookie that deletes that of the browser.
    pub(super) fn sign_out(&self, headers: &HeaderMap) -> String {
        if let Some(id) = self.session_of(headers) {
            self.sessions.end(id);
        }
        self.cookie("", 0)
    }

    fn cookie(&self, id: &str, seconds: u64) -> String {
        let (name, secure) = match self.tls {
            Some(_) => (self.cookie_name(), "; Secure"),
            None => (self.cookie_name(), ""),
        };
        format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }

    /// Whether there is a page.
    pub(super) const fn has_page(&self) -> bool {
        self.web
    }

    /// Whether there is a token, so that browsers can sign in over TCP.
    pub(super) const fn has_sign_in(&self) -> bool {
        self.token.is_some()
    }

    /// Whether `Host` names this host: a name that another site has pointed here is
    /// none of ours. HTTP/1.0 needs no `Host`, and browsers do not speak it.
    fn allows_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return headers.get(header::HOST).is_none();
        };
        let Ok(host) = host.to_str() else {
            return false;
        };
        let name = name_of(host);
        if is_address(name) {
            return true;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost") || self.hosts.contains(&name)
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION);
        let given = value.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let (Some(token), Some(given)) = (&self.token, given) else {
            return false;
        };
        token.get().is(given)
    }
}

/// Whether a request of a browser comes from a page of this server. Programs send no
/// `Origin`.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().ok();
    let authority = origin.and_then(|origin| origin.split_once("://"));
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    match (authority, host) {
        (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// The host of `host`, `host:port` or `[address]:port`.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// Lets a request through, or refuses it.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Err(refused) = door.access.decide(door.via, &parts) {
        if refused == Refused::Token && parts.headers.contains_key(header::AUTHORIZATION) {
            sleep(WRONG_TOKEN_DELAY).await;
        }
        return refused.into_response();
    }
    parts.extensions.insert(door);
    next.run(Request::from_parts(parts, body)).await
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "this name is not allowed in Host; allow it with --http-hosts\n",
            )
                .into_response(),
            Self::OtherSite => (
                StatusCode::FORBIDDEN,
                "requests of other sites are refused\n",
            )
                .into_response(),
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, "Bearer")],
                "this needs the token: Authorization: Bearer TOKEN\n",
            )
                .into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
