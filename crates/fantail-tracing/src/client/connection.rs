//! The thread of the client: it connects, reads filters and writes lines.

use std::{
    cell::Cell,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use fantail_event::escape;

use super::{
    Shared,
    buffer::{Link, Wake},
};

const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0\n";
/// The server's first line begins with this; the minor version follows.
const SERVER_HANDSHAKE: &[u8] = b"VERSION\tstats-server\t4\t";
/// The time for the server's handshake, as in Dovecot.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);
/// The times between attempts: doubled up to the one in which Dovecot's processes
/// connect again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));
/// The longest line of a server: all filters together.
const MAX_FILTER_BYTES: u64 = 64 * 1024 * 1024;
/// The time between two looks whether the client is closed, while the server reads
/// nothing.
const WRITE_TIME: Duration = Duration::from_millis(200);

pub(super) struct Connector {
    socket: PathBuf,
    shared: Arc<Shared>,
    /// Lines that the socket has not accepted; the first may begin anew on the next
    /// connection.
    lines: Vec<u8>,
}

thread_local! {
    static OF_CLIENT: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread reads filters: no client may wait for its end there.
pub(super) fn is_thread_of_client() -> bool {
    OF_CLIENT.try_with(Cell::get).unwrap_or(false)
}

impl Connector {
    pub(super) fn new(socket: &Path, shared: &Arc<Shared>) -> Self {
        Self {
            socket: socket.to_owned(),
            shared: Arc::clone(shared),
            lines: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        let mut pause = PAUSES.0;
        while !self.shared.buffer.is_closed() {
            let connections = self.shared.counts.connections.load(Ordering::Relaxed);
            // An error ends the connection; the next one follows.
            let _ = UnixStream::connect(&self.socket).and_then(|stream| self.serve(&stream));
            let was_served = self.shared.counts.connections.load(Ordering::Relaxed) > connections;
            pause = match was_served {
                true => PAUSES.0,
                false => (pause * 2).min(PAUSES.1),
            };
            self.shared.buffer.pause(pause);
        }
    }

    fn serve(&mut self, stream: &UnixStream) -> io::Result<()> {
        stream.set_write_timeout(Some(WRITE_TIME))?;
        self.shared.buffer.set_link(Link::Greeting);
        let shared = Arc::clone(&self.shared);
        thread::scope(|scope| {
            scope.spawn(move || {
                OF_CLIENT.set(true);
                // Its end is that of the connection.
                let _ = read(stream, &shared);
                shared.buffer.set_link(Link::Down);
            });
            let result = self.write(stream);
            // It ends the other thread.
            let _ = stream.shutdown(Shutdown::Both);
            result
        })
    }

    fn write(&mut self, stream: &UnixStream) -> io::Result<()> {
        let mut greeting = HANDSHAKE.to_vec();
        greeting.extend_from_slice(&self.shared.buffer.categories());
        self.write_all(stream, &greeting).0?;
        let until = Instant::now() + HANDSHAKE_TIME;
        if !self.shared.buffer.wait_until_ready(until) {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        loop {
            if self.lines.is_empty() {
                match self.shared.buffer.take(&mut self.lines) {
                    Wake::Lines => {}
                    Wake::Broken | Wake::Closed => return Ok(()),
                }
            }
            let lines = std::mem::take(&mut self.lines);
            let (result, written) = self.write_all(stream, &lines);
            self.lines = lines;
            // A line that was begun is sent again: the server drops an unfinished one.
            let whole = self.lines.get(..written).unwrap_or_default();
            let whole = whole.iter().rposition(|byte| *byte == b'\n');
            self.lines.drain(..whole.map_or(0, |at| at + 1));
            self.shared.buffer.left(self.lines.len());
            result?;
        }
    }

    /// Writes bytes; returns how many the socket accepted.
    fn write_all(&self, mut stream: &UnixStream, bytes: &[u8]) -> (io::Result<()>, usize) {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match stream.write(rest) {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), written),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) && !self.must_end() => {}
                Err(error) => return (Err(error), written),
            }
        }
        (Ok(()), written)
    }

    fn must_end(&self) -> bool {
        self.shared.buffer.is_closed() || self.shared.buffer.is_down()
    }
}

fn is_timeout(error: &io::Error) -> bool {
    let kind = error.kind();
    kind == io::ErrorKind::WouldBlock || kind == io::ErrorKind::TimedOut
}

/// Reads the lines of the server until the connection ends.
fn read(stream: &UnixStream, shared: &Shared) -> io::Result<()> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    let mut is_greeted = false;
    let mut has_filter = false;
    loop {
        line.clear();
        (&mut reader)
            .take(MAX_FILTER_BYTES)
            .read_until(b'\n', &mut line)?;
        let Some(text) = line.strip_suffix(b"\n") else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if !is_greeted {
            is_greeted = text.starts_with(SERVER_HANDSHAKE);
            if !is_greeted {
                return Err(invalid());
            }
        } else if let Some(filter) = text.strip_prefix(b"FILTER") {
            let filter = filter.strip_prefix(b"\t").unwrap_or_default();
            if !shared.filter.set(&escape::unescape(filter)) {
                return Err(invalid());
            }
            if !std::mem::replace(&mut has_filter, true) {
                shared.counts.connections.fetch_add(1, Ordering::Relaxed);
                shared.buffer.set_link(Link::Ready);
            }
        }
        // Commands of later versions are ignored, as in Dovecot.
    }
}
