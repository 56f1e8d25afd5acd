//! A turn of a worker: the time in which it handles one client.
//!
//! A turn ends after some milliseconds, for any input, so that other
//! clients, reports and the end of the server do not wait.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use nix::time::{ClockId, clock_gettime};

/// How long a turn lasts; a line that has begun is handled to its end.
const MAX_TURN: Duration = Duration::from_millis(10);

/// How often the CPU time of the thread is read at most: that is a system call.
const CPU_INTERVAL: Duration = Duration::from_millis(1);

/// The turns of one worker.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Set when the server ends, and clients are read no further.
    stop: Arc<AtomicBool>,
    /// When the CPU time was read, and its value.
    cpu: Cell<(Instant, Duration)>,
    longest: Cell<LongestTurn>,
}

/// The longest turns so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LongestTurn {
    /// By the clock.
    pub(crate) wall: Duration,
    /// In CPU time of the thread, at most a millisecond too much.
    pub(crate) cpu: Duration,
}

impl LongestTurn {
    /// The longest turns of both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            wall: self.wall.max(other.wall),
            cpu: self.cpu.max(other.cpu),
        }
    }
}

/// A turn that has begun.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    begun: Instant,
}

impl Turns {
    pub(crate) fn new(stop: Arc<AtomicBool>) -> Self {
        Self {
            stop,
            cpu: Cell::new((Instant::now(), Duration::ZERO)),
            longest: Cell::default(),
        }
    }

    pub(crate) fn begin(&self) -> Turn<'_> {
        let begun = Instant::now();
        if begun.duration_since(self.cpu.get().0) >= CPU_INTERVAL {
            self.cpu.set((begun, thread_cpu_time()));
        }
        Turn { turns: self, begun }
    }

    pub(crate) fn longest(&self) -> LongestTurn {
        self.longest.get()
    }
}

impl Turn<'_> {
    /// Whether other clients have their turn now.
    pub(crate) fn is_over(&self) -> bool {
        self.is_stopped() || self.begun.elapsed() >= MAX_TURN
    }

    /// Whether clients are read no further.
    pub(crate) fn is_stopped(&self) -> bool {
        self.turns.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let wall = self.begun.elapsed();
        let mut longest = self.turns.longest.get();
        longest.wall = longest.wall.max(wall);
        // The CPU time of a turn is at most its duration: most need not be read.
        if wall > longest.cpu {
            let cpu = thread_cpu_time();
            let used = cpu.saturating_sub(self.turns.cpu.get().1);
            longest.cpu = longest.cpu.max(used.min(wall));
            self.turns.cpu.set((Instant::now(), cpu));
        }
        self.turns.longest.set(longest);
    }
}

/// The CPU time that this thread has used.
fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    debug_assert!(time.is_ok(), "Linux has this clock");
    time.map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread,
    };

    use super::{LongestTurn, MAX_TURN, Turns};

    #[test]
    fn a_turn_is_over_after_its_time_or_at_the_end() {
        let stop = Arc::new(AtomicBool::new(false));
        let turns = Turns::new(Arc::clone(&stop));
        let turn = turns.begin();
        thread::sleep(MAX_TURN);
        assert!(turn.is_over() && !turn.is_stopped());
        stop.store(true, Ordering::Relaxed);
        let turn = turns.begin();
        assert!(turn.is_over() && turn.is_stopped());
    }

    #[test]
    fn a_turn_that_sleeps_uses_no_cpu_time() {
        let turns = Turns::new(Arc::default());
        let turn = turns.begin();
        thread::sleep(MAX_TURN);
        drop(turn);
        let LongestTurn { wall, cpu } = turns.longest();
        assert!(wall >= MAX_TURN, "{wall:?}");
        assert!(cpu < wall, "{cpu:?}");
    }
}
