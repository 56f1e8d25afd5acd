//! HTTP.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use fantail_server::Options;
use flate2::read::GzDecoder;

use crate::fixture::{ALL, Fixture, event, eventually, open_files};

fn scraped(configuration: &str) -> Fixture {
    Fixture::with(configuration, with_http)
}

fn with_http(options: &mut Options) {
    options.http = Some(([127, 0, 0, 1], 0).into());
}

#[track_caller]
fn check(path: &str, headers: &str, content_type: &str, line: &str) {
    let fixture = scraped(ALL);
    fixture.send(&event("a", 7));
    let (head, body) = fixture.get(path, headers);
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(
        head.contains(&format!("content-type: {content_type}")),
        "{head}"
    );
    let body = String::from_utf8(body).unwrap();
    assert!(body.lines().any(|here| here == line), "{line} in:\n{body}");
}

#[test]
fn scrapers_get_what_they_take() {
    let open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let plain = "text/plain; version=0.0.4; charset=utf-8";
    let dovecot = "application/openmetrics-text; version=0.0.1; charset=utf-8";
    check("/metrics", "", plain, "# TYPE dovecot_all_total counter");
    check(
        "/metrics",
        "Accept: application/openmetrics-text\r\n",
        open,
        "# TYPE dovecot_all counter",
    );
    check("/metrics?format=openmetrics", "", open, "# EOF");
    check(
        "/metrics?format=prometheus",
        "Accept: application/openmetrics-text\r\n",
        plain,
        "dovecot_all_x_total 7",
    );
    check(
        "/metrics?format=dovecot",
        "",
        dovecot,
        "dovecot_build_info{version=\"fantail 0.1.0\"} 1",
    );
    check("/metrics", "", plain, "fantail_events_total 1");
    check("/metrics", "", plain, "fantail_series{metric=\"all\"} 1");
    check("/metrics", "", plain, "fantail_scrapes_total 1");
    check("/healthz", "", "text/plain; charset=utf-8", "ok");
    check("/readyz", "", "text/plain; charset=utf-8", "ready");
}

#[test]
fn answers_are_compressed_for_who_takes_it() {
    let fixture = scraped(ALL);
    let (head, body) = fixture.get("/metrics", "Accept-Encoding: deflate, gzip\r\n");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut text = String::new();
    GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
    assert!(text.contains("\ndovecot_all_total 0\n"), "{text}");
}

#[test]
fn what_is_not_there_is_not_found() {
    let fixture = scraped(ALL);
    let check = |path: &str, expected: &str| {
        let (head, _) = fixture.get(path, "");
        assert!(
            head.starts_with(&format!("http/1.1 {expected}")),
            "{path}: {head}"
        );
    };
    check("/", "404");
    check("/metrics/x", "404");
    check("/api/v1/nothing", "404");
    let mut stream = fixture.scraper();
    stream
        .write_all(b"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[test]
fn programs_get_json() {
    let exporting = "event_exporter log {\n  format = json\n  format_args = time-unix\n  transport = drop\n}\n\
        metric one {\n  filter = event=a\n  group_by = x:linear:0:10:5\n  exporter = log\n}\n";
    let fixture = scraped(exporting);
    fixture.send(&event("a", 7));
    let check = |path: &str, pointer: &str, expected: serde_json::Value| {
        let (head, body) = fixture.get(path, "");
        assert!(head.contains("content-type: application/json"), "{head}");
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json.pointer(pointer), Some(&expected), "{json:#}");
    };
    let name = "/metrics/0/name";
    check("/api/v1/snapshot", name, "one".into());
    check(
        "/api/v1/snapshot",
        "/metrics/0/series/1/labels/0/field",
        "x".into(),
    );
    check(
        "/api/v1/snapshot",
        "/metrics/0/series/1/duration_us/count",
        1.into(),
    );
    check(
        "/api/v1/metrics",
        "/metrics/0/filter",
        "(event=\"a\")".into(),
    );
    check("/api/v1/metrics", "/metrics/0/exporter", "log".into());
    check("/api/v1/configuration", "/dialect", "2.3".into());
    check(
        "/api/v1/configuration",
        "/filter_sent_to_clients",
        "(event=\"a\")".into(),
    );
    // Exports are handed over in company, a moment later.
    eventually("an event for the exporter", || {
        let (_, body) = fixture.get("/api/v1/exporters", "");
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        json.pointer("/exporters/0/queued") == Some(&1.into())
    });
    check("/api/v1/server", "/events", 1.into());
    check("/api/v1/server", "/workers", 2.into());
}

#[test]
fn r17_scrapers_that_go_away_early_are_forgotten() {
    let fixture = Fixture::alone(ALL, with_http);
    fixture.get("/healthz", "");
    let files = open_files();
    for cut in [0, 1, 20, 60] {
        let mut stream = fixture.scraper();
        let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let some = &request.as_bytes()[..cut.min(request.len())];
        stream.write_all(some).unwrap();
        drop(stream);
    }
    eventually("all are closed", || open_files() <= files);
    let (head, _) = fixture.get("/metrics", "");
    assert!(head.starts_with("http/1.1 200"));
}

/// Dovecot lost memory with each scrape.
#[test]
fn r20_scrapes_leave_nothing_behind() {
    let fixture = Fixture::alone(ALL, with_http);
    let mut stream = fixture.scraper();
    let scrape = |stream: &mut TcpStream| {
        let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 1_024];
        let count = stream.read(&mut answer).unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
    };
    // Some on one connection, others on connections of their own.
    (0..500).for_each(|_| scrape(&mut stream));
    drop(stream);
    fixture.get("/metrics", "");
    let files = open_files();
    for _ in 0..500 {
        fixture.get("/metrics", "");
    }
    eventually("all are closed", || open_files() <= files);
}
