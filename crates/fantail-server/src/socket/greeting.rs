//! What the clients of the writer's socket are told: which events are wanted.
//!
//! The handshake comes at once; later a new filter at most once a second, and
//! of several only the newest. A client that does not read makes only its own
//! task wait.

use std::{io, sync::Arc, time::Duration};

use fantail_event::escape::escape_into;
use tokio::{
    net::UnixStream,
    sync::watch,
    time::{Instant, sleep_until},
};

/// The least time between two filters to one client.
const PAUSE: Duration = Duration::from_secs(1);

/// A `FILTER` line; all connections share its bytes.
pub(crate) type FilterLine = Arc<[u8]>;

/// The line for a filter in its exact form.
pub(crate) fn filter_line(filter: &[u8]) -> FilterLine {
    let mut line = b"FILTER\t".to_vec();
    escape_into(filter, &mut line);
    line.push(b'\n');
    line.into()
}

/// How far a client was greeted.
#[derive(Debug)]
pub(crate) struct Greeted {
    /// The line that it was told.
    line: FilterLine,
    /// What the socket did not take at once: nothing, but for the longest of
    /// lines.
    rest: Vec<u8>,
}

/// Greets a client as soon as it is there: it waits for that, and whoever is
/// going to read what it sends may have other work.
pub(crate) fn greet(stream: &UnixStream, filters: &watch::Receiver<FilterLine>) -> Greeted {
    let line = Arc::clone(&filters.borrow());
    let mut rest = b"VERSION\tstats-server\t4\t0\n".to_vec();
    rest.extend_from_slice(&line);
    // Not told to the runtime: the socket moves on to another one.
    if let Ok(written) = nix::unistd::write(stream, &rest) {
        rest.drain(..written.min(rest.len()));
    }
    rest.shrink_to_fit();
    Greeted { line, rest }
}

/// Greets a client to the end, and tells it of each change until it goes away.
pub(crate) async fn keep_informed(
    stream: &UnixStream,
    greeted: Greeted,
    mut filters: watch::Receiver<FilterLine>,
) {
    let Greeted { mut line, rest } = greeted;
    if write_all(stream, &rest).await.is_err() {
        return;
    }
    drop(rest);
    loop {
        let earliest = Instant::now() + PAUSE;
        // Another one may have come before this task began, or in the pause.
        let is_told = Arc::ptr_eq(&line, &filters.borrow_and_update());
        if is_told && filters.changed().await.is_err() {
            return;
        }
        sleep_until(earliest).await;
        line = Arc::clone(&filters.borrow_and_update());
        if write_all(stream, &line).await.is_err() {
            return;
        }
    }
}

async fn write_all(stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
