//! Slow scrapers.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;

use crate::fixture::{Fixture, ask, event, split_answer, unchunked};

/// Series enough for an answer of several megabytes.
const SERIES: usize = 40_000;

fn large(stalled: Duration) -> Fixture {
    grouped(SERIES, stalled)
}

fn grouped(series: usize, stalled: Duration) -> Fixture {
    let fixture = Fixture::with(
        "metric all {\n  filter = event=*\n  group_by = user\n}\n",
        |options| {
            options.http = Some(([127, 0, 0, 1], 0).into());
            options.limits.stalled = stalled;
            options.limits.scrapers = 4;
        },
    );
    let events = (0..series)
        .map(|user| format!("EVENT\t0\t0\t1\t1\t0\tna\tSuser\tuser{user}@example.com\n"));
    fixture.send(&events.collect::<String>());
    fixture
}

/// Dovecot's answer was cut off where the socket's buffer was full.
#[test]
fn a_slow_reader_gets_the_whole_answer() {
    let fixture = large(Duration::from_secs(10));
    let mut stream = fixture.scraper();
    ask(&mut stream, "/metrics", "");
    let mut answer = Vec::new();
    let mut piece = vec![0; 256 * 1_024];
    loop {
        // Slower than it comes: the socket is full all the time.
        thread::sleep(Duration::from_millis(5));
        match stream.read(&mut piece).unwrap() {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
    let (head, body) = split_answer(&answer);
    assert!(body.len() > 2 << 20, "{} bytes", body.len());
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
    assert!(body.ends_with(b"# EOF\n"));
    let samples = body.split(|&byte| byte == b'\n');
    let samples = samples.filter(|line| line.starts_with(b"dovecot_all_total{"));
    assert_eq!(samples.count(), SERIES);
}

/// A scraper that reads a byte now and then is cut off; others are served
/// meanwhile.
#[test]
fn a_reader_that_stalls_is_cut_off() {
    /// More answers than the sockets' buffers hold.
    const ANSWERS: usize = 6;
    let fixture = large(Duration::from_millis(300));
    let mut stream = fixture.scraper();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(ANSWERS);
    stream.write_all(request.as_bytes()).unwrap();
    let start = Instant::now();
    let mut byte = [0];
    while start.elapsed() < Duration::from_millis(1_500) {
        let _ = stream.read(&mut byte);
        thread::sleep(Duration::from_millis(50));
        let (head, _) = fixture.get("/healthz", "");
        assert!(head.starts_with("http/1.1 200"));
        fixture.send(&event("a", 1));
    }
    let mut rest = Vec::new();
    // What was sent before is still there; the end comes too early.
    let _ = stream.read_to_end(&mut rest);
    let lines = rest.split(|&byte| byte == b'\n');
    let whole = lines.filter(|line| *line == b"# EOF").count();
    assert!(whole < ANSWERS, "all answers came");
}

/// The beginning of an answer of several megabytes, asked for with these
/// headers and taken so late that nothing more comes.
fn cut_off(fixture: &Fixture, headers: &str) -> Vec<u8> {
    let mut stream = fixture.scraper();
    ask(&mut stream, "/metrics", headers);
    let mut answer = vec![0; 1_024];
    stream.read_exact(&mut answer).unwrap();
    thread::sleep(Duration::from_millis(1_000));
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    answer.split_off(end.expect("the head of an answer") + 4)
}

/// An answer that breaks off can be told from a whole one: it ends without
/// the last chunk.
#[test]
fn a_client_notices_that_its_answer_was_cut_off() {
    // More than sockets hold.
    let fixture = grouped(90_000, Duration::from_millis(200));
    let (body, is_whole) = unchunked(&cut_off(&fixture, ""));
    assert!(!is_whole && !body.ends_with(b"# EOF\n"));
    assert!(body.starts_with(b"# HELP"), "{} bytes", body.len());
}

/// As much as there is: what is compressed comes in pieces, too.
#[test]
fn long_answers_are_compressed_as_they_are_made() {
    let fixture = large(Duration::from_secs(10));
    let (head, plain) = fixture.get("/metrics", "");
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let (head, zipped) = fixture.get("/metrics", "Accept-Encoding: gzip\r\n");
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut text = Vec::new();
    GzDecoder::new(&*zipped).read_to_end(&mut text).unwrap();
    // Between the two scrapes only the number of scrapes changed.
    let samples = |text: &[u8]| {
        let lines = text.split(|&byte| byte == b'\n');
        let samples = lines.filter(|line| line.starts_with(b"dovecot_"));
        samples.map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert!(samples(&plain).len() > SERIES);
    assert!(samples(&plain) == samples(&text));
    // A client that knows no chunks gets it as a whole.
    let mut stream = fixture.scraper();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let (head, whole) = split_answer(&answer);
    let length = format!("content-length: {}", whole.len());
    assert!(head.contains(&length), "{head}");
    assert!(samples(&whole) == samples(&text));
}

#[test]
fn requests_that_do_not_end_are_cut_off() {
    let fixture = large(Duration::from_millis(200));
    let mut stalled: Vec<_> = (0..4).map(|_| fixture.scraper()).collect();
    for stream in &mut stalled {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nX-").unwrap();
    }
    let mut rest = Vec::new();
    for stream in &mut stalled {
        // An answer that says so, or nothing.
        let _ = stream.read_to_end(&mut rest);
    }
    let (head, _) = fixture.get("/healthz", "");
    assert!(head.starts_with("http/1.1 200"));
}

/// Clients that are connected and ask nothing once kept all others out.
#[test]
fn an_idle_client_makes_room_for_another_one() {
    let fixture = large(Duration::from_secs(10));
    let ask = |stream: &mut TcpStream| {
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = [0; 1_024];
        stream.read(&mut answer).unwrap() > 0
    };
    // One after another, so that the order of their waits is known.
    let mut idle: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = fixture.scraper();
            assert!(ask(&mut stream));
            stream
        })
        .collect();
    assert!(ask(&mut fixture.scraper()));
    let mut rest = Vec::new();
    assert_eq!(idle[0].read_to_end(&mut rest).unwrap(), 0, "it is closed");
    assert!(ask(&mut idle[3]));
}

#[test]
fn there_are_only_so_many_scrapers() {
    let fixture = large(Duration::from_secs(10));
    let at_work: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = fixture.scraper();
            ask(&mut stream, "/metrics", "");
            // The answer has begun, and is not read any further.
            assert!(stream.read(&mut [0]).unwrap() > 0);
            stream
        })
        .collect();
    let mut refused = fixture.scraper();
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    drop(at_work);
    crate::fixture::eventually("there is room again", || {
        let mut stream = fixture.scraper();
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer.starts_with(b"HTTP/1.1 200")
    });
}
