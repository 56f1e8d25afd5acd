//! Attacks over the stats-reader socket and HTTP: answers that are not read.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
};

use super::{
    Attack, BASE, MIB, Target,
    clients::{ANSWER_TIMEOUT, Writer},
};
use crate::error::Error;

/// Ten metrics with a series for each of 20,000 users.
const GROUPED: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n\
    metric m0 {\n  filter = event=a\n  group_by = user\n}\n\
    metric m1 {\n  filter = event=a\n  group_by = user\n}\n\
    metric m2 {\n  filter = event=a\n  group_by = user\n}\n\
    metric m3 {\n  filter = event=a\n  group_by = user\n}\n\
    metric m4 {\n  filter = event=a\n  group_by = user\n}\n";

const SERIES: usize = 40_000;

const CLIENTS: usize = 30;

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "unread-snapshots",
        blocks: GROUPED,
        max_peak_bytes: 1_024 * MIB,
        run: |target| unread(target, "GET /api/v1/snapshot HTTP/1.1"),
        ..BASE
    },
    Attack {
        name: "unread-scrapes",
        blocks: GROUPED,
        max_peak_bytes: 1_024 * MIB,
        run: |target| unread(target, "GET /metrics HTTP/1.1"),
        ..BASE
    },
    Attack {
        name: "unread-scrapes-of-http-1.0",
        blocks: GROUPED,
        max_peak_bytes: 1_024 * MIB,
        run: |target| unread(target, "GET /metrics HTTP/1.0"),
        ..BASE
    },
    Attack {
        name: "unread-dumps",
        blocks: GROUPED,
        max_peak_bytes: 1_024 * MIB,
        run: unread_dumps,
        ..BASE
    },
    Attack {
        name: "idle-readers",
        blocks: GROUPED,
        run: idle_readers,
        ..BASE
    },
    Attack {
        name: "idle-scrapers",
        blocks: GROUPED,
        run: idle_scrapers,
        ..BASE
    },
    Attack {
        name: "large-answers",
        blocks: "!include FOLDER/metrics.conf\n",
        arguments: &["--http-socket", "FOLDER/http", "--web"],
        prepare: many_metrics,
        max_peak_bytes: 1_024 * MIB,
        run: large_answers,
        ..BASE
    },
    Attack {
        name: "foreign-host",
        blocks: GROUPED,
        run: foreign_host,
        ..BASE
    },
];

/// Has the server count events of many users.
fn make_series(target: &Target) -> Result<(), Error> {
    let mut client = Writer::connect(&target.writer())?;
    for user in 0..SERIES {
        client.send(&format!(
            "EVENT\t0\t0\t1\t100\t0\tna\tSuser\tuser{user}@a-domain-of-some-length.example.com\n"
        ));
    }
    client.finish()
}

/// Sends requests whose answers are not read.
fn unread(target: &mut Target, request: &str) -> Result<(), Error> {
    make_series(target)?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(target.address).map_err(failed)?;
        let request = format!("{request}\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(failed)?;
        clients.push(stream);
    }
    // An answer, or the word that there is no memory for one.
    let answer = target.get("/api/v1/server")?;
    if answer.status != 200 {
        return Err(Error::new(format!("/api/v1/server: {}", answer.status)));
    }
    drop(clients);
    target.check_honest_client()
}

fn unread_dumps(target: &mut Target) -> Result<(), Error> {
    make_series(target)?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(dump(target)?);
    }
    let answer = target.get("/api/v1/server")?;
    if answer.status != 200 {
        return Err(Error::new(format!("/api/v1/server: {}", answer.status)));
    }
    drop(clients);
    target.check_honest_client()
}

/// A client that has asked for a dump.
fn dump(target: &Target) -> Result<UnixStream, Error> {
    let mut stream = UnixStream::connect(target.reader()).map_err(failed)?;
    let timeout = Some(ANSWER_TIMEOUT);
    stream.set_read_timeout(timeout).map_err(failed)?;
    let request = b"VERSION\tstats-reader-client\t2\t0\nDUMP\tcount\tsum\tmax\n";
    stream.write_all(request).map_err(failed)?;
    Ok(stream)
}

fn idle_readers(target: &mut Target) -> Result<(), Error> {
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(UnixStream::connect(target.reader()).map_err(failed)?);
    }
    // The first byte of the greeting, then of the dump.
    let mut stream = dump(target)?;
    let mut bytes = [0; 64];
    let read = stream.read(&mut bytes).map_err(failed)?;
    if read == 0 {
        return Err(Error::new("idle clients keep all others out"));
    }
    drop(idle);
    Ok(())
}

/// Opens more connections than there are seats, with no request or an incomplete one.
fn idle_scrapers(target: &mut Target) -> Result<(), Error> {
    let mut idle = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(target.address).map_err(failed)?;
        let request: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n";
        // Fails if the server has closed the connection in favor of a newer one.
        let _ = stream.write_all(&request[..number % request.len()]);
        idle.push(stream);
    }
    target.check_honest_client()?;
    drop(idle);
    Ok(())
}

/// Metrics of `large-answers`.
const METRICS: usize = 20_000;

/// Writes the metrics of [`GROUPED`], and many with a filter of their own.
fn many_metrics(folder: &Path) -> Result<(), Error> {
    let mut text = GROUPED.to_owned();
    for number in 0..METRICS {
        text += &format!("metric n{number} {{\n  filter = event=a AND user=user{number}\n}}\n");
    }
    let path = folder.join("metrics.conf");
    fs::write(&path, text).map_err(Error::at("write", &path))
}

/// Asks for everything that grows with the configuration or the counts; the thread that
/// answers has others to answer, too.
fn large_answers(target: &mut Target) -> Result<(), Error> {
    make_series(target)?;
    for path in [
        "/api/v1/metrics",
        "/api/v1/configuration",
        "/api/v1/server",
        "/api/v1/findings",
        "/api/v1/snapshot",
        "/metrics",
    ] {
        let answer = target.get(path)?;
        if answer.status != 200 {
            return Err(Error::new(format!("{path}: {}", answer.status)));
        }
    }
    target.check_honest_client()
}

fn foreign_host(target: &mut Target) -> Result<(), Error> {
    let mut stream = TcpStream::connect(target.address).map_err(failed)?;
    stream
        .set_read_timeout(Some(ANSWER_TIMEOUT))
        .map_err(failed)?;
    let request = b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    stream.write_all(request).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    match answer.starts_with("HTTP/1.1 421 ") {
        true => Ok(()),
        false => Err(Error::new("a foreign name in Host is answered")),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: std::io::Error) -> Error {
    Error::new(format!("a client: {error}"))
}
