//! `http-post` against servers that misbehave, nginx, and HTTPS with a
//! certificate of a private authority.

use std::{
    env, fs,
    io::Read,
    num::NonZeroUsize,
    path::Path,
    process::Command,
    sync::mpsc,
    time::{Duration, Instant},
};

use fantail_testkit::{check_killed, make_certificates, process::Process};
use fantail_transport::{
    Batch, Delivery, HttpBatch, HttpSettings, HttpTransport, Queue, QueueSettings, Retry,
    RetrySettings, Transport, TransportErrorKind,
};

use crate::{
    faults::{ROLE, child},
    peers::{HttpServer, MAX_WAIT, Reply, free_port, text, wait_for},
    queue::quick,
};

fn batch(payloads: &[&str]) -> Batch {
    let mut batch = Batch::new();
    for payload in payloads {
        batch.push(payload.as_bytes());
    }
    batch
}

fn settings(url: &str) -> HttpSettings {
    HttpSettings {
        timeout: Some(Duration::from_secs(10)),
        ..HttpSettings::new(url, "application/json")
    }
}

/// Tries again at once, and for ever.
fn patient() -> QueueSettings {
    QueueSettings {
        retry: RetrySettings {
            attempts: None,
            ..quick().retry
        },
        ..quick()
    }
}

fn deliver(transport: &mut HttpTransport, payloads: &[&str]) -> Delivery {
    transport.deliver(batch(payloads).payloads())
}

/// How many were settled, how many of them refused, and why it stopped.
#[track_caller]
fn check(delivery: &Delivery, settled: usize, refused: usize, stopped: Option<Retry>) {
    assert_eq!(delivery.settled(), settled, "{delivery:?}");
    let count = delivery.refusals().iter().map(|one| one.payloads.len());
    assert_eq!(count.sum::<usize>(), refused, "{delivery:?}");
    let retry = delivery
        .error()
        .map(fantail_transport::TransportError::retry);
    assert_eq!(retry, stopped, "{delivery:?}");
}

#[test]
fn one_event_a_request_by_one_connection() {
    let server = HttpServer::start(|_, _| Reply::Status(200, ""));
    let mut transport = HttpTransport::new(settings(&server.url));
    check(&deliver(&mut transport, &["{\"a\":1}", "{}"]), 2, 0, None);
    check(&deliver(&mut transport, &["x"]), 1, 0, None);
    for body in ["{\"a\":1}", "{}", "x"] {
        let request = server.next();
        assert_eq!(request.line, "POST /events HTTP/1.1");
        assert!(request.has("content-type: application/json"));
        assert_eq!((request.connection, &*request.body), (0, body.as_bytes()));
    }
}

#[test]
fn batches() {
    for (mode, content_type, one, expected_type, expected) in [
        (
            HttpBatch::Lines,
            "application/json",
            "{}",
            "application/x-ndjson",
            "{}\n{}\n",
        ),
        (
            HttpBatch::Lines,
            "text/plain",
            "a=b",
            "text/plain",
            "a=b\na=b\n",
        ),
        (
            HttpBatch::Array,
            "application/x-ndjson",
            "{}",
            "application/json",
            "[{},{}]",
        ),
    ] {
        let server = HttpServer::start(|_, _| Reply::Status(200, ""));
        let mut transport = HttpTransport::new(HttpSettings {
            batch: mode,
            batch_payloads: NonZeroUsize::new(7).unwrap(),
            batch_bytes: 99,
            content_type: content_type.to_owned(),
            ..settings(&server.url)
        });
        let limits = transport.batch_limits();
        assert_eq!((limits.payloads, limits.bytes), (7, 99));
        check(&deliver(&mut transport, &[one, one]), 2, 0, None);
        let request = server.next();
        assert!(request.has(&format!("content-type: {expected_type}")));
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    }
}

/// Requests that are not full wait for company; full ones do not.
#[test]
fn batches_linger() {
    let server = HttpServer::start(|_, _| Reply::Status(200, ""));
    let linger = Duration::from_millis(300);
    let mut transport = HttpTransport::new(HttpSettings {
        batch: HttpBatch::Lines,
        batch_payloads: NonZeroUsize::new(2).unwrap(),
        batch_linger: linger,
        ..settings(&server.url)
    });
    for (payloads, waits) in [(1, false), (1, true), (2, false), (1, true)] {
        let start = Instant::now();
        check(
            &deliver(&mut transport, &["x"; 2][..payloads]),
            payloads,
            0,
            None,
        );
        let took = start.elapsed();
        assert_eq!(took >= linger / 2, waits, "{took:?}");
    }
}

#[test]
fn gzip_is_unpacked_by_gzip() {
    let server = HttpServer::start(|_, _| Reply::Status(200, ""));
    let mut transport = HttpTransport::new(HttpSettings {
        gzip: true,
        batch: HttpBatch::Lines,
        ..settings(&server.url)
    });
    let long = "x".repeat(5_000);
    check(&deliver(&mut transport, &[&long, "y"]), 2, 0, None);
    let request = server.next();
    assert!(request.has("content-encoding: gzip"));
    assert!(request.body.len() < 1_000);
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&*request.body)
        .read_to_string(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, format!("{long}\ny\n"));
}

#[test]
fn a_token_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let [token, headers] = ["token", "headers"].map(|name| folder.path().join(name));
    fs::write(&token, "old\n").unwrap();
    fs::write(&headers, "# for Loki\nX-Scope-OrgID: mail\n\n").unwrap();
    let server = HttpServer::start(|_, request| {
        Reply::Status(
            if request.has("authorization: bearer new") {
                200
            } else {
                401
            },
            "",
        )
    });
    let mut transport = HttpTransport::new(HttpSettings {
        token_file: Some(token.clone()),
        headers_file: Some(headers.clone()),
        ..settings(&server.url)
    });
    check(&deliver(&mut transport, &["a"]), 0, 0, Some(Retry::Backoff));
    assert!(server.next().has("authorization: bearer old"));
    fs::write(&token, "new").unwrap();
    check(&deliver(&mut transport, &["a"]), 1, 0, None);
    assert!(server.next().has("x-scope-orgid: mail"));
    fs::remove_file(&token).unwrap();
    transport.reopen().unwrap();
    let delivery = deliver(&mut transport, &["a"]);
    check(&delivery, 0, 0, Some(Retry::Backoff));
    let error = delivery.error().unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Open);
    assert!(error.to_string().contains("token"), "{error}");
}

/// Events are not lost because a token ran out: they wait, that is counted,
/// and the log says what to mend.
#[test]
fn refused_credentials_lose_nothing() {
    for status in [401, 403, 407] {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "old").unwrap();
        let server = HttpServer::start(move |_, request| {
            let known = request.has("authorization: bearer new");
            Reply::Status(if known { 200 } else { status }, "")
        });
        let transport = HttpTransport::new(HttpSettings {
            token_file: Some(token.clone()),
            batch: HttpBatch::Lines,
            ..settings(&server.url)
        });
        let (sender, troubles) = mpsc::channel();
        let queue = Queue::builder("loki", Box::new(transport))
            .settings(patient())
            .on_trouble(move |trouble| sender.send(trouble.to_string()).unwrap())
            .start()
            .unwrap();
        queue.offer(&mut batch(&["a", "b", "c"]));
        let failures = || queue.status().counters.failures;
        wait_for("attempts", || (failures() >= 3).then_some(()));
        let said = troubles.recv_timeout(MAX_WAIT).unwrap();
        let start = format!("loki: unexpected response from the target: status {status}: ");
        assert!(said.starts_with(&start), "{said}");
        assert!(said.contains("credentials"), "{said}");
        assert!(said.contains("events wait"), "{said}");
        let status = queue.status();
        let error = status.last_error.unwrap().message;
        assert!(said.ends_with(&error), "{said}: {error}");
        let counters = status.counters;
        assert_eq!((counters.sent, counters.dropped_in_all()), (0, 0));
        assert_eq!(status.waiting, 3);
        fs::write(&token, "new").unwrap();
        wait_for("the events", || (queue.status().waiting == 0).then_some(()));
        let counters = queue.status().counters;
        assert_eq!((counters.sent, counters.dropped_in_all()), (3, 0));
        assert!(counters.retried >= 3, "{counters:?}");
        assert_eq!(queue.status().last_error, None);
    }
}

#[test]
fn one_bad_payload_takes_no_other_with_it() {
    let bad = |body: &[u8]| body.windows(3).any(|word| word == b"bad");
    let server = HttpServer::start(move |_, request| {
        Reply::Status(if bad(&request.body) { 400 } else { 200 }, "")
    });
    let payloads = ["a", "b", "bad", "c", "d"];
    for mode in [HttpBatch::Single, HttpBatch::Lines] {
        let mut transport = HttpTransport::new(HttpSettings {
            batch: mode,
            ..settings(&server.url)
        });
        let delivery = deliver(&mut transport, &payloads);
        check(&delivery, 5, 1, None);
        assert_eq!(delivery.refusals()[0].payloads, 2..3);
    }
    let arrived = server.requests.try_iter().filter(|one| !bad(&one.body));
    let arrived: Vec<u8> = arrived.flat_map(|one| one.body).collect();
    let arrived = String::from_utf8(arrived).unwrap();
    assert_eq!(arrived.replace('\n', ""), "abcdabcd");
}

/// The timeout is the configured one.
#[test]
fn a_server_that_never_answers() {
    let server = HttpServer::start(|_, _| Reply::Silence);
    for milliseconds in [100, 700] {
        let timeout = Duration::from_millis(milliseconds);
        let mut transport = HttpTransport::new(HttpSettings {
            timeout: Some(timeout),
            ..settings(&server.url)
        });
        let start = Instant::now();
        let delivery = deliver(&mut transport, &["a", "b"]);
        let took = start.elapsed();
        check(&delivery, 0, 0, Some(Retry::Backoff));
        let error = delivery.error().unwrap();
        assert_eq!(error.kind(), TransportErrorKind::Answer);
        assert!(
            took >= timeout && took < timeout + Duration::from_secs(5),
            "{took:?}"
        );
    }
}

#[test]
fn a_server_that_cuts_in_the_middle() {
    let server = HttpServer::start(|number, _| match number {
        1 => Reply::Cut,
        _ => Reply::Status(200, ""),
    });
    let mut transport = HttpTransport::new(settings(&server.url));
    let delivery = deliver(&mut transport, &["a", "b", "c"]);
    assert_eq!(delivery.settled(), 1);
    assert!(delivery.error().is_some());
    check(&deliver(&mut transport, &["b", "c"]), 2, 0, None);
    let bodies: Vec<u8> = (0..4).flat_map(|_| server.next().body).collect();
    assert_eq!(bodies, b"abbc");
}

#[test]
fn nobody_listens() {
    let url = format!("http://127.0.0.1:{}/", free_port());
    let mut transport = HttpTransport::new(settings(&url));
    let delivery = deliver(&mut transport, &["a"]);
    check(&delivery, 0, 0, Some(Retry::Backoff));
    assert_eq!(
        delivery.error().unwrap().kind(),
        TransportErrorKind::Connect
    );
    // Host names are looked up.
    let url = url.replace("127.0.0.1", "no-such-host.invalid");
    let mut transport = HttpTransport::new(settings(&url));
    check(&deliver(&mut transport, &["a"]), 0, 0, Some(Retry::Backoff));
}

/// In a process of its own: other tests open files, too.
#[test]
fn many_requests_grow_neither_memory_nor_descriptors() {
    if env::var_os(ROLE).is_none() {
        let test = "http::many_requests_grow_neither_memory_nor_descriptors";
        let output = child(test, "alone", Path::new("")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        return;
    }
    let server = HttpServer::start(|number, _| match number % 50 {
        49 => Reply::Cut,
        _ => Reply::Status(200, ""),
    });
    let mut transport = HttpTransport::new(settings(&server.url));
    let mut post = |count: usize| {
        let mut settled = 0;
        while settled < count {
            settled += deliver(&mut transport, &["{\"a\":1}"; 10]).settled();
            server.requests.try_iter().for_each(drop);
        }
    };
    post(500);
    let before = (open_files(), memory_pages());
    post(5_000);
    let after = (open_files(), memory_pages());
    assert!(after.0 <= before.0 + 3, "{before:?} {after:?}");
    // 4 MiB for the threads of the server.
    assert!(after.1 <= before.1 + 1_024, "{before:?} {after:?}");
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn memory_pages() -> u64 {
    let statm = text(Path::new("/proc/self/statm"));
    statm.split(' ').nth(1).unwrap().parse().unwrap()
}

/// nginx that answers 503 with `Retry-After`, and 200 once it is told to.
#[test]
fn nginx_says_when_to_come_again() {
    let Some(nginx) = fantail_testkit::program("nginx") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let port = free_port();
    let root = path.display();
    let server = format!(
        "listen 127.0.0.1:{port};
         location / {{
           if (!-e {root}/open) {{ return 503; }}
           add_header Retry-After 3 always;
           return 200 ok;
         }}
         error_page 503 @later;
         location @later {{ add_header Retry-After 3 always; return 503 later; }}"
    );
    let _nginx = start_nginx(&nginx, path, &server, port);
    let url = format!("http://127.0.0.1:{port}/events");
    let mut transport = HttpTransport::new(settings(&url));
    let asked = Some(Retry::After(Duration::from_secs(3)));
    check(&deliver(&mut transport, &["a", "b"]), 0, 0, asked);
    fs::write(path.join("open"), "").unwrap();
    check(&deliver(&mut transport, &["a", "b"]), 2, 0, None);
}

#[test]
fn a_killed_test_leaves_no_nginx() {
    let Some(nginx) = fantail_testkit::program("nginx") else {
        return;
    };
    check_killed("http::a_killed_test_leaves_no_nginx", || {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = format!("listen 127.0.0.1:{port};");
        let nginx = start_nginx(&nginx, folder.path(), &server, port);
        (nginx, folder)
    });
}

/// The certificate of the server is signed by a private authority.
#[test]
fn nginx_with_a_private_authority() {
    let Some(nginx) = fantail_testkit::program("nginx") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    if !make_certificates(path) {
        return;
    }
    let port = free_port();
    let root = path.display();
    let server = format!(
        "listen 127.0.0.1:{port} ssl;
         ssl_certificate {root}/server.pem;
         ssl_certificate_key {root}/server.key;
         location / {{ return 200 ok; }}"
    );
    let _nginx = start_nginx(&nginx, path, &server, port);
    let url = format!("https://localhost:{port}/events");
    let trusting = |ca: Option<&str>| {
        HttpTransport::new(HttpSettings {
            ca_file: ca.map(|ca| path.join(ca)),
            ..settings(&url)
        })
    };
    let mut transport = trusting(Some("ca.pem"));
    check(&deliver(&mut transport, &["a", "b"]), 2, 0, None);
    // Another authority does not do.
    let mut transport = trusting(Some("other.pem"));
    check(&deliver(&mut transport, &["a"]), 0, 0, Some(Retry::Backoff));
    // Neither does a certificate for another name.
    let by_address = url.replace("localhost", "127.0.0.1");
    let mut transport = HttpTransport::new(HttpSettings {
        ca_file: Some(path.join("ca.pem")),
        ..settings(&by_address)
    });
    check(&deliver(&mut transport, &["a"]), 0, 0, Some(Retry::Backoff));
    for missing in ["server.key", "no-such-file"] {
        let error = trusting(Some(missing)).open_target().unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Open);
        assert!(error.to_string().contains(missing), "{error}");
    }
}

fn start_nginx(nginx: &Path, folder: &Path, server: &str, port: u16) -> Process {
    let root = folder.display();
    let configuration = format!(
        "daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
         events {{ }}
         http {{
           access_log off;
           client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
           fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi;
           scgi_temp_path {root}/scgi;
           server {{ {server} }}
         }}"
    );
    fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let process = Process::start(
        Command::new(nginx)
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .arg("-e")
            .arg(folder.join("error.log")),
    );
    wait_for("nginx", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    process
}
