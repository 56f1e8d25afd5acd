//! Access to HTTP: the one decision for every route.
//!
//! A page of another site must not read the counts of users: not by a name that
//! it has pointed at this host (`Host`), nor by a request of the browser
//! (`Sec-Fetch-Site`). Routes that may show personal labels ask for a token, or the
//! Unix socket, if the server is told so.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq as _;

use super::{
    error::{HttpError, HttpErrorKind},
    own_names::{is_address, own_names},
    reread::{Reread, keep_reading, read_file},
    tls::Tls,
};
use crate::{HttpAccess, Log, ServerOptions, process::thread};

/// Routes that need no token: they say only whether the server works.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The route of scrapes, which needs a token only if all of HTTP is private.
const METRICS: &str = "/metrics";

/// The largest file of a token.
const MAX_TOKEN_BYTES: u64 = 4096;

/// The rules of a running server.
#[derive(Debug)]
pub(crate) struct Access {
    /// In lower case.
    hosts: Vec<String>,
    token: Option<Reread<Token>>,
    private: bool,
    tls: Option<Tls>,
}

/// A secret, which is not printed.
struct Token(Vec<u8>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
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

    fn new(settings: &HttpAccess, hostname: &str) -> Result<Self, HttpError> {
        let HttpAccess {
            hosts,
            token,
            tls,
            socket,
            private,
        } = settings;
        if *private && token.is_none() && socket.is_none() {
            return Err(HttpError::new(HttpErrorKind::NoWayIn, "".as_ref()));
        }
        let names = hosts.iter().map(|name| name.to_ascii_lowercase());
        let token = token
            .clone()
            .map(|path| Reread::new(vec![path], read_token, parse_token));
        Ok(Self {
            hosts: names.chain(own_names(hostname)).collect(),
            token: token.transpose()?,
            private: *private,
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

    fn decide(&self, via: Via, path: &str, headers: &HeaderMap) -> Result<(), Refused> {
        if via == Via::Socket {
            return Ok(());
        }
        if !self.allows_host(headers) {
            return Err(Refused::Host);
        }
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
            return Err(Refused::OtherSite);
        }
        let is_open = HEALTH.contains(&path) || (path == METRICS && !self.private);
        let needs_token = !is_open && (self.private || self.token.is_some());
        if needs_token && !self.has_token(headers) {
            return Err(Refused::Token);
        }
        Ok(())
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
        // The comparison takes constant time: its duration must not reveal the token.
        token.get().0.ct_eq(given).into()
    }
}

/// The host of `host`, `host:port` or `[address]:port`.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn read_token(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, HttpError> {
    let read = files.iter().map(|path| {
        read_file(path, MAX_TOKEN_BYTES)
            .map_err(|error| HttpError::because(HttpErrorKind::Token, path, error))
    });
    read.collect()
}

fn parse_token(files: &[PathBuf], contents: &[Vec<u8>]) -> Result<Token, HttpError> {
    let token = contents.iter().flatten().copied().collect::<Vec<_>>();
    let token = token.trim_ascii();
    if token.is_empty() {
        let path = files.first().map_or("".as_ref(), PathBuf::as_path);
        let what = "expected a token, as `openssl rand -hex 32` makes";
        return Err(HttpError::expected(HttpErrorKind::Token, path, what));
    }
    Ok(Token(token.to_vec()))
}

/// Lets a request through, or refuses it.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    match door.access.decide(door.via, path, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
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
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Access, Refused, Via, parse_token};
    use crate::http::reread::Reread;

    /// Returns rules with the token `secret`, or without a token.
    fn access(has_token: bool, private: bool) -> Access {
        let token = || Reread::new(Vec::new(), |_| Ok(vec![b"secret\n".to_vec()]), parse_token);
        Access {
            hosts: vec!["mail1.example.com".to_owned(), "stats".to_owned()],
            token: has_token.then(|| token().unwrap()),
            private,
            tls: None,
        }
    }

    fn decide(access: &Access, via: Via, path: &str, headers: &[(&str, &str)]) -> Option<Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        access.decide(via, path, &map).err()
    }

    #[track_caller]
    fn check_host(host: &str, is_allowed: bool) {
        let refused = decide(
            &access(false, false),
            Via::Tcp,
            "/metrics",
            &[("host", host)],
        );
        assert_eq!(refused, (!is_allowed).then_some(Refused::Host), "{host}");
    }

    #[test]
    fn only_names_of_this_host_are_allowed() {
        for host in [
            "localhost",
            "LOCALHOST:9900",
            "127.0.0.1:9900",
            "10.1.2.3",
            "[::1]:9900",
            "mail1.example.com:9900",
            "Mail1.Example.com.",
            "stats",
        ] {
            check_host(host, true);
        }
        for host in [
            "evil.example",
            "localhost.evil.example:9900",
            "mail2.example.com",
            "",
        ] {
            check_host(host, false);
        }
        let two = [("host", "localhost"), ("host", "evil.example")];
        let refused = decide(&access(false, false), Via::Tcp, "/metrics", &two);
        assert_eq!(refused, Some(Refused::Host));
        assert_eq!(
            decide(&access(false, false), Via::Tcp, "/metrics", &[]),
            None
        );
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let check = |site: &str, expected| {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            let refused = decide(&access(false, false), Via::Tcp, "/healthz", &headers);
            assert_eq!(refused, expected, "{site}");
        };
        check("same-origin", None);
        check("none", None);
        check("cross-site", Some(Refused::OtherSite));
        check("same-site", Some(Refused::OtherSite));
    }

    #[test]
    fn the_token_opens_what_is_not_open() {
        let check = |access: &Access, path: &str, token: Option<&str>, is_open: bool| {
            let mut headers = vec![("host", "localhost")];
            headers.extend(token.map(|token| ("authorization", token)));
            let refused = decide(access, Via::Tcp, path, &headers);
            assert_eq!(
                refused,
                (!is_open).then_some(Refused::Token),
                "{path} {token:?}"
            );
            assert_eq!(decide(access, Via::Socket, path, &[]), None);
        };
        let (none, some, private) = (
            access(false, false),
            access(true, false),
            access(true, true),
        );
        check(&none, "/api/v1/snapshot", None, true);
        for (path, with_token, with_private) in [
            ("/healthz", true, true),
            ("/readyz", true, true),
            ("/metrics", true, false),
            ("/api/v1/snapshot", false, false),
            ("/nothing", false, false),
        ] {
            check(&some, path, None, with_token);
            check(&private, path, None, with_private);
            check(&private, path, Some("Bearer secre"), with_private);
            check(&private, path, Some("Bearer secret2"), with_private);
            check(&private, path, Some("Basic secret"), with_private);
            check(&private, path, Some("Bearer secret"), true);
        }
        check(&access(false, true), "/metrics", Some("Bearer "), false);
    }
}
