//! The read delay: how long a worker lets lines collect in the sockets.
//!
//! Dovecot's processes write each line with a system call of its own. A worker
//! that is woken for each line spends more on waking than on the line, and takes
//! a processor from the process that wrote it, during a user's command. So a
//! worker that has emptied its sockets with few bytes reads again after a delay:
//! nothing waits for the effect of a line. (The thread that accepts clients
//! [greets](crate::worker::greeting) them, and a report reads the sockets first.)
//!
//! Each socket that has lines costs a visit: a report of epoll, a read, and cache
//! misses for the state of its client. The delay is longer with more such sockets, so
//! that visits take a small part of the time, and a visit finds several lines.
//!
//! The delay is short if one client sends much: its socket holds some hundred lines,
//! and a client with a full socket has to wait.

use std::time::Duration;

/// The longest delay while few clients send.
const MIN_LONGEST_MICROS: u32 = 2_000;

/// The longest delay while hundreds of clients send.
const MAX_LONGEST_MICROS: u32 = 50_000;

/// The longest delay for each client that sends. A visit takes about 1 µs, so visits
/// take up to a fiftieth of a processor until the delay is [`MAX_LONGEST_MICROS`].
const MICROS_PER_CLIENT: u32 = 50;

/// The shortest delay: shorter sleeps cost more than they save.
const MIN_DELAY_MICROS: u32 = 50;

/// Bytes of one client that may collect during a delay: two thirds of what its socket
/// holds when each line is a write of its own.
const TARGET_BYTES: usize = 40 * 1024;

/// With this much of one client, a worker is behind, and does not wait.
const BUSY_BYTES: usize = 64 * 1024;

/// What a worker has read since its last delay.
#[derive(Debug)]
pub(crate) struct ReadDelay {
    /// Clients that had sent something.
    clients: u32,
    /// Bytes of the client that had sent most.
    most: usize,
    /// The last delay, in microseconds.
    delay: u32,
}

impl Default for ReadDelay {
    fn default() -> Self {
        Self {
            clients: 0,
            most: 0,
            delay: MIN_LONGEST_MICROS,
        }
    }
}

impl ReadDelay {
    /// Counts the bytes of one client.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.clients = self.clients.saturating_add(1);
        self.most = self.most.max(bytes);
    }

    /// Returns the time in which the target collects at the rate of the last
    /// reads. `None` if nothing was read since the last call, so that an idle
    /// worker sleeps until it is woken, or if the worker is behind.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        let (clients, most) = (self.clients, self.most);
        if most == 0 {
            return None;
        }
        (self.clients, self.most) = (0, 0);
        let fitting = self.delay as usize * TARGET_BYTES / most;
        let longest = clients.saturating_mul(MICROS_PER_CLIENT);
        let longest = longest.clamp(MIN_LONGEST_MICROS, MAX_LONGEST_MICROS);
        // A single line may be the first of many: the delay grows slowly.
        let longest = longest.min(2 * self.delay);
        let next = u32::try_from(fitting).unwrap_or(longest);
        let next = next.clamp(MIN_DELAY_MICROS, longest);
        self.delay = next;
        (most < BUSY_BYTES).then(|| Duration::from_micros(next.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        BUSY_BYTES, MAX_LONGEST_MICROS, MIN_DELAY_MICROS, MIN_LONGEST_MICROS, ReadDelay,
        TARGET_BYTES,
    };

    /// Checks the delay, in microseconds, after these reads of different clients.
    #[track_caller]
    fn check(read_delay: &mut ReadDelay, reads: &[usize], expected: Option<u32>) {
        for bytes in reads {
            read_delay.read(*bytes);
        }
        let delay = read_delay.next().map(|delay| delay.as_micros());
        assert_eq!(delay, expected.map(Into::into), "{} reads", reads.len());
        assert_eq!(read_delay.next(), None, "nothing was read since");
    }

    #[test]
    fn a_worker_that_is_not_behind_waits() {
        let mut read_delay = ReadDelay::default();
        check(&mut read_delay, &[], None);
        check(&mut read_delay, &[1], Some(MIN_LONGEST_MICROS));
        check(
            &mut read_delay,
            &[TARGET_BYTES, TARGET_BYTES],
            Some(MIN_LONGEST_MICROS),
        );
        check(&mut read_delay, &[1, BUSY_BYTES], None);
    }

    #[test]
    fn the_delay_is_shorter_while_one_client_sends_much() {
        let mut read_delay = ReadDelay::default();
        check(&mut read_delay, &[60_000], Some(1_365));
        check(&mut read_delay, &[60_000, 100], Some(931));
        check(&mut read_delay, &[TARGET_BYTES], Some(931));
        check(&mut read_delay, &[BUSY_BYTES], None);
        check(&mut read_delay, &[TARGET_BYTES], Some(581));
        for _ in 0..30 {
            read_delay.read(BUSY_BYTES - 1);
            read_delay.next();
        }
        check(&mut read_delay, &[BUSY_BYTES - 1], Some(MIN_DELAY_MICROS));
        check(&mut read_delay, &[400], Some(2 * MIN_DELAY_MICROS));
        check(&mut read_delay, &[400], Some(4 * MIN_DELAY_MICROS));
    }

    #[test]
    fn the_delay_is_longer_while_many_clients_send() {
        let mut read_delay = ReadDelay::default();
        check(&mut read_delay, &[400; 500], Some(4_000));
        check(&mut read_delay, &[400; 500], Some(8_000));
        check(&mut read_delay, &[400; 500], Some(16_000));
        check(&mut read_delay, &[400; 500], Some(25_000));
        for _ in 0..3 {
            (0..5_000).for_each(|_| read_delay.read(400));
            read_delay.next();
        }
        check(&mut read_delay, &[400; 5_000], Some(MAX_LONGEST_MICROS));
        // A client that sends much makes it short for all, at once.
        let mut reads = [400; 5_000];
        reads[7] = BUSY_BYTES - 1;
        check(&mut read_delay, &reads, Some(31_250));
        check(&mut read_delay, &[400], Some(MIN_LONGEST_MICROS));
    }
}
