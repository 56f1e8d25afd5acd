//! The routes of HTTP.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixDatagram,
    sync::mpsc,
};

use fantail_server::{Log, ServerOptions};
use flate2::read::GzDecoder;

use crate::fixture::{ALL, Fixture, event, eventually, open_files};

fn scraped(configuration: &str) -> Fixture {
    Fixture::with(configuration, with_http)
}

pub(crate) fn with_http(options: &mut ServerOptions) {
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

/// What Prometheus asks for with native histograms.
#[test]
fn protobuf_is_negotiated() {
    let fixture = scraped(ALL);
    fixture.send(&event("a", 7));
    let accept = "Accept: application/vnd.google.protobuf;\
                  proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                  application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1\r\n";
    let (head, body) = fixture.get("/metrics", accept);
    let kind = "content-type: application/vnd.google.protobuf; \
                proto=io.prometheus.client.metricfamily; encoding=delimited";
    assert!(head.to_lowercase().contains(kind), "{head}");
    let has = |name: &[u8]| body.windows(name.len()).any(|here| here == name);
    assert!(has(b"dovecot_all_duration_seconds") && has(b"fantail_events_total"));
    assert!(!has(b"# EOF"));
}

#[test]
fn start_times_are_written_on_request() {
    let fixture = scraped(ALL);
    let created = |path: &str| {
        let (_, body) = fixture.get(path, "");
        let text = String::from_utf8(body).unwrap();
        let mut lines = text.lines();
        lines.any(|line| line.starts_with("dovecot_all_created "))
    };
    assert!(created("/metrics?format=openmetrics&created=yes"));
    assert!(!created("/metrics?format=openmetrics"));
    assert!(!created("/metrics?format=prometheus&created=yes"));
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
fn the_root_names_all_others() {
    let fixture = scraped(ALL);
    let (_, body) = fixture.get("/", "");
    let text = String::from_utf8(body).unwrap();
    let routes: Vec<&str> = text.lines().filter(|line| line.starts_with('/')).collect();
    assert!(routes.len() > 5, "{text}");
    for route in routes {
        let path = route.split_whitespace().next().unwrap();
        let (head, _) = fixture.get(path, "");
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
    }
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
    check("/metrics/x", "404");
    check("/api/v1/nothing", "404");
    let mut stream = fixture.scraper();
    stream
        .write_all(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
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
    // Exports are handed over together, up to 25 ms later.
    eventually("an event for the exporter", || {
        let (_, body) = fixture.get("/api/v1/exporters", "");
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        json.pointer("/exporters/0/queued") == Some(&1.into())
    });
    check("/api/v1/server", "/events", 1.into());
    check("/api/v1/server", "/workers", 2.into());
}

#[test]
fn connections_of_scrapers_that_break_off_are_closed() {
    let fixture = Fixture::alone(ALL, with_http);
    fixture.get("/healthz", "");
    let files = open_files();
    for cut in [0, 1, 20, 60] {
        let mut stream = fixture.scraper();
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let some = &request.as_bytes()[..cut.min(request.len())];
        stream.write_all(some).unwrap();
        drop(stream);
    }
    eventually("all are closed", || open_files() <= files);
    let (head, _) = fixture.get("/metrics", "");
    assert!(head.starts_with("http/1.1 200"));
}

/// Messages that a target takes only in part are counted.
#[test]
fn shortened_exports_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("syslog")).unwrap();
    let exporting = format!(
        "event_exporter log {{\n  format = json\n  format_args = time-unix\n  \
           transport = syslog\n  syslog_address = unix:{}/syslog\n  message_max_size = 100\n}}\n\
         event_exporter none {{\n  format = json\n  format_args = time-unix\n  transport = drop\n}}\n\
         metric long {{\n  filter = event=long\n  exporter = log\n}}\n\
         metric short {{\n  filter = event=short\n  exporter = none\n}}\n",
        folder.path().display()
    );
    let fixture = Fixture::within(folder, &exporting, with_http);
    let long = format!("EVENT\t0\t0\t1\t100\t0\tnlong\tSx\t{}\n", "y".repeat(200));
    fixture.send(&format!("{long}{}{long}", event("short", 1)));
    let mut bytes = [0; 1_000];
    for _ in 0..2 {
        let length = socket.recv(&mut bytes).unwrap();
        assert!(length == 100 && bytes[..length].ends_with(b"..."));
    }
    eventually("both are sent", || {
        let (_, body) = fixture.get("/api/v1/exporters", "");
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        json.pointer("/exporters/0/sent") == Some(&2.into())
            && json.pointer("/exporters/0/shortened") == Some(&2.into())
            && json.pointer("/exporters/1/shortened") == Some(&0.into())
    });
    let (_, body) = fixture.get("/metrics", "");
    let text = String::from_utf8(body).unwrap();
    for line in [
        "# TYPE fantail_export_shortened_total counter",
        "fantail_export_shortened_total{exporter=\"log\"} 2",
        "fantail_export_shortened_total{exporter=\"none\"} 0",
    ] {
        assert!(text.lines().any(|here| here == line), "{line} in:\n{text}");
    }
}

/// The limit of series holds for all workers together.
#[test]
fn workers_together_keep_the_limit_of_series() {
    let grouped = "fantail {\n  series_per_metric = 7\n}\n\
        metric some {\n  filter = event=*\n  group_by = x\n}\n";
    let fixture = Fixture::with(grouped, |options| {
        with_http(options);
        options.workers = 2;
    });
    // Both are there before either ends, so each worker has one of them.
    let mut writers = [fixture.writer(), fixture.writer()];
    let values = [[1, 2, 3, 4, 4], [3, 4, 5, 6, 6]];
    for (writer, values) in writers.iter_mut().zip(values) {
        writer.send(crate::fixture::VERSION.as_bytes());
        for value in values {
            writer.send(event("a", value).as_bytes());
        }
    }
    for writer in writers {
        writer.finish();
    }
    // The metric itself takes 3, so that there is room for 4; each worker
    // alone has had that. Of those of one, two find no room.
    let check = || {
        let (_, body) = fixture.get("/metrics?format=openmetrics", "");
        let text = String::from_utf8(body).unwrap();
        let count = |label: &str| {
            let start = format!("dovecot_some_total{{{label}}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&start));
            line.map(|number| number.parse::<u64>().unwrap())
        };
        let known = ["1", "2", "3", "4", "5", "6"];
        let known = known.map(|value| count(&format!("x=\"{value}\"")));
        assert_eq!(known.iter().flatten().count(), 4, "{text}");
        let other = count("x=\"other\"").unwrap();
        assert_eq!(known.iter().flatten().sum::<u64>() + other, 10, "{text}");
        assert!(other == 2 || other == 3, "{text}");
        let line = "fantail_series{metric=\"some\"} 6";
        assert!(text.lines().any(|here| here == line), "{text}");
        (known, other)
    };
    // The same ones again: those that were shown stay.
    assert_eq!(check(), check());
}

#[test]
fn lines_that_the_log_did_not_take_are_a_metric() {
    let (release, released) = mpsc::channel::<()>();
    // Blocks until the other end is dropped.
    let log = Log::queued(move |_| released.recv().unwrap_or_default()).unwrap();
    let fixture = Fixture::with(ALL, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
        options.log = log.clone();
    });
    for number in 0..2_000 {
        log.line(&format!("line {number}"));
    }
    let dropped = log.dropped();
    assert!(dropped > 0);
    let (_, body) = fixture.get("/metrics", "");
    let text = String::from_utf8(body).unwrap();
    let expected = format!("fantail_log_dropped_lines_total {dropped}");
    assert!(text.lines().any(|line| line == expected), "{text}");
    drop(release);
}
