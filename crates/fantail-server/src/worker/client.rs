//! A connection of one of Dovecot's processes, and a visit of the worker to it.

use std::{
    io::{ErrorKind, Read as _},
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use crate::{
    process::turn::Turn,
    worker::greeting::{FilterLine, Greeting},
    worker::shard::{Client, Shard},
};

/// Bytes that one client may send before others are visited.
const VISIT_BYTES: usize = 64 * 1024;

/// A client with its connection.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) stream: UnixStream,
    pub(crate) greeting: Greeting,
    client: Client,
    /// Whether the client waits for a visit.
    pub(crate) is_queued: bool,
    /// Whether the client sends no more than the socket holds.
    pub(crate) has_hung_up: bool,
    /// Whether its live events and sessions are being ended.
    is_closing: bool,
}

/// The state of a client after a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visited {
    /// All bytes were read.
    Emptied,
    /// There may be more to do.
    Unfinished,
    /// The client is gone, with its live events and sessions.
    Closed,
}

/// The outcome of a read.
enum Reading {
    /// These bytes were read, and there may be more.
    More(usize),
    /// These bytes were read, and no more are there.
    Last(usize),
    /// The connection has ended, or is to be closed.
    Ended,
}

/// The name of a client in the log: its process, if the system knows it.
fn peer(stream: &UnixStream) -> String {
    getsockopt(stream, PeerCredentials).map_or_else(
        |_| "client".to_owned(),
        |peer| format!("client (pid={}, uid={})", peer.pid(), peer.uid()),
    )
}

impl Seat {
    pub(crate) fn new(
        stream: UnixStream,
        greeting: Greeting,
        shard: &Shard,
        limits: fantail_wire::Limits,
    ) -> Self {
        let dialect = shard.engine.plan().dialect();
        Self {
            client: Client::new(peer(&stream), dialect, limits),
            stream,
            greeting,
            is_queued: false,
            has_hung_up: false,
            is_closing: false,
        }
    }

    /// Reserves memory for the client; one without memory is closed by its next visit.
    pub(crate) fn be_admitted(&mut self, shard: &mut Shard) {
        if shard.admit(&mut self.client).is_err() {
            self.begin_close(shard);
        }
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Sends the filter if the client may get another one now; returns when it may.
    pub(crate) fn tell_filter(&mut self, line: &FilterLine, now: Instant) -> Option<Instant> {
        let due = self.greeting.due(line)?;
        if self.greeting.is_unfinished() {
            // The next filter follows when the client has read this one.
            return None;
        }
        if due > now {
            return Some(due);
        }
        // A read reports the end of the connection.
        let _ = self.greeting.send(&self.stream, line, now);
        None
    }

    /// Reads and handles what the client has sent, until its turn is over. Adds the
    /// bytes that it reads to `bytes`.
    ///
    /// A panic ends the client and nothing else.
    pub(crate) fn visit(
        &mut self,
        shard: &mut Shard,
        buffer: &mut [u8],
        turn: &Turn<'_>,
        bytes: &mut usize,
    ) -> Visited {
        let visit = || self.visit_once(shard, buffer, turn, bytes);
        if let Ok(visited) = catch_unwind(AssertUnwindSafe(visit)) {
            return visited;
        }
        let close = || {
            shard.begin_close(&mut self.client);
            shard.close(&mut self.client, || false);
        };
        // The panic hook has printed both.
        let _ = catch_unwind(AssertUnwindSafe(close));
        Visited::Closed
    }

    fn visit_once(
        &mut self,
        shard: &mut Shard,
        buffer: &mut [u8],
        turn: &Turn<'_>,
        bytes: &mut usize,
    ) -> Visited {
        while !self.is_closing {
            let reading = if turn.is_stopped() {
                Reading::Ended
            } else if self.client.has_unhandled() {
                self.resume(shard, turn)
            } else {
                self.read(shard, buffer, turn)
            };
            match reading {
                Reading::Last(count) => {
                    *bytes += count;
                    return Visited::Emptied;
                }
                Reading::More(count) => *bytes += count,
                Reading::Ended => self.begin_close(shard),
            }
            let is_long = *bytes >= VISIT_BYTES || self.client.has_unhandled();
            if is_long || turn.is_over() {
                return Visited::Unfinished;
            }
        }
        match shard.close(&mut self.client, || turn.is_over()) {
            true => Visited::Closed,
            false => Visited::Unfinished,
        }
    }

    fn begin_close(&mut self, shard: &mut Shard) {
        self.is_closing = true;
        shard.begin_close(&mut self.client);
    }

    /// Reads and handles the bytes that are there, without waiting.
    ///
    /// Dovecot's processes write line by line, so most reads find one line and
    /// empty the socket. A read that does not fill the buffer has emptied it: a
    /// second read would double the system calls of an event. Only the end of a
    /// connection, which was reported before, needs one more.
    fn read(&mut self, shard: &mut Shard, buffer: &mut [u8], turn: &Turn<'_>) -> Reading {
        // The standard library calls `recv`, which takes less time than `read`.
        let count = match (&self.stream).read(buffer) {
            Ok(0) => return Reading::Ended,
            Ok(count) => count,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Reading::Last(0),
                ErrorKind::Interrupted => return Reading::More(0),
                _ => return Reading::Ended,
            },
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        if shard.take(&mut self.client, bytes, turn).is_err() {
            return Reading::Ended;
        }
        let may_have_more = count == buffer.len() || self.has_hung_up;
        match may_have_more || self.client.has_unhandled() {
            true => Reading::More(count),
            false => Reading::Last(count),
        }
    }

    /// Handles the bytes that an earlier turn has left.
    fn resume(&mut self, shard: &mut Shard, turn: &Turn<'_>) -> Reading {
        match shard.resume(&mut self.client, turn) {
            Err(_) => Reading::Ended,
            // The socket may hold more.
            Ok(()) => Reading::More(0),
        }
    }
}
