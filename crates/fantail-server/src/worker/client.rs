//! A connection of one of Dovecot's processes: the task that reads it.

use std::{io, rc::Rc, sync::atomic::Ordering};

use tokio::{
    io::Interest,
    net::UnixStream,
    task::{spawn_local, yield_now},
};

use crate::{
    process::turn::Turn,
    worker::closed::Closed,
    worker::greeting::{Greeted, send_filters},
    worker::shard::{Client, Shard},
    worker::{Shared, tell_categories},
};

/// Bytes that one client may send before others have their turn.
const TURN_BYTES: usize = 64 * 1024;

/// Serves a client until it is gone, or has sent an invalid line.
pub(crate) async fn attend(shared: Rc<Shared>, stream: UnixStream, greeted: Greeted) {
    let dialect = shared.shard.borrow().engine.plan().dialect();
    let limits = shared.setup.limits.live.clone();
    let client = Client::new(peer(&stream), dialect, limits);
    let stream = Rc::new(stream);
    let informed = spawn_local({
        let (stream, filters) = (Rc::clone(&stream), shared.setup.filters.clone());
        async move { send_filters(&stream, greeted, filters).await }
    });
    let mut seat = Seat { shared, client };
    if seat.is_admitted() {
        seat.read_all(&stream).await;
    }
    informed.abort();
    seat.close().await;
}

/// A client that is served.
struct Seat {
    shared: Rc<Shared>,
    client: Client,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
        if self.shared.has_ended.get() {
            // Nothing is counted or exported any more.
            return;
        }
        // Only if the task panicked is anything left, or the shard borrowed.
        if let Ok(mut shard) = self.shared.shard.try_borrow_mut() {
            shard.begin_close(&mut self.client);
            shard.close(&mut self.client, || false);
        }
    }
}

/// The name of a client in the log: its process, if the system knows it.
fn peer(stream: &UnixStream) -> String {
    let credentials = stream.peer_cred().ok();
    let pid = credentials.and_then(|peer| Some((peer.pid()?, peer.uid())));
    pid.map_or_else(
        || "client".to_owned(),
        |(pid, uid)| format!("client (pid={pid}, uid={uid})"),
    )
}

impl Seat {
    fn is_admitted(&mut self) -> bool {
        let mut shard = self.shared.shard.borrow_mut();
        shard.admit(&mut self.client).is_ok()
    }

    /// Ends its live events and sessions, in turns: there may be many.
    async fn close(&mut self) {
        self.shared.shard.borrow_mut().begin_close(&mut self.client);
        let closing = &self.shared.closing;
        closing.set(closing.get() + 1);
        while !self.take_closing_turn() {
            yield_now().await;
        }
        let closing = &self.shared.closing;
        closing.set(closing.get() - 1);
        // The end of its sessions may have been exported.
        self.shared.flush.notify_one();
    }

    fn take_closing_turn(&mut self) -> bool {
        let turn = self.shared.turns.begin();
        let mut shard = self.shared.shard.borrow_mut();
        shard.close(&mut self.client, || turn.is_over())
    }

    async fn read_all(&mut self, stream: &UnixStream) {
        loop {
            match self.take_turn(stream) {
                Reading::Closed => return,
                Reading::More(_) => yield_now().await,
                Reading::Done => {
                    if stream.readable().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Reads until the turn is over, or everything is read.
    fn take_turn(&mut self, stream: &UnixStream) -> Reading {
        let turn = self.shared.turns.begin();
        let mut bytes = 0;
        loop {
            let reading = if turn.is_stopped() {
                Reading::Closed
            } else if self.client.has_unhandled() {
                resume(&self.shared, &mut self.client, &turn)
            } else {
                read(&self.shared, stream, &mut self.client, &turn)
            };
            let Reading::More(count) = reading else {
                return reading;
            };
            bytes += count;
            if bytes >= TURN_BYTES || self.client.has_unhandled() || turn.is_over() {
                return reading;
            }
        }
    }
}

/// The outcome of a read.
enum Reading {
    /// These bytes were read, and there may be more.
    More(usize),
    /// All bytes were read.
    Done,
    /// The connection has ended, or is to be closed.
    Closed,
}

/// Reads and handles the bytes that are there, without waiting.
///
/// Dovecot's processes write line by line, so most reads find one line and
/// empty the socket. A read that does not fill the buffer has emptied it: a
/// second read would double the system calls of an event. (The runtime still
/// reports the end of a connection.)
fn read(shared: &Shared, stream: &UnixStream, client: &mut Client, turn: &Turn<'_>) -> Reading {
    let mut buffer = shared.buffer.borrow_mut();
    let mut found = None;
    let tried = stream.try_io(Interest::READABLE, || {
        let count = nix::unistd::read(stream, &mut buffer)?;
        found = Some(count);
        if (1..buffer.len()).contains(&count) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    let Some(count) = found else {
        return match tried.map_err(|error| error.kind()) {
            Err(io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Reading::Done,
            _ => Reading::Closed,
        };
    };
    if count == 0 {
        return Reading::Closed;
    }
    shared.read_delay.read(count);
    let bytes = buffer.get(..count).unwrap_or_default();
    let taken = with_shard(shared, |shard| shard.take(client, bytes, turn));
    match (taken, tried) {
        (Err(_), _) => Reading::Closed,
        (Ok(()), Err(_)) if !client.has_unhandled() => Reading::Done,
        (Ok(()), _) => Reading::More(count),
    }
}

/// Handles the bytes that an earlier turn has left.
fn resume(shared: &Shared, client: &mut Client, turn: &Turn<'_>) -> Reading {
    match with_shard(shared, |shard| shard.resume(client, turn)) {
        Err(_) => Reading::Closed,
        // The socket may hold more.
        Ok(()) => Reading::More(0),
    }
}

/// Has the shard handle lines, and passes on their effects.
fn with_shard(
    shared: &Shared,
    handle: impl FnOnce(&mut Shard) -> Result<(), Closed>,
) -> Result<(), Closed> {
    let mut shard = shared.shard.borrow_mut();
    let handled = handle(&mut shard);
    if shard.outbox.is_waiting() {
        shared.flush.notify_one();
    }
    drop(shard);
    tell_categories(shared);
    handled
}
