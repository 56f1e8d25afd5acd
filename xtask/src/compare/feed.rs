//! The clients: a stream into a stats-writer socket, questions to the
//! stats-reader socket and to the scrape port.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::error::Error;

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// As much at once as the socket takes.
    Batched,
    /// One write for each line, as Dovecot's processes do.
    EachLine,
}

/// What is written at once. Found beforehand: the client must not be what is
/// waited for.
pub(crate) fn parts(bytes: &[u8], writes: Writes) -> Vec<&[u8]> {
    match writes {
        Writes::Batched => bytes.chunks(64 << 10).collect(),
        Writes::EachLine => bytes.split_inclusive(|byte| *byte == b'\n').collect(),
    }
}

/// Writes the parts one by one, and waits until the server has read all of
/// it: it closes the connection then.
pub(crate) fn play(socket: &Path, parts: &[&[u8]]) -> Result<(), Error> {
    let wrong = |error| Error::new(format!("stats-writer: {error}"));
    let mut stream = UnixStream::connect(socket).map_err(Error::at("connect to", socket))?;
    let patience = Some(Duration::from_secs(120));
    stream.set_write_timeout(patience).map_err(wrong)?;
    stream.set_read_timeout(patience).map_err(wrong)?;
    for part in parts {
        stream.write_all(part).map_err(wrong)?;
    }
    stream.shutdown(Shutdown::Write).map_err(wrong)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(wrong)?;
    Ok(())
}

/// The lines of `DUMP` with these columns, sorted.
pub(crate) fn dump(socket: &Path, columns: &str) -> Result<Vec<String>, Error> {
    let wrong = |error| Error::new(format!("stats-reader: {error}"));
    let mut stream = UnixStream::connect(socket).map_err(Error::at("connect to", socket))?;
    let question = format!("VERSION\tstats-reader-client\t2\t0\nDUMP\t{columns}\n");
    stream.write_all(question.as_bytes()).map_err(wrong)?;
    // As fast as it comes: a client that is slow has the server wait for it.
    let mut answer = Vec::new();
    let mut part = vec![0; 256 << 10];
    while !answer.ends_with(b"\n\n") {
        match stream.read(&mut part).map_err(wrong)? {
            0 => return Err(Error::new("stats-reader: the answer has no end")),
            count => answer.extend_from_slice(part.get(..count).unwrap_or_default()),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let lines = answer.lines().filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("VERSION\t"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort_unstable();
    Ok(lines)
}

/// The body of the scrape.
pub(crate) fn scrape(port: u16) -> Result<Vec<u8>, Error> {
    let wrong = |error| Error::new(format!("scrape: {error}"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(wrong)?;
    let question = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(question.as_bytes()).map_err(wrong)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(wrong)?;
    if answer.starts_with(b"HTTP/1.1 200") {
        Ok(answer)
    } else {
        Err(Error::new("scrape: the answer is no 200"))
    }
}
