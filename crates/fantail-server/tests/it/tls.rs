//! HTTP over TLS, asked by curl, openssl and Prometheus.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use fantail_server::{HttpTls, Log, Server, ServerOptions};
use fantail_testkit::{
    make_certificates,
    process::{Process, wait_until},
    program,
};
use tempfile::TempDir;

use crate::fixture::{ALL, Fixture, PATIENCE, event, eventually};

const TOKEN: &str = "a-token-of-this-test";

/// A folder with certificates and a token.
fn folder() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("token"), TOKEN.as_bytes());
    make_certificates(folder.path()).then_some(folder)
}

#[allow(clippy::disallowed_methods, reason = "a test's own file")]
fn write(path: &Path, bytes: &[u8]) {
    // As a whole, so that it is never read half written.
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

/// A server whose HTTP is private, with the files of this folder.
fn private(folder: &Path, change: impl FnOnce(&mut ServerOptions)) -> Fixture {
    Fixture::with(ALL, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
        options.http_access.token = Some(folder.join("token"));
        options.http_access.private = true;
        options.http_access.tls = Some(HttpTls {
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        });
        change(options);
    })
}

/// What `curl` gets with these arguments: the status, or what it says.
fn curl(curl: &Path, folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(curl);
    command.args(["--silent", "--show-error", "--noproxy", "*", "--cacert"]);
    command.arg(folder.join("ca.pem"));
    command.args(["--write-out", "%{http_code}", "--output", "/dev/null"]);
    let output = command.args(arguments).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn curl_scrapes_over_tls_with_the_token() {
    let (Some(program), Some(folder)) = (program("curl"), folder()) else {
        return;
    };
    let fixture = private(folder.path(), |_| {});
    let port = fixture.http.unwrap().port();
    let url = |path: &str| format!("https://localhost:{port}{path}");
    let get = |arguments: &[&str]| curl(&program, folder.path(), arguments);
    let with_token = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(get(&[&url("/healthz")]), "200");
    assert_eq!(get(&[&url("/metrics")]), "401");
    for path in ["/metrics", "/api/v1/snapshot"] {
        assert_eq!(get(&["--header", &with_token, &url(path)]), "200");
    }
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        assert_eq!(get(&[version, &url("/healthz")]), "200");
    }
    let old = get(&["--tls-max", "1.1", "--tlsv1.0", &url("/healthz")]);
    assert!(old.starts_with("000"), "{old}");
    // A client without TLS is told so.
    let plain = format!("http://localhost:{port}/healthz");
    assert_eq!(get(&[&plain]), "400");
    let mut stream = fixture.scraper();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("https://"), "{answer}");
    let length = format!("Content-Length: {}\r\n", body.len());
    assert!(head.contains(&length), "{answer}");
}

/// The certificate that `openssl` sees, once it trusts it; else nothing.
fn certificate_of(openssl: &Path, address: SocketAddr, folder: &Path, ca: &str) -> Option<String> {
    let mut command = Command::new(openssl);
    command.args(["s_client", "-connect", &address.to_string()]);
    command.args(["-servername", "localhost", "-verify_hostname", "localhost"]);
    command.arg("-CAfile").arg(folder.join(ca));
    command.args(["-verify_return_error", "-alpn", "http/1.1"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let is_trusted = text.contains("Verify return code: 0") && text.contains("ALPN protocol: http");
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (certificate, _) = rest.split_once("-----END CERTIFICATE-----")?;
    is_trusted.then(|| certificate.to_owned())
}

#[test]
fn a_new_certificate_and_token_need_no_restart() {
    let (Some(openssl), Some(folder), Some(renewed)) = (program("openssl"), folder(), folder())
    else {
        return;
    };
    let fixture = private(folder.path(), |_| {});
    let address = fixture.http.unwrap();
    let seen = |ca: &Path| certificate_of(&openssl, address, ca, "ca.pem");
    let first = seen(folder.path()).expect("a certificate");
    assert_eq!(
        certificate_of(&openssl, address, folder.path(), "other.pem"),
        None
    );
    // A key that belongs to another certificate changes nothing.
    let copy = |name: &str| {
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        let bytes = fs::read(renewed.path().join(name)).unwrap();
        write(&folder.path().join(name), &bytes);
    };
    copy("server.key");
    eventually("the other key is found", || {
        fixture.logged().contains("belongs to another certificate")
    });
    assert_eq!(seen(folder.path()), Some(first.clone()));
    copy("server.pem");
    write(&folder.path().join("token"), b"another-token\n");
    eventually("the new certificate is in use", || {
        seen(renewed.path()).is_some_and(|certificate| certificate != first)
    });
    let Some(program) = program("curl") else {
        return;
    };
    let url = format!("https://localhost:{}/metrics", address.port());
    let get = |token: &str| {
        let header = format!("Authorization: Bearer {token}");
        curl(&program, renewed.path(), &["--header", &header, &url])
    };
    eventually("the new token is in use", || get("another-token") == "200");
    assert_eq!(get(TOKEN), "401");
}

/// A silent client uses one connection for a while, and nothing else.
#[test]
fn handshakes_that_do_not_end_are_cut_off() {
    let Some(folder) = folder() else {
        return;
    };
    let fixture = private(folder.path(), |options| {
        options.limits.stalled = Duration::from_millis(300);
    });
    // The beginning of a record of 16 KiB, a record that is none, and nothing.
    let hellos: [&[u8]; 3] = [&[22, 3, 1, 64, 0, 1, 0], &[22, 3, 1, 0, 2, 0xff, 0xff], &[]];
    for hello in hellos {
        let mut stream = fixture.scraper();
        stream.write_all(hello).unwrap();
        assert_eq!(fixture.count(), 0, "control answers");
        // Cut off, perhaps after an alert.
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.len() < 64, "{rest:?}"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn files_of_tls_that_cannot_be_used_are_named() {
    let Some(folder) = folder() else {
        return;
    };
    let path = folder.path();
    write(
        &path.join("encrypted.key"),
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    write(&path.join("fantail.conf"), b"");
    let check = |certificate: &str, key: &str, expected: &str| {
        let mut options = ServerOptions::new(path.join("fantail.conf"), Log::new(|_| {}));
        options.ignore_dovecot = true;
        options.http_access.tls = Some(HttpTls {
            certificate: path.join(certificate),
            key: path.join(key),
        });
        let error = Server::start(options).unwrap_err().to_string();
        let error = error.replace(path.to_str().unwrap(), "");
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        "missing.pem",
        "server.key",
        "cannot use the TLS certificate /missing.pem: No such file",
    );
    check(
        "server.key",
        "server.key",
        "cannot use the TLS certificate /server.key: expected one or more certificates in PEM",
    );
    check(
        "server.pem",
        "",
        "cannot use the TLS key /: it is not a regular file",
    );
    for key in ["server.pem", "encrypted.key"] {
        let expected = format!(
            "cannot use the TLS key /{key}: expected a private key in PEM without a passphrase"
        );
        check("server.pem", key, &expected);
    }
    check(
        "server.pem",
        "ca.key",
        "the TLS key /ca.key belongs to another certificate",
    );
}

/// A port that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[test]
fn prometheus_scrapes_over_tls_with_the_token() {
    let (Some(prometheus), Some(curl), Some(folder)) =
        (program("prometheus"), program("curl"), folder())
    else {
        return;
    };
    let fixture = private(folder.path(), |_| {});
    fixture.send(&event("a", 7));
    let (path, port) = (folder.path(), fixture.http.unwrap().port());
    let root = path.display();
    let config = format!(
        "scrape_configs:\n- job_name: mail\n  scheme: https\n  scrape_interval: 1s\n  \
         scrape_timeout: 1s\n  authorization:\n    credentials_file: {root}/token\n  \
         tls_config:\n    ca_file: {root}/ca.pem\n  static_configs:\n  \
         - targets: ['localhost:{port}']\n"
    );
    write(&path.join("prometheus.yml"), config.as_bytes());
    let address = free_address();
    let mut command = Command::new(prometheus);
    command.arg(format!("--config.file={root}/prometheus.yml"));
    command.arg(format!("--storage.tsdb.path={root}/data"));
    command.arg(format!("--web.listen-address={address}"));
    let _process = Process::start_with(&command, |command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    });
    wait_until("Prometheus has the count", 2 * PATIENCE, || {
        let mut command = Command::new(&curl);
        command.args(["--silent", "--noproxy", "*"]);
        command.arg(format!(
            "http://{address}/api/v1/query?query=dovecot_all_total"
        ));
        let output = command.output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        answer.pointer("/data/result/0/value/1") == Some(&serde_json::json!("1"))
    });
}
