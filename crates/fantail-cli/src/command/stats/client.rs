//! A connection to a stats-reader socket.

use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use fantail::wire::reader::{DumpLine, MAX_REQUEST_LINE_BYTES, ReaderError, Reply, Request, Side};

use crate::exit::Failure;

/// The time limit for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum length of a line of an answer.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// A connection after the handshake.
#[derive(Debug)]
pub(crate) struct Client {
    path: PathBuf,
    stream: BufReader<UnixStream>,
    line: Vec<u8>,
    /// Whether the line is complete and was returned.
    is_whole: bool,
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

impl Client {
    /// Connects and performs the handshake.
    pub(crate) fn connect(path: &Path) -> Result<Self, Failure> {
        Self::connect_within(path, ANSWER_TIMEOUT)
    }

    /// Connects like [`connect`](Self::connect), with this time limit for each answer.
    pub(crate) fn connect_within(path: &Path, patience: Duration) -> Result<Self, Failure> {
        let connected = UnixStream::connect(path).and_then(|stream| {
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            Ok(stream)
        });
        let stream = connected.map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::PermissionDenied => "only root may open it",
                _ => "`fantail doctor` says what is wrong",
            };
            let path = path.display();
            Failure::new(format!("cannot connect to {path}: {error}; {advice}"))
        })?;
        let mut client = Self {
            path: path.to_owned(),
            stream: BufReader::new(stream),
            line: Vec::new(),
            is_whole: true,
        };
        client.send(Side::Client.greeting())?;
        let line = client.read_line()?;
        let greeted = Side::Server.check(line);
        greeted.map_err(|error| client.wrong(&error))?;
        Ok(client)
    }

    /// Sends a request that is answered with `+` or `-`.
    pub(crate) fn order(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        self.send_request(request)?;
        self.reply()
    }

    /// Reads the next answer that begins with `+` or `-`.
    pub(crate) fn reply(&mut self) -> Result<Reply, Failure> {
        let reply = Reply::parse(self.read_line()?);
        reply.ok_or_else(|| {
            Failure::new(format!(
                "{}: the answer is neither + nor -",
                self.path.display()
            ))
        })
    }

    /// Requests a dump, and calls `each` with each line.
    pub(crate) fn dump(
        &mut self,
        columns: Vec<Cow<'_, [u8]>>,
        reset: bool,
        mut each: impl FnMut(DumpLine),
    ) -> Result<(), Failure> {
        let count = columns.len();
        self.send_request(&Request::Dump { columns, reset })?;
        loop {
            let line = DumpLine::parse(self.read_line()?, count);
            match line.map_err(|error| self.wrong(&error))? {
                Some(line) => each(line),
                None => return Ok(()),
            }
        }
    }

    /// Sends a request.
    pub(crate) fn send_request(&mut self, request: &Request<'_>) -> Result<(), Failure> {
        let mut line = Vec::new();
        request.write(&mut line);
        if line.len() > MAX_REQUEST_LINE_BYTES {
            return Err(Failure::new(format!(
                "the request is longer than the {MAX_REQUEST_LINE_BYTES} bytes that a stats process takes"
            )));
        }
        self.send(&line)
    }

    /// Returns the process ID of the server, if known.
    pub(crate) fn server_pid(&self) -> Option<i32> {
        let peer = rustix::net::sockopt::socket_peercred(self.stream.get_ref()).ok()?;
        Some(peer.pid.as_raw_nonzero().get())
    }

    /// Requests the end of a counting tap.
    pub(crate) fn ask_for_end(&mut self) -> Result<(), Failure> {
        self.send(b"\n")
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = self.stream.get_mut().write_all(bytes);
        sent.map_err(|error| Failure::file("write to", &self.path, &error))
    }

    /// Sets the time limit for each of the next lines.
    pub(crate) fn wait_at_most(&mut self, patience: Duration) -> Result<(), Failure> {
        let set = self.stream.get_ref().set_read_timeout(Some(patience));
        set.map_err(|error| Failure::file("wait for", &self.path, &error))
    }

    /// Reads the next line, without its LF.
    pub(crate) fn read_line(&mut self) -> Result<&[u8], Failure> {
        self.line.clear();
        self.is_whole = true;
        let mut limited = self.stream.by_ref().take(MAX_LINE_BYTES);
        let read = limited.read_until(b'\n', &mut self.line);
        let whole = read.and_then(|_| match self.line.last() {
            Some(b'\n') => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        });
        match whole {
            Ok(()) => Ok(self.line.strip_suffix(b"\n").unwrap_or_default()),
            Err(error) => Err(self.no_answer(&error)),
        }
    }

    /// Reads the next line, without its LF; returns `None` after the time limit.
    pub(crate) fn next_line(&mut self) -> Result<Option<&[u8]>, Failure> {
        // An incomplete line stays in the buffer until its end arrives.
        if self.is_whole {
            self.line.clear();
            self.is_whole = false;
        }
        let mut limited = self.stream.by_ref().take(MAX_LINE_BYTES);
        match limited.read_until(b'\n', &mut self.line) {
            Err(error) if is_timeout(&error) => return Ok(None),
            read => {
                let read = read.and_then(|_| match self.line.last() {
                    Some(b'\n') => Ok(()),
                    _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                });
                read.map_err(|error| self.no_answer(&error))?;
            }
        }
        self.is_whole = true;
        Ok(self.line.strip_suffix(b"\n"))
    }

    fn no_answer(&self, error: &io::Error) -> Failure {
        Failure::new(format!("{}: no whole answer: {error}", self.path.display()))
    }

    fn wrong(&self, error: &ReaderError) -> Failure {
        Failure::new(format!("{}: {error}", self.path.display()))
    }
}
