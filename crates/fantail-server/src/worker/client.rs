//! A connection of one of Dovecot's processes: the task that reads it.

use std::{io, rc::Rc, sync::atomic::Ordering};

use tokio::{
    io::Interest,
    net::UnixStream,
    task::{spawn_local, yield_now},
};

use crate::{
    Recorder,
    worker::greeting::{Greeted, send_filters},
    worker::shard::Client,
    worker::{Shared, tell_categories},
};

/// Bytes that one client may send before others have their turn.
const TURN_BYTES: usize = 64 * 1024;

/// Serves a client until it is gone, or has sent an invalid line.
pub(crate) async fn attend(shared: Rc<Shared>, stream: UnixStream, greeted: Greeted) {
    let dialect = shared.shard.borrow().engine.plan().dialect();
    let limits = shared.setup.limits.live.clone();
    let mut client = Client::new(peer(&stream), dialect, limits);
    client.tape = shared.setup.recorder.as_ref().map(Recorder::tape);
    let stream = Rc::new(stream);
    let informed = spawn_local({
        let (stream, filters) = (Rc::clone(&stream), shared.setup.filters.clone());
        async move { send_filters(&stream, greeted, filters).await }
    });
    let mut seat = Seat { shared, client };
    seat.read_all(&stream).await;
    informed.abort();
}

/// A client that is served; released however its task ends.
struct Seat {
    shared: Rc<Shared>,
    client: Client,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
        // Borrowed only if the task panicked while it used the shard.
        if let Ok(mut shard) = self.shared.shard.try_borrow_mut() {
            shard.release(&mut self.client);
        }
        // The end of its sessions may have been exported.
        self.shared.flush.notify_one();
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
    async fn read_all(&mut self, stream: &UnixStream) {
        let mut turn = 0;
        loop {
            match read(&self.shared, stream, &mut self.client) {
                Reading::Closed => return,
                Reading::More(count) => {
                    turn += count;
                    if turn < TURN_BYTES {
                        continue;
                    }
                    yield_now().await;
                }
                Reading::Done => {
                    if stream.readable().await.is_err() {
                        return;
                    }
                }
            }
            turn = 0;
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
fn read(shared: &Shared, stream: &UnixStream, client: &mut Client) -> Reading {
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
    let mut shard = shared.shard.borrow_mut();
    let taken = shard.take(client, buffer.get(..count).unwrap_or_default());
    if shard.outbox.is_waiting() {
        shared.flush.notify_one();
    }
    drop(shard);
    tell_categories(shared);
    match (taken, tried) {
        (Err(_), _) => Reading::Closed,
        (Ok(()), Ok(())) => Reading::More(count),
        (Ok(()), Err(_)) => Reading::Done,
    }
}
