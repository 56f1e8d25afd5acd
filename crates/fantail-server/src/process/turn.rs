//! Turns: the time in which a thread handles one client, or polls one task.
//!
//! A turn of a client ends after a few milliseconds for any input, so that other
//! clients, reports and the shutdown of the server are not delayed. The longest turns
//! of each thread are exported.
//!
//! Turns are measured with the kernel's coarse clock, which advances in steps of a few
//! milliseconds. Most turns handle one short line, and reading the exact clock would
//! take a tenth of that time.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use tokio::task::JoinHandle;

/// The time after which a turn ends at the end of the current line.
const MAX_TURN: Duration = Duration::from_millis(10);

/// The turns of one thread, which only that thread begins.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Set when the server ends: no more lines of clients are handled.
    stop: Arc<AtomicBool>,
    /// The time of the last read of the thread's CPU time, whose result is in `cpu`.
    cpu_read_at: Nanos,
    cpu: Nanos,
    longest_wall: Nanos,
    longest_cpu: Nanos,
}

/// A time in nanoseconds, set by one thread and read by others.
#[derive(Debug, Default)]
struct Nanos(AtomicU64);

impl Nanos {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

/// The longest turns so far, with the resolution of the coarse clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LongestTurn {
    /// The longest turn in elapsed time.
    pub(crate) wall: Duration,
    /// The longest turn in CPU time of the thread, too high by at most one clock step.
    pub(crate) cpu: Duration,
}

impl LongestTurn {
    /// Returns the longest turns of two threads.
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
    begun: Duration,
}

impl Turns {
    pub(crate) fn new(stop: Arc<AtomicBool>) -> Self {
        Self {
            stop,
            cpu_read_at: Nanos::default(),
            cpu: Nanos::default(),
            longest_wall: Nanos::default(),
            longest_cpu: Nanos::default(),
        }
    }

    pub(crate) fn begin(&self) -> Turn<'_> {
        let begun = now();
        // Reads the CPU time once per clock step, because it takes a system call.
        if begun > self.cpu_read_at.get() {
            self.read_cpu(begun);
        }
        Turn { turns: self, begun }
    }

    /// Measures each poll of a task as a turn.
    pub(crate) fn measure<F: Future>(self: &Arc<Self>, task: F) -> Measured<F> {
        Measured {
            task: Box::pin(task),
            turns: Arc::clone(self),
        }
    }

    /// Spawns a task whose polls are measured as turns.
    pub(crate) fn spawn<F>(self: &Arc<Self>, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        tokio::spawn(self.measure(task))
    }

    pub(crate) fn longest(&self) -> LongestTurn {
        LongestTurn {
            wall: self.longest_wall.get(),
            cpu: self.longest_cpu.get(),
        }
    }

    fn read_cpu(&self, now: Duration) -> Duration {
        let cpu = read(ClockId::CLOCK_THREAD_CPUTIME_ID);
        self.cpu.set(cpu);
        self.cpu_read_at.set(now);
        cpu
    }
}

impl Turn<'_> {
    /// Returns whether the turn has to end.
    pub(crate) fn is_over(&self) -> bool {
        self.is_stopped() || now().saturating_sub(self.begun) >= MAX_TURN
    }

    /// Returns whether the server is shutting down.
    pub(crate) fn is_stopped(&self) -> bool {
        self.turns.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let turns = self.turns;
        let now = now();
        let wall = now.saturating_sub(self.begun);
        if wall > turns.longest_wall.get() {
            turns.longest_wall.set(wall);
        }
        // The CPU time of a turn is at most its duration, so a short turn needs no
        // system call.
        if wall > turns.longest_cpu.get() {
            let before = turns.cpu.get();
            let used = turns.read_cpu(now).saturating_sub(before).min(wall);
            if used > turns.longest_cpu.get() {
                turns.longest_cpu.set(used);
            }
        }
    }
}

/// A task whose polls are measured as turns.
#[derive(Debug)]
pub(crate) struct Measured<F> {
    task: Pin<Box<F>>,
    turns: Arc<Turns>,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let _turn = this.turns.begin();
        this.task.as_mut().poll(context)
    }
}

fn now() -> Duration {
    read(ClockId::CLOCK_MONOTONIC_COARSE)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
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

    use super::{LongestTurn, MAX_TURN, Turns, now};

    /// Waits until the coarse clock has advanced by [`MAX_TURN`].
    fn sleep() {
        let begun = now();
        while now() - begun < MAX_TURN {
            thread::sleep(MAX_TURN);
        }
    }

    #[test]
    fn a_turn_is_over_after_its_time_or_at_the_end() {
        let stop = Arc::new(AtomicBool::new(false));
        let turns = Turns::new(Arc::clone(&stop));
        let turn = turns.begin();
        sleep();
        assert!(turn.is_over() && !turn.is_stopped());
        stop.store(true, Ordering::Relaxed);
        let turn = turns.begin();
        assert!(turn.is_over() && turn.is_stopped());
    }

    #[test]
    fn a_turn_that_sleeps_uses_no_cpu_time() {
        let turns = Turns::new(Arc::default());
        let turn = turns.begin();
        sleep();
        drop(turn);
        let LongestTurn { wall, cpu } = turns.longest();
        assert!(wall >= MAX_TURN, "{wall:?}");
        assert!(cpu < wall, "{cpu:?}");
    }

    #[tokio::test]
    async fn each_poll_of_a_task_is_a_turn() {
        let turns = Arc::new(Turns::new(Arc::default()));
        let twice = async {
            sleep();
            tokio::task::yield_now().await;
            sleep();
        };
        let begun = now();
        turns.measure(twice).await;
        let (both, longest) = (now() - begun, turns.longest().wall);
        assert!(
            longest >= MAX_TURN && longest < both,
            "{longest:?}, {both:?}"
        );
    }
}
