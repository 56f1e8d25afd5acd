//! The greeting of a client: the handshake and the filter of wanted events.
//!
//! The handshake is sent at once. A changed filter follows at most once a second,
//! and only the newest of several. A client that does not read delays no other.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use fantail_event::escape::escape_into;
use nix::{errno::Errno, unistd};
use std::os::fd::AsFd;
use tokio::sync::watch;

/// The shortest time between two filters to one client.
const FILTER_INTERVAL: Duration = Duration::from_secs(1);

const VERSION: &[u8] = b"VERSION\tstats-server\t4\t0\n";

/// A `FILTER` line, shared by all connections.
pub(crate) type FilterLine = Arc<[u8]>;

/// Returns the line for a filter in its exact form.
pub(crate) fn filter_line(filter: &[u8]) -> FilterLine {
    let mut line = b"FILTER\t".to_vec();
    escape_into(filter, &mut line);
    line.push(b'\n');
    line.into()
}

/// The filter that a client was sent, or is being sent.
#[derive(Debug)]
pub(crate) struct Greeting {
    line: FilterLine,
    /// Bytes at the end of the line that the socket has not taken: none, except for
    /// very long filters.
    unsent: usize,
    /// The earliest time of the next filter.
    next: Instant,
}

/// Greets a client on the thread that accepts it: the client waits for the
/// greeting, and its worker may be busy.
pub(crate) fn greet(stream: impl AsFd, filters: &watch::Receiver<FilterLine>) -> Greeting {
    let line = Arc::clone(&filters.borrow());
    let greeting = [VERSION, &line].concat();
    // A new socket takes the first line whole; one that takes nothing is broken.
    let written = unistd::write(stream, &greeting).unwrap_or(0);
    let unsent = greeting.len() - written.clamp(VERSION.len(), greeting.len());
    Greeting {
        line,
        unsent,
        next: Instant::now() + FILTER_INTERVAL,
    }
}

impl Greeting {
    /// Returns whether the socket has not taken the whole filter yet.
    pub(crate) const fn is_unfinished(&self) -> bool {
        self.unsent > 0
    }

    /// Returns when this filter may be sent, unless it was sent.
    pub(crate) fn due(&self, line: &FilterLine) -> Option<Instant> {
        (!Arc::ptr_eq(&self.line, line)).then_some(self.next)
    }

    /// Sends a filter as far as the socket takes it.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn send(
        &mut self,
        stream: impl AsFd,
        line: &FilterLine,
        now: Instant,
    ) -> io::Result<()> {
        debug_assert!(!self.is_unfinished(), "a line would be cut");
        self.line = Arc::clone(line);
        self.unsent = line.len();
        self.next = now + FILTER_INTERVAL;
        self.send_rest(stream)
    }

    /// Sends the rest of the filter as far as the socket takes it.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn send_rest(&mut self, stream: impl AsFd) -> io::Result<()> {
        while self.unsent > 0 {
            let sent = self.line.len() - self.unsent;
            match unistd::write(&stream, self.line.get(sent..).unwrap_or_default()) {
                Ok(written) => self.unsent -= written.min(self.unsent),
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => {
                    self.unsent = 0;
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::net::UnixStream};

    use super::*;

    fn line(bytes: usize) -> FilterLine {
        filter_line(&vec![b'x'; bytes])
    }

    /// Reads what a client was sent, as long as something is there.
    fn received(client: &mut UnixStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        let error = client.read_to_end(&mut bytes).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        bytes
    }

    fn pair() -> (UnixStream, UnixStream) {
        let (server, client) = UnixStream::pair().unwrap();
        server.set_nonblocking(true).unwrap();
        client.set_nonblocking(true).unwrap();
        (server, client)
    }

    #[test]
    fn a_long_filter_is_sent_as_the_client_reads() {
        let (server, mut client) = pair();
        let filter = line(1 << 20);
        let (_sender, filters) = watch::channel(Arc::clone(&filter));
        let mut greeting = greet(&server, &filters);
        let mut sent = Vec::new();
        while greeting.is_unfinished() {
            sent.extend(received(&mut client));
            greeting.send_rest(&server).unwrap();
        }
        sent.extend(received(&mut client));
        assert!(sent == [VERSION, &filter].concat());
    }

    #[test]
    fn a_filter_is_sent_once_and_after_its_time() {
        let (server, mut client) = pair();
        let (first, second) = (line(10), line(20));
        let (_sender, filters) = watch::channel(Arc::clone(&first));
        let before = Instant::now();
        let mut greeting = greet(&server, &filters);
        assert_eq!(greeting.due(&first), None);
        let due = greeting.due(&second).unwrap();
        assert!(due >= before + FILTER_INTERVAL);
        received(&mut client);
        greeting.send(&server, &second, due).unwrap();
        assert_eq!(received(&mut client), &*second);
        assert_eq!(greeting.due(&second), None);
        assert_eq!(greeting.due(&first), Some(due + FILTER_INTERVAL));
    }

    #[test]
    fn a_client_that_has_ended_is_sent_nothing() {
        let (server, client) = pair();
        let filter = line(10);
        let (_sender, filters) = watch::channel(Arc::clone(&filter));
        drop(client);
        let mut greeting = greet(&server, &filters);
        assert!(greeting.send_rest(&server).is_err() || !greeting.is_unfinished());
        let next = line(20);
        let sent = greeting.send(&server, &next, Instant::now());
        assert!(sent.is_err() && !greeting.is_unfinished());
    }
}
