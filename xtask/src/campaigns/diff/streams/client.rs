//! The clients of a stats server: its sockets and its scrape.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::error::Error;

/// The maximum time of an answer.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Sends lines to a stats-writer socket, and waits until the server has read them or
/// refused the client.
pub(super) fn send(socket: &Path, lines: &[u8]) -> Result<(), Error> {
    let mut stream = connect(socket)?;
    // A server that refuses a line reads no more.
    let _ = stream.write_all(lines);
    let _ = stream.shutdown(Shutdown::Write);
    match stream.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => {
            Err(Error::new(format!("stats-writer: {error}")))
        }
        _ => Ok(()),
    }
}

/// Returns the answer to a request on a stats-reader socket, after the greeting.
pub(super) fn ask(socket: &Path, request: &str) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::new(format!("stats-reader: {error}"));
    let mut stream = connect(socket)?;
    let text = format!("VERSION\tstats-reader-client\t2\t0\n{request}\n");
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let is_dump = request.starts_with("DUMP");
    let mut answer = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        let is_whole = match is_dump {
            true => answer.ends_with(b"\n\n"),
            false => answer.iter().filter(|byte| **byte == b'\n').count() > 1,
        };
        if is_whole {
            break;
        }
        match stream.read(&mut part).map_err(failed)? {
            0 => break,
            count => answer.extend_from_slice(part.get(..count).unwrap_or_default()),
        }
    }
    let greeting = answer.iter().position(|byte| *byte == b'\n');
    let greeting = greeting.ok_or_else(|| Error::new("stats-reader: no greeting"))?;
    Ok(answer.split_off(greeting + 1))
}

/// Returns the lines of a greeting on a stats-writer socket.
pub(super) fn greeting(socket: &Path) -> Result<Vec<u8>, Error> {
    let mut stream = connect(socket)?;
    let mut answer = Vec::new();
    let mut part = [0; 16 << 10];
    while answer.iter().filter(|byte| **byte == b'\n').count() < 2 {
        let read = stream.read(&mut part);
        match read.map_err(|error| Error::new(format!("stats-writer: {error}")))? {
            0 => break,
            count => answer.extend_from_slice(part.get(..count).unwrap_or_default()),
        }
    }
    Ok(answer)
}

/// Returns the body of a scrape.
pub(super) fn scrape(port: u16) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::new(format!("scrape: {error}"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    stream.set_read_timeout(Some(MAX_WAIT)).map_err(failed)?;
    // Without chunks.
    let request = b"GET /metrics HTTP/1.0\r\n\r\n";
    stream.write_all(request).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end = end.ok_or_else(|| Error::new("scrape: no answer"))?;
    let body = answer.split_off(end + 4);
    let head = answer.to_ascii_lowercase();
    match head.windows(7).any(|bytes| bytes == b"chunked") {
        true => Ok(unchunked(&body)),
        false => Ok(body),
    }
}

/// Returns the content of chunks: `<hexadecimal length> CRLF <bytes> CRLF`.
fn unchunked(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.iter().position(|byte| *byte == b'\r')
        && let Some((size, rest)) = chunks.split_at_checked(end)
        && let Ok(size) = std::str::from_utf8(size)
        && let Ok(size) = usize::from_str_radix(size, 16)
        && let Some(rest) = rest.get(2..)
        && let Some((chunk, rest)) = rest.split_at_checked(size)
    {
        body.extend_from_slice(chunk);
        chunks = rest.get(2..).unwrap_or_default();
    }
    body
}

fn connect(socket: &Path) -> Result<UnixStream, Error> {
    let stream = UnixStream::connect(socket).map_err(Error::at("connect to", socket))?;
    let set = stream
        .set_read_timeout(Some(MAX_WAIT))
        .and_then(|()| stream.set_write_timeout(Some(MAX_WAIT)));
    set.map_err(Error::at("use", socket))?;
    Ok(stream)
}
