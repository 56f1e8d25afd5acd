//! Open pages and taps, which read all that they get.

use std::{
    io::{self, Read, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::error::Error;

/// The time between two reads of all.
const STEP: Duration = Duration::from_millis(20);

/// How long a viewer may take to open.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread that reads what all viewers get.
#[derive(Debug, Default)]
pub(super) struct Viewers {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

/// A connection of a viewer.
trait Connection: Read + Send + 'static {
    fn wait_for_nothing(&self) -> io::Result<()>;
}

impl Connection for TcpStream {
    fn wait_for_nothing(&self) -> io::Result<()> {
        self.set_nonblocking(true)
    }
}

impl Connection for UnixStream {
    fn wait_for_nothing(&self) -> io::Result<()> {
        self.set_nonblocking(true)
    }
}

impl Viewers {
    /// Opens taps for this number of seconds.
    pub(super) fn taps(reader: &Path, names: &[&str], seconds: u64) -> Result<Self, Error> {
        let taps = names.iter().map(|name| {
            let mut tap = UnixStream::connect(reader).map_err(Error::at("connect to", reader))?;
            let lines = format!(
                "VERSION\tstats-reader-client\t2\t0\n\
                 FANTAIL-TAP\tevent={name}\tjson\t1000000\t{seconds}\t1000\n"
            );
            tap.write_all(lines.as_bytes())
                .map_err(|error| wrong(&error))?;
            open(tap, b"\n+")
        });
        Ok(Self::start(taps.collect::<Result<_, _>>()?))
    }

    /// Opens pages, which share these filters.
    pub(super) fn pages(
        port: u16,
        token: &str,
        names: &[&str],
        pages: usize,
    ) -> Result<Self, Error> {
        let pages = names.iter().cycle().take(pages).map(|name| {
            let mut page =
                TcpStream::connect(("127.0.0.1", port)).map_err(|error| wrong(&error))?;
            let request = format!(
                "GET /api/v1/stream?filter=event%3D{name} HTTP/1.1\r\nHost: localhost\r\n\
                 Authorization: Bearer {token}\r\n\r\n"
            );
            page.write_all(request.as_bytes())
                .map_err(|error| wrong(&error))?;
            open(page, b"retry: ")
        });
        Ok(Self::start(pages.collect::<Result<_, _>>()?))
    }

    fn start<C: Connection>(mut all: Vec<C>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; 256 << 10];
            let mut read = 0;
            while !stopped.load(Ordering::Relaxed) {
                for one in &mut all {
                    while let Ok(count @ 1..) = one.read(&mut buffer) {
                        let events = buffer[..count].windows(9).filter(|it| it == b"\"fields\":");
                        read += events.count();
                    }
                }
                thread::sleep(STEP);
            }
            read
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Closes all; returns the number of events that they got.
    pub(super) fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let read = self.thread.map(JoinHandle::join);
        read.and_then(Result::ok).unwrap_or(0)
    }
}

/// Waits until the answer has this text.
fn open<C: Connection>(mut connection: C, text: &[u8]) -> Result<C, Error> {
    connection
        .wait_for_nothing()
        .map_err(|error| wrong(&error))?;
    let deadline = Instant::now() + PATIENCE;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while !answer.windows(text.len()).any(|part| part == text) {
        match connection.read(&mut buffer) {
            Ok(0) => return Err(refused(&answer)),
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(_) if Instant::now() < deadline => thread::sleep(STEP),
            Err(_) => return Err(refused(&answer)),
        }
    }
    Ok(connection)
}

fn refused(answer: &[u8]) -> Error {
    let answer = String::from_utf8_lossy(answer);
    Error::new(format!("a viewer is not opened: {answer}"))
}

fn wrong(error: &io::Error) -> Error {
    Error::new(format!("a viewer: {error}"))
}
