//! The clients of a worker, and those of them that have something to read.
//!
//! The sockets are registered with epoll, edge-triggered: a socket is reported once
//! when lines come, and read until it is empty. Clients that were reported, and those
//! whose visit has not emptied their socket, wait in a queue.

use std::{
    collections::VecDeque,
    io,
    os::fd::AsFd,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
};
use slab::Slab;

use crate::{
    process::turn::Turn,
    worker::client::{Seat, Visited},
    worker::greeting::FilterLine,
    worker::read_delay::ReadDelay,
    worker::shard::Shard,
};

/// The data of epoll for the inbox of the worker.
const INBOX: u64 = u64::MAX;

/// Sockets that one wait reports while there are few clients.
const MIN_EVENTS: usize = 64;

/// Bytes of the buffer that all connections of a worker share.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Visits between two looks at the clock.
const VISITS_PER_CLOCK: usize = 8;

#[derive(Debug)]
pub(crate) struct Clients {
    seats: Slab<Seat>,
    epoll: Epoll,
    /// As many as there are clients, so that one wait reports all.
    events: Vec<EpollEvent>,
    /// Clients to visit.
    queue: VecDeque<usize>,
    /// Clients at the front of the queue that were queued before the last wait ended.
    batch: usize,
    /// Whether a client has taken all of a long filter, and may get the next one.
    has_taken_filter: bool,
    /// The buffer that all connections read into.
    buffer: Box<[u8]>,
    read_delay: ReadDelay,
}

impl Clients {
    /// Creates a set without clients, which an inbox wakes.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(crate) fn new(inbox: impl AsFd) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(inbox, EpollEvent::new(EpollFlags::EPOLLIN, INBOX))?;
        Ok(Self {
            seats: Slab::new(),
            epoll,
            events: vec![EpollEvent::empty(); MIN_EVENTS],
            queue: VecDeque::new(),
            batch: 0,
            has_taken_filter: false,
            buffer: vec![0; READ_BUFFER_BYTES].into(),
            read_delay: ReadDelay::default(),
        })
    }

    /// Adds a client.
    ///
    /// # Errors
    /// The system refuses to watch the connection.
    pub(crate) fn add(&mut self, seat: Seat) -> io::Result<()> {
        let entry = self.seats.vacant_entry();
        let number = entry.key();
        self.epoll.add(&seat.stream, interest(&seat, number))?;
        let is_closing = seat.is_closing();
        entry.insert(seat);
        if is_closing {
            self.enqueue(number);
        }
        if self.events.len() <= self.seats.len() {
            self.events
                .resize(2 * self.seats.len(), EpollEvent::empty());
        }
        Ok(())
    }

    /// Returns whether all clients of the last wait were visited.
    pub(crate) const fn is_batch_done(&self) -> bool {
        self.batch == 0
    }

    /// Returns whether a client may get another filter since the last call.
    pub(crate) fn has_taken_filter(&mut self) -> bool {
        std::mem::take(&mut self.has_taken_filter)
    }

    /// Returns whether clients wait for a visit.
    pub(crate) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Returns how long lines may collect before the next visits; `None` if the worker
    /// sleeps until it is woken, or is behind.
    pub(crate) fn next_delay(&mut self) -> Option<Duration> {
        self.read_delay.next()
    }

    /// Waits for clients and queues them; returns whether the inbox has woken it.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub(crate) fn wait(&mut self, timeout: EpollTimeout) -> io::Result<bool> {
        let count = match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let mut is_woken = false;
        for at in 0..count {
            let Some(event) = self.events.get(at).copied() else {
                break;
            };
            match usize::try_from(event.data()) {
                Ok(number) if event.data() != INBOX => self.report(number, event.events()),
                _ => is_woken = true,
            }
        }
        self.batch = self.queue.len();
        Ok(is_woken)
    }

    /// Takes a report of epoll. A report of a client that is gone may reach the one
    /// with the same number, which is visited in vain then.
    fn report(&mut self, number: usize, flags: EpollFlags) {
        let Some(seat) = self.seats.get_mut(number) else {
            return;
        };
        if flags.contains(EpollFlags::EPOLLOUT) && seat.greeting.is_unfinished() {
            // A read reports the end of the connection.
            let _ = seat.greeting.send_rest(&seat.stream);
            if !seat.greeting.is_unfinished() {
                self.has_taken_filter = true;
                let watched = self.epoll.modify(&seat.stream, &mut interest(seat, number));
                debug_assert!(watched.is_ok(), "the socket is registered");
            }
        }
        let ends = EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR;
        seat.has_hung_up |= flags.intersects(ends);
        if flags.intersects(ends | EpollFlags::EPOLLIN) {
            self.enqueue(number);
        }
    }

    fn enqueue(&mut self, number: usize) {
        if let Some(seat) = self.seats.get_mut(number)
            && !std::mem::replace(&mut seat.is_queued, true)
        {
            self.queue.push_back(number);
        }
    }

    /// Visits the clients of the batch until the turn is over. Calls `after` after each
    /// visit, and ends if it returns `false`. Clients that are gone leave `connections`.
    pub(crate) fn visit(
        &mut self,
        shard: &mut Shard,
        turn: &Turn<'_>,
        connections: &AtomicUsize,
        mut after: impl FnMut(&mut Shard) -> bool,
    ) {
        for visits in 1..=self.batch {
            self.batch -= 1;
            let Some(number) = self.queue.pop_front() else {
                debug_assert!(false, "a batch is part of the queue");
                break;
            };
            let Some(seat) = self.seats.get_mut(number) else {
                debug_assert!(false, "queued clients have a seat");
                continue;
            };
            seat.is_queued = false;
            let mut bytes = 0;
            let visited = seat.visit(shard, &mut self.buffer, turn, &mut bytes);
            if bytes > 0 {
                self.read_delay.read(bytes);
            }
            let goes_on = after(shard);
            match visited {
                Visited::Emptied => {}
                Visited::Unfinished => self.enqueue(number),
                Visited::Closed => {
                    // A client that sees its end finds itself gone.
                    connections.fetch_sub(1, Ordering::Relaxed);
                    // Closing the socket removes it from epoll.
                    self.seats.remove(number);
                }
            }
            if !goes_on || (visits.is_multiple_of(VISITS_PER_CLOCK) && turn.is_over()) {
                break;
            }
        }
    }

    /// Sends the filter to all clients that may get another one now; returns when the
    /// next of the others may.
    pub(crate) fn tell_filter(&mut self, line: &FilterLine, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (number, seat) in &mut self.seats {
            if let Some(due) = seat.tell_filter(line, now) {
                next = Some(next.map_or(due, |next| next.min(due)));
            } else if seat.greeting.is_unfinished() {
                let watched = self.epoll.modify(&seat.stream, &mut interest(seat, number));
                debug_assert!(watched.is_ok(), "the socket is registered");
            }
        }
        next
    }
}

/// The events of a client that epoll reports.
fn interest(seat: &Seat, number: usize) -> EpollEvent {
    let mut flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
    // Otherwise each read of the greeting would be reported.
    flags.set(EpollFlags::EPOLLOUT, seat.greeting.is_unfinished());
    EpollEvent::new(flags, number as u64)
}
