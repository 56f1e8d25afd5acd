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
    /// One write for each line, as Dovecot's processes do, by this number of clients
    /// in turn.
    EachLine(usize),
}

/// What clients write, prepared in advance: the server must not wait for them.
#[derive(Debug)]
pub(crate) struct Script<'s> {
    clients: usize,
    /// The handshake and the categories, which each client writes first.
    head: &'s [u8],
    /// The single writes; each is of the next client.
    parts: Vec<&'s [u8]>,
}

impl<'s> Script<'s> {
    pub(crate) fn new(bytes: &'s [u8], writes: Writes) -> Self {
        let mut head = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.starts_with(b"VERSION\t") && !line.starts_with(b"CATEGORY\t") {
                break;
            }
            head += line.len();
        }
        let (head, rest) = bytes.split_at(head);
        let (clients, parts) = match writes {
            Writes::Batched => (1, rest.chunks(64 << 10).collect()),
            Writes::EachLine(clients) => {
                let lines = rest.split_inclusive(|byte| *byte == b'\n');
                (clients, lines.collect())
            }
        };
        Self {
            clients,
            head,
            parts,
        }
    }

    pub(crate) const fn clients(&self) -> usize {
        self.clients
    }
}

/// Clients that have connected and written their categories.
#[derive(Debug)]
pub(crate) struct Clients(Vec<UnixStream>);

impl Clients {
    pub(crate) fn connect(socket: &Path, script: &Script<'_>) -> Result<Self, Error> {
        let wrong = |error| Error::new(format!("stats-writer: {error}"));
        let patience = Some(Duration::from_secs(120));
        let connect = |_| {
            let mut stream =
                UnixStream::connect(socket).map_err(Error::at("connect to", socket))?;
            stream.set_write_timeout(patience).map_err(wrong)?;
            stream.set_read_timeout(patience).map_err(wrong)?;
            stream.write_all(script.head).map_err(wrong)?;
            Ok(stream)
        };
        let streams = (0..script.clients).map(connect);
        streams.collect::<Result<_, _>>().map(Self)
    }

    /// Writes the parts one by one, and waits until the server has read all of them:
    /// it closes the connections then.
    pub(crate) fn play(mut self, script: &Script<'_>) -> Result<(), Error> {
        let wrong = |error| Error::new(format!("stats-writer: {error}"));
        for parts in script.parts.chunks(self.0.len()) {
            for (stream, part) in self.0.iter_mut().zip(parts) {
                stream.write_all(part).map_err(wrong)?;
            }
        }
        for stream in &self.0 {
            stream.shutdown(Shutdown::Write).map_err(wrong)?;
        }
        let mut answer = Vec::new();
        for stream in &mut self.0 {
            stream.read_to_end(&mut answer).map_err(wrong)?;
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_begins_with_the_categories() {
        let bytes = b"VERSION\tx\nCATEGORY\ta\nEVENT\t1\nEVENT\t2\nEVENT\t3\n";
        let script = Script::new(bytes, Writes::EachLine(2));
        assert_eq!(script.clients(), 2);
        assert_eq!(script.head, b"VERSION\tx\nCATEGORY\ta\n");
        assert_eq!(
            script.parts,
            [&b"EVENT\t1\n"[..], b"EVENT\t2\n", b"EVENT\t3\n"]
        );
        let script = Script::new(bytes, Writes::Batched);
        assert_eq!((script.clients(), script.parts.len()), (1, 1));
    }
}
