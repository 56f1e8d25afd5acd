//! Access to HTTP: the one decision for every route.
//!
//! A page of another site must not read the counts of users: not by a name that
//! it has pointed at this host (`Host`), nor by a request of the browser
//! (`Sec-Fetch-Site`). Routes that may show personal labels ask for a token, or the
//! Unix socket, if the server is told so.

use std::{
    fmt, fs,
    io::{self, Read as _},
    net::IpAddr,
    path::Path,
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{HttpAccess, ServerOptions};

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
    token: Option<Token>,
    private: bool,
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
    /// Reads the rules of these options, and the file of the token.
    ///
    /// # Errors
    /// The file cannot be read or is empty; or all of HTTP is private without a way
    /// to get in.
    pub(crate) fn new(options: &ServerOptions) -> io::Result<Self> {
        let HttpAccess {
            hosts,
            token,
            socket,
            private,
        } = &options.http_access;
        if *private && token.is_none() && socket.is_none() {
            let what = "private HTTP needs a token or a socket";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let own = String::from_utf8_lossy(&options.hostname).into_owned();
        let names = hosts.iter().chain([&own]);
        Ok(Self {
            hosts: names.map(|name| name.to_ascii_lowercase()).collect(),
            token: token.as_deref().map(read_token).transpose()?,
            private: *private,
        })
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
        if name.parse::<IpAddr>().is_ok() {
            return true;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost") || self.hosts.contains(&name)
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION);
        let given = value.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        match (&self.token, given) {
            (Some(Token(token)), Some(given)) => equal(token, given),
            _ => false,
        }
    }
}

/// The host of `host`, `host:port` or `[address]:port`.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// Compares in a time that does not tell where two secrets differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let bits = one.iter().zip(other).map(|(one, other)| one ^ other);
    let differences = bits.fold(0, |all, bits| all | bits);
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

fn read_token(path: &Path) -> io::Result<Token> {
    let named = |error: io::Error| {
        let what = format!(
            "cannot read the token of HTTP from {}: {error}",
            path.display()
        );
        io::Error::new(error.kind(), what)
    };
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(named)?;
    let read = file.take(MAX_TOKEN_BYTES).read_to_end(&mut text);
    read.map_err(named)?;
    let token = text.trim_ascii().to_vec();
    if token.is_empty() {
        return Err(named(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is empty",
        )));
    }
    Ok(Token(token))
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

    use super::{Access, Refused, Token, Via};

    fn access(token: Option<&str>, private: bool) -> Access {
        Access {
            hosts: vec!["mail1.example.com".to_owned(), "stats".to_owned()],
            token: token.map(|token| Token(token.as_bytes().to_vec())),
            private,
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
            &access(None, false),
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
        let refused = decide(&access(None, false), Via::Tcp, "/metrics", &two);
        assert_eq!(refused, Some(Refused::Host));
        assert_eq!(
            decide(&access(None, false), Via::Tcp, "/metrics", &[]),
            None
        );
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let check = |site: &str, expected| {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            let refused = decide(&access(None, false), Via::Tcp, "/healthz", &headers);
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
            access(None, false),
            access(Some("secret"), false),
            access(Some("secret"), true),
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
        check(&access(None, true), "/metrics", Some("Bearer "), false);
    }
}
