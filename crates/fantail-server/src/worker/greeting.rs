//! The greeting of a client: the handshake and the filter of wanted events.
//!
//! The handshake is sent at once. A changed filter follows at most once a second,
//! and only the newest of several. A client that does not read makes only its own
//! task wait.

use std::{io, sync::Arc, time::Duration};

use fantail_event::escape::escape_into;
use tokio::{
    net::UnixStream,
    sync::watch,
    time::{Instant, sleep_until},
};

/// The shortest time between two filters to one client.
const FILTER_INTERVAL: Duration = Duration::from_secs(1);

/// A `FILTER` line, shared by all connections.
pub(crate) type FilterLine = Arc<[u8]>;

/// Returns the line for a filter in its exact form.
pub(crate) fn filter_line(filter: &[u8]) -> FilterLine {
    let mut line = b"FILTER\t".to_vec();
    escape_into(filter, &mut line);
    line.push(b'\n');
    line.into()
}

/// The progress of greeting a client.
#[derive(Debug)]
pub(crate) struct Greeted {
    /// The filter that it was sent.
    line: FilterLine,
    /// The bytes that the socket did not take at once: none, except for very
    /// long filters.
    rest: Vec<u8>,
}

/// Greets a client on the thread that accepts it: the client waits for the
/// greeting, and its worker may be busy.
pub(crate) fn greet(stream: &UnixStream, filters: &watch::Receiver<FilterLine>) -> Greeted {
    let line = Arc::clone(&filters.borrow());
    let mut rest = b"VERSION\tstats-server\t4\t0\n".to_vec();
    rest.extend_from_slice(&line);
    // Written without the runtime: the socket moves to that of a worker.
    if let Ok(written) = nix::unistd::write(stream, &rest) {
        rest.drain(..written.min(rest.len()));
    }
    rest.shrink_to_fit();
    Greeted { line, rest }
}

/// Sends the rest of the greeting, and each changed filter until the client is
/// gone.
pub(crate) async fn send_filters(
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
        let earliest = Instant::now() + FILTER_INTERVAL;
        // The filter may have changed before this task began, or since.
        let is_sent = Arc::ptr_eq(&line, &filters.borrow_and_update());
        if is_sent && filters.changed().await.is_err() {
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
