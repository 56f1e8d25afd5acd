//! Clients of the server under attack, honest ones and others.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::error::Error;

/// No answer to an honest client takes longer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The first line of a client.
pub(crate) const HANDSHAKE: &str = "VERSION\tstats-client\t4\t0\n";

/// An answer of HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// The address or Unix socket of a server's HTTP listener.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    Tcp(SocketAddr),
    Socket(PathBuf),
}

impl Door {
    /// Sends a GET request and reads the whole answer.
    pub(crate) fn get(&self, path: &str, timeout: Duration) -> Result<Answer, Error> {
        let answer = match self {
            Self::Tcp(address) => TcpStream::connect_timeout(address, timeout).and_then(|it| {
                it.set_read_timeout(Some(timeout))?;
                ask_for(it, path)
            }),
            Self::Socket(socket) => UnixStream::connect(socket).and_then(|it| {
                it.set_read_timeout(Some(timeout))?;
                ask_for(it, path)
            }),
        };
        let answer = answer.map_err(|error| Error::new(format!("GET {path}: {error}")))?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let is_chunked = head
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked");
        Ok(Answer {
            status: status.ok_or_else(|| Error::new(format!("GET {path}: no status")))?,
            body: match is_chunked {
                true => unchunked(body),
                false => body.to_owned(),
            },
        })
    }
}

/// Returns the body in the chunks that have arrived.
fn unchunked(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n")
        && let Ok(size) = usize::from_str_radix(size, 16)
        && let Some((chunk, rest)) = rest.split_at_checked(size)
    {
        body.push_str(chunk);
        chunks = rest.strip_prefix("\r\n").unwrap_or_default();
    }
    body
}

fn ask_for(mut stream: impl Read + Write, path: &str) -> io::Result<Vec<u8>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A client of the stats-writer socket.
#[derive(Debug)]
pub(crate) struct Writer {
    stream: UnixStream,
}

impl Writer {
    /// Connects, and sends the handshake.
    pub(crate) fn connect(path: &Path) -> Result<Self, Error> {
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
    pub(crate) fn send(&mut self, lines: &str) -> bool {
        self.stream.write_all(lines.as_bytes()).is_ok()
    }

    /// Ends the connection, and waits until the server has read everything.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Err(error) => Err(Error::new(format!("an honest client waits: {error}"))),
        }
    }
}

/// Sends a request to the stats-reader socket, and returns the line of the answer.
pub(crate) fn ask(path: &Path, request: &str) -> Result<String, Error> {
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

/// Sends events from honest clients until more are counted in `honest`.
pub(crate) fn check_honest_client(writer: &Path, http: &Door) -> Result<(), Error> {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    loop {
        match try_honest_client(writer, http) {
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(100)),
            Ok(()) => return Ok(()),
        }
    }
}

fn try_honest_client(writer: &Path, http: &Door) -> Result<(), Error> {
    let before = count_of(http, "honest")?;
    let mut client = Writer::connect(writer)?;
    client.send("CATEGORY\timap\nEVENT\t0\t0\t1\t100\t0\tnhonest\tcimap\n");
    client.finish()?;
    match count_of(http, "honest")? > before {
        true => Ok(()),
        false => Err(Error::new("the event of an honest client was not counted")),
    }
}

/// Returns the event count of a metric without groups from a scrape.
pub(crate) fn count_of(http: &Door, metric: &str) -> Result<u64, Error> {
    let answer = http.get("/metrics", ANSWER_TIMEOUT)?;
    let start = format!("dovecot_{metric}_total ");
    let mut lines = answer.body.lines();
    let count = lines.find_map(|line| line.strip_prefix(&start)?.parse().ok());
    count.ok_or_else(|| Error::new(format!("the scrape has no count of {metric}")))
}
