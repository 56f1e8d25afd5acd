//! The same thing again and again.
//!
//! `FANTAIL_SCRAPES` sets how many scrapes there are; docs/serve.md has the
//! command for a million.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Instant,
};

use crate::{
    fixture::{ALL, Fixture, event, eventually, open_files, resident, threads},
    scrapes::with_http,
};

/// Scrapes after which everything that is made once has been made.
const WARM: usize = 1_000;

/// What memory may differ by without anybody having lost it, once all has been
/// used: a leak grows as fast at the end as in the beginning.
const NOISE: usize = 1 << 20;

/// What allocators and threads may take until then.
const AT_FIRST: usize = 4 << 20;

/// One scrape on a connection that stays.
fn scrape(stream: &mut BufReader<TcpStream>) {
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.get_mut().write_all(request).unwrap();
    let (mut line, mut length) = (String::new(), None);
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    while line != "\r\n" {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "cut off");
        let lower = line.to_ascii_lowercase();
        if let Some(number) = lower.strip_prefix("content-length: ") {
            length = number.trim().parse().ok();
        }
    }
    let mut body = vec![0; length.expect("a length")];
    stream.read_exact(&mut body).unwrap();
    assert!(body.ends_with(b"\n"));
}

/// Scrapes: half of them on one connection, half on one each.
fn scrapes(fixture: &Fixture, count: usize) {
    let mut stream = BufReader::new(fixture.scraper());
    for _ in 0..count / 2 {
        scrape(&mut stream);
        let (head, _) = fixture.get("/metrics", "Accept-Encoding: gzip\r\n");
        assert!(head.starts_with("http/1.1 200 ok"));
    }
}

/// Dovecot lost memory with each scrape.
#[test]
fn scrapes_leave_nothing_behind() {
    let count = env::var("FANTAIL_SCRAPES").ok();
    let count = count.map_or(10_000, |count| count.parse().expect("a number"));
    let fixture = Fixture::alone(ALL, with_http);
    fixture.send(&event("a", 7));
    scrapes(&fixture, WARM);
    let (memory, files, tasks) = (resident(), open_files(), threads());
    let start = Instant::now();
    scrapes(&fixture, count / 2);
    let half = resident();
    scrapes(&fixture, count / 2);
    let took = start.elapsed();
    eventually("all are closed", || open_files() <= files);
    let now = resident();
    let (grown, late) = (now.saturating_sub(memory), now.saturating_sub(half));
    println!("{count} scrapes in {took:.1?}: {grown} bytes more, {late} in the second half");
    assert!(late < NOISE, "{late} bytes more in the second half");
    assert!(grown < AT_FIRST, "{grown} bytes more after {count} scrapes");
    assert!(
        threads() <= tasks + 4,
        "{} threads, {tasks} before",
        threads()
    );
}
