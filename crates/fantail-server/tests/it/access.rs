//! Who may use HTTP.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::Path,
};

use fantail_server::ServerOptions;

use crate::fixture::{ALL, Fixture, split_answer};

/// The first line of the answer to a GET with these headers.
fn status(mut stream: impl Read + Write, path: &str, headers: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let (head, _) = split_answer(&answer);
    head.lines().next().unwrap()["http/1.1 ".len()..].to_owned()
}

fn with_http(options: &mut ServerOptions) {
    options.http = Some(([127, 0, 0, 1], 0).into());
    options.hostname = b"mail1.example.com".to_vec();
}

/// A page whose name was pointed at this host read the names of users.
#[test]
fn names_of_other_sites_are_refused_on_every_route() {
    let fixture = Fixture::with(ALL, |options| {
        with_http(options);
        options.http_access.hosts = vec!["stats".to_owned()];
    });
    let get = |path: &str, headers: &str| status(fixture.scraper(), path, headers);
    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/v1/snapshot",
        "/api/v1/metrics",
        "/api/v1/configuration",
        "/api/v1/exporters",
        "/api/v1/server",
        "/nothing",
    ] {
        let foreign = get(path, "Host: evil.example:9900\r\n");
        assert_eq!(foreign, "421 misdirected request", "{path}");
        let own = "Host: localhost\r\n";
        let by_browser = get(path, &format!("{own}Sec-Fetch-Site: cross-site\r\n"));
        assert_eq!(by_browser, "403 forbidden", "{path}");
        let expected = if path == "/nothing" {
            "404 not found"
        } else {
            "200 ok"
        };
        for host in ["127.0.0.1:9900", "mail1.example.com", "stats:9900"] {
            assert_eq!(get(path, &format!("Host: {host}\r\n")), expected, "{path}");
        }
    }
}

#[test]
fn the_token_or_the_socket_opens_private_http() {
    let folder = tempfile::tempdir().unwrap();
    let (token, socket) = (folder.path().join("token"), folder.path().join("http"));
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&token, "secret\n").unwrap();
    let fixture = Fixture::with(ALL, |options| {
        with_http(options);
        options.http_access.token = Some(token.clone());
        options.http_access.socket = Some(socket.clone());
        options.http_access.private = true;
    });
    let get = |path: &str, headers: &str| {
        let headers = format!("Host: localhost\r\n{headers}");
        status(fixture.scraper(), path, &headers)
    };
    assert_eq!(get("/healthz", ""), "200 ok");
    for path in ["/metrics", "/api/v1/snapshot"] {
        assert_eq!(get(path, ""), "401 unauthorized");
        assert_eq!(
            get(path, "Authorization: Bearer other\r\n"),
            "401 unauthorized"
        );
        assert_eq!(get(path, "Authorization: Bearer secret\r\n"), "200 ok");
        let local = UnixStream::connect(&socket).unwrap();
        assert_eq!(status(local, path, "Host: any\r\n"), "200 ok");
    }
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(fixture);
    assert!(!socket.exists());
}

#[test]
fn a_token_that_is_sent_without_encryption_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&token, "secret").unwrap();
    let check = |address: [u8; 4], is_logged: bool| {
        let fixture = Fixture::with(ALL, |options| {
            options.http = Some((address, 0).into());
            options.http_access.token = Some(token.clone());
        });
        let address = fixture.http.unwrap();
        // The server runs.
        assert_eq!(fixture.count(), 0);
        let line = format!("the token of HTTP is sent to {address} without encryption");
        assert_eq!(fixture.logged().contains(&line), is_logged, "{address}");
    };
    check([127, 0, 0, 1], false);
    check([0, 0, 0, 0], true);
}

/// Why a server with these options does not start.
fn start_with(configuration: &Path, change: impl FnOnce(&mut ServerOptions)) -> String {
    let mut options = ServerOptions::new(configuration, fantail_server::Log::new(|_| {}));
    options.ignore_dovecot = true;
    change(&mut options);
    fantail_server::Server::start(options)
        .unwrap_err()
        .to_string()
}

#[test]
fn private_http_without_a_way_in_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("fantail.conf");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&configuration, "").unwrap();
    let start = |change: fn(&mut ServerOptions)| start_with(&configuration, change);
    let error = start(|options| options.http_access.private = true);
    assert_eq!(
        error,
        "private HTTP needs a token or a socket; set `--http-token` or `--http-socket`"
    );
    let error = start(|options| options.http_access.token = Some("/dev/null".into()));
    let expected = "cannot read the token of HTTP from /dev/null: it is not a regular file";
    assert_eq!(error, expected);
    let empty = folder.path().join("fantail.conf");
    let error = start_with(&configuration, |options| {
        options.http_access.token = Some(empty.clone());
    });
    assert!(
        error.ends_with("fantail.conf: expected a token, as `openssl rand -hex 32` makes"),
        "{error}"
    );
}
