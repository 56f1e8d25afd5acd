//! A connection of one of Dovecot's processes.

use std::{io, rc::Rc, sync::atomic::Ordering};

use tokio::{
    net::UnixStream,
    task::{spawn_local, yield_now},
};

use crate::{
    greeting::keep_informed,
    shard::Client,
    worker::{Shared, tell_categories},
};

/// After so many bytes of one client, others have their turn.
const TURN: usize = 512 * 1024;

/// Serves a client until it goes away or sends what it must not.
pub(crate) async fn attend(shared: Rc<Shared>, stream: UnixStream) {
    let dialect = shared.shard.borrow().engine.plan().dialect();
    let limits = shared.setup.limits.live.clone();
    let mut client = Client::new(peer(&stream), dialect, limits);
    let stream = Rc::new(stream);
    let informed = spawn_local({
        let (stream, filters) = (Rc::clone(&stream), shared.setup.filters.clone());
        async move { keep_informed(&stream, filters).await }
    });
    read_all(&shared, &stream, &mut client).await;
    informed.abort();
    shared.shard.borrow_mut().release(&client);
    shared.connections.fetch_sub(1, Ordering::Relaxed);
}

/// Which process it is, as far as the system tells.
fn peer(stream: &UnixStream) -> String {
    let credentials = stream.peer_cred().ok();
    let pid = credentials.and_then(|peer| Some((peer.pid()?, peer.uid())));
    pid.map_or_else(
        || "client".to_owned(),
        |(pid, uid)| format!("client (pid={pid}, uid={uid})"),
    )
}

async fn read_all(shared: &Shared, stream: &UnixStream, client: &mut Client) {
    let mut turn = 0;
    loop {
        match read(shared, stream, client) {
            Ok(0) | Err(ReadEnd::Closed) => return,
            Ok(read) => {
                turn += read;
                if turn < TURN {
                    continue;
                }
                yield_now().await;
            }
            Err(ReadEnd::Nothing) => {
                if stream.readable().await.is_err() {
                    return;
                }
            }
        }
        turn = 0;
    }
}

enum ReadEnd {
    /// Nothing is there yet.
    Nothing,
    /// Nothing will come, or should be read, any more.
    Closed,
}

/// Reads and handles what is there, without waiting.
fn read(shared: &Shared, stream: &UnixStream, client: &mut Client) -> Result<usize, ReadEnd> {
    let mut buffer = shared.buffer.borrow_mut();
    let count = match stream.try_read(&mut buffer) {
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(ReadEnd::Nothing),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(ReadEnd::Nothing),
        Err(_) => return Err(ReadEnd::Closed),
    };
    let mut shard = shared.shard.borrow_mut();
    let taken = shard.take(client, buffer.get(..count).unwrap_or_default());
    if shard.outbox.is_waiting() {
        shared.flush.notify_one();
    }
    drop(shard);
    tell_categories(shared);
    taken.map_err(|()| ReadEnd::Closed)?;
    Ok(count)
}
