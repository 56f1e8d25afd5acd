//! Events at a constant rate.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::error::Error;

/// The time between two groups of events.
const STEP: Duration = Duration::from_millis(2);

/// A client with events to send.
#[derive(Debug)]
pub(super) struct Feed<'s> {
    socket: UnixStream,
    lines: Vec<&'s [u8]>,
}

impl<'s> Feed<'s> {
    /// Connects, and sends what comes before the first event.
    pub(super) fn start(socket: &Path, stream: &'s [u8]) -> Result<Self, Error> {
        let lines = stream.split_inclusive(|byte| *byte == b'\n');
        let mut lines: Vec<_> = lines.collect();
        let events = lines.iter().position(|line| line.starts_with(b"EVENT\t"));
        let events = lines.split_off(events.unwrap_or(lines.len()));
        let mut socket = UnixStream::connect(socket).map_err(Error::at("connect to", socket))?;
        socket
            .write_all(&lines.concat())
            .map_err(|error| wrong(&error))?;
        Ok(Self {
            socket,
            lines: events,
        })
    }

    /// Sends all events at this rate a second, and waits until all are read.
    pub(super) fn play(&mut self, rate: u64) -> Result<(), Error> {
        let start = Instant::now();
        let mut sent = 0;
        while sent < self.lines.len() {
            let elapsed = start.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000;
            let due = usize::try_from(elapsed).unwrap_or(usize::MAX);
            let due = due.min(self.lines.len());
            for line in &self.lines[sent..due] {
                self.socket.write_all(line).map_err(|error| wrong(&error))?;
            }
            sent = due;
            thread::sleep(STEP);
        }
        self.socket
            .shutdown(Shutdown::Write)
            .map_err(|error| wrong(&error))?;
        let mut rest = Vec::new();
        self.socket
            .read_to_end(&mut rest)
            .map_err(|error| wrong(&error))?;
        Ok(())
    }
}

fn wrong(error: &std::io::Error) -> Error {
    Error::new(format!("stats-writer: {error}"))
}
