//! The seats of clients of stats-reader and of HTTP: a bounded number, and none for
//! ever.
//!
//! A client that asks nothing keeps its seat only until another client needs it:
//! then the client that has been idle for the longest time is closed.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

/// All seats.
#[derive(Debug, Clone)]
pub(crate) struct Seats {
    limit: usize,
    taken: Arc<Mutex<Vec<Arc<Taken>>>>,
    /// The number of times that a client has become idle.
    waits: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Taken {
    /// The number of the client's wait, later ones being larger; 0 while it is not
    /// idle.
    idle_since: AtomicU64,
    leave: Notify,
}

/// A client's seat; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    taken: Arc<Taken>,
    seats: Seats,
}

impl Seats {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Arc::default(),
            waits: Arc::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Arc<Taken>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat, if need be that of the longest idle client; `None` if no
    /// client is idle.
    pub(crate) fn take(&self) -> Option<Seat> {
        let mut all = self.taken();
        if all.len() >= self.limit {
            let idle = |(at, one): (usize, &Arc<Taken>)| {
                let since = one.idle_since.load(Ordering::Relaxed);
                (since > 0).then_some((since, at))
            };
            let (_, oldest) = all.iter().enumerate().filter_map(idle).min()?;
            all.swap_remove(oldest).leave.notify_one();
        }
        // Idle until it has asked: many may connect before the first is served.
        let taken = Arc::new(Taken {
            idle_since: self.next_wait().into(),
            leave: Notify::new(),
        });
        all.push(Arc::clone(&taken));
        let seats = self.clone();
        Some(Seat { taken, seats })
    }

    fn next_wait(&self) -> u64 {
        1 + self.waits.fetch_add(1, Ordering::Relaxed)
    }
}

impl Seat {
    /// Waits for the end of `work` as an idle client; `None` if the seat has gone
    /// to another client.
    pub(crate) async fn while_idle<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let since = self.seats.next_wait();
        self.taken.idle_since.store(since, Ordering::Relaxed);
        let done = tokio::select! {
            biased;
            () = self.taken.leave.notified() => None,
            done = work => Some(done),
        };
        self.taken.idle_since.store(0, Ordering::Relaxed);
        done
    }

    /// Waits until the seat has gone to another client, which happens only while this
    /// one is idle.
    pub(crate) async fn lost(&self) {
        self.taken.leave.notified().await;
    }

    /// Keeps the seat until the result is dropped.
    pub(crate) fn keep(self: &Arc<Self>) -> Kept {
        self.taken.idle_since.store(0, Ordering::Relaxed);
        Kept(Arc::clone(self))
    }
}

/// A seat whose client is not idle.
#[derive(Debug)]
pub(crate) struct Kept(Arc<Seat>);

impl Drop for Kept {
    fn drop(&mut self) {
        let Seat { taken, seats } = &*self.0;
        taken.idle_since.store(seats.next_wait(), Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.seats.taken();
        all.retain(|one| !Arc::ptr_eq(one, &self.taken));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::runtime::Builder;

    use super::Seats;

    #[test]
    fn the_seat_of_the_longest_idle_client_is_given_away() {
        let seats = Seats::new(2);
        let (one, other) = (seats.take().unwrap(), seats.take().unwrap());
        // Neither has been served yet.
        let third = seats.take().unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        let served = |seat: &super::Seat| runtime.block_on(seat.while_idle(async {}));
        assert_eq!(served(&one), None);
        assert_eq!((served(&other), served(&third)), (Some(()), Some(())));
        assert!(seats.take().is_none(), "both are at work");
        drop(other);
        assert!(seats.take().is_some());
    }

    #[test]
    fn a_seat_that_is_kept_is_not_given_away() {
        let seats = Seats::new(2);
        let (one, other) = (seats.take().unwrap(), seats.take().unwrap());
        let (one, other) = (Arc::new(one), Arc::new(other));
        let kept = (one.keep(), other.keep());
        assert!(seats.take().is_none());
        // The second one is idle earlier.
        drop(kept.1);
        drop(kept.0);
        let _third = seats.take().unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(other.lost());
    }
}
