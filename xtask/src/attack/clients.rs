//! Clients of the server under attack, honest ones and others.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::error::Error;

/// No answer to an honest client takes longer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The first line of a client.
pub(super) const HANDSHAKE: &str = "VERSION\tstats-client\t4\t0\n";

/// An answer of HTTP.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Sends a GET, and reads the whole answer.
pub(super) fn get(address: SocketAddr, path: &str, timeout: Duration) -> Result<Answer, Error> {
    let failed = |error| Error::new(format!("GET {path}: {error}"));
    let mut stream = TcpStream::connect_timeout(&address, timeout).map_err(failed)?;
    stream.set_read_timeout(Some(timeout)).map_err(failed)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok(Answer {
        status: status.ok_or_else(|| Error::new(format!("GET {path}: no status")))?,
        body: body.to_owned(),
    })
}

/// A client of the stats-writer socket.
#[derive(Debug)]
pub(super) struct Writer {
    stream: UnixStream,
}

impl Writer {
    /// Connects, and sends the handshake.
    pub(super) fn connect(path: &Path) -> Result<Self, Error> {
        let failed = Error::at("connect to", path);
        let stream = UnixStream::connect(path).map_err(failed)?;
        let timeout = Some(ANSWER_TIMEOUT);
        let set = stream
            .set_read_timeout(timeout)
            .and_then(|()| stream.set_write_timeout(timeout));
        set.map_err(Error::at("use", path))?;
        let mut writer = Self { stream };
        writer.send(HANDSHAKE);
        Ok(writer)
    }

    /// Sends lines; returns whether the server took them.
    pub(super) fn send(&mut self, lines: &str) -> bool {
        self.stream.write_all(lines.as_bytes()).is_ok()
    }

    /// Ends the connection, and waits until the server has read everything.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(()),
            Err(error) => Err(Error::new(format!("an honest client waits: {error}"))),
        }
    }
}

/// Sends a request to the stats-reader socket, and returns the line of the answer.
pub(super) fn ask(path: &Path, request: &str) -> Result<String, Error> {
    let failed = |error| Error::new(format!("{request}: {error}"));
    let mut stream = UnixStream::connect(path).map_err(failed)?;
    stream
        .set_read_timeout(Some(ANSWER_TIMEOUT))
        .map_err(failed)?;
    let text = format!("VERSION\tstats-reader-client\t2\t0\n{request}\n");
    stream.write_all(text.as_bytes()).map_err(failed)?;
    // The first line is the greeting.
    let answer = BufReader::new(stream).lines().nth(1);
    answer.unwrap_or(Ok(String::new())).map_err(failed)
}

/// Sends events from honest clients until one is counted in `honest`.
pub(super) fn check_honest_client(writer: &Path, http: SocketAddr) -> Result<(), Error> {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    loop {
        match try_honest_client(writer, http) {
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(100)),
            Ok(()) => return Ok(()),
        }
    }
}

fn try_honest_client(writer: &Path, http: SocketAddr) -> Result<(), Error> {
    let mut client = Writer::connect(writer)?;
    client.send("CATEGORY\timap\nEVENT\t0\t0\t1\t100\t0\tnhonest\tcimap\n");
    client.finish()?;
    let answer = get(http, "/metrics", ANSWER_TIMEOUT)?;
    let line = BufReader::new(answer.body.as_bytes())
        .lines()
        .map_while(Result::ok)
        .find(|line| line.starts_with("dovecot_honest_total"));
    match line {
        Some(line) if !line.ends_with(" 0") => Ok(()),
        _ => Err(Error::new("the event of an honest client was not counted")),
    }
}
