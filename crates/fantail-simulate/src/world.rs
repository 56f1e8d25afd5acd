//! The simulated machine: its disk, clocks, random numbers, and when it stops.
//!
//! Each thread has one machine, so that a seed always gives the same run.

use std::{
    cell::RefCell,
    io,
    sync::OnceLock,
    time::{Duration, Instant},
};

use crate::{call::Call, disk::Disk, fault::Fault};

/// Unix time in milliseconds at which each run begins.
const START_MILLIS: u64 = 1_700_000_000_000;

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new(0, None));
}

/// Calls a function with the machine of this thread.
pub fn with<R>(call: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(call)
}

/// How often calls of the disk fail, in one of this many calls; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Troubles {
    /// Reads fail with EIO.
    pub reads: u32,
    /// Writes and other changes fail with EIO.
    pub writes: u32,
    /// Syncs fail with EIO, and what was to be synced is lost.
    pub syncs: u32,
    /// Writes are cut short, or interrupted by a signal.
    pub short: u32,
}

/// A simulated machine.
#[derive(Debug)]
pub struct World {
    /// The source of all that happens by chance.
    pub random: fastrand::Rng,
    /// The disk.
    pub disk: Disk,
    /// How often calls fail.
    pub troubles: Troubles,
    /// The planted fault, if any.
    pub fault: Option<Fault>,
    /// Calls of the disk before the machine stops; `None` is never.
    pub calls_left: Option<u64>,
    /// Whether the machine has stopped: each call fails.
    pub is_stopped: bool,
    /// Time since the start of the run.
    elapsed: Duration,
    /// By how much the time of day was set, in milliseconds.
    set_by_millis: i64,
    /// By how much it had been set at the start of the process.
    process_set_by_millis: i64,
    trace: Option<Vec<String>>,
}

/// What happens to a call.
pub(crate) enum Luck {
    Good,
    /// The machine stops during the call.
    Stops,
    /// The call fails.
    Fails(io::Error),
    /// The call has a part of its effect.
    Short,
}

impl World {
    fn new(seed: u64, fault: Option<Fault>) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            disk: Disk::default(),
            troubles: Troubles::default(),
            fault,
            calls_left: None,
            is_stopped: false,
            elapsed: Duration::ZERO,
            set_by_millis: 0,
            process_set_by_millis: 0,
            trace: None,
        }
    }

    /// Replaces the machine of this thread by a new one.
    pub fn start(seed: u64, fault: Option<Fault>, traces: bool) {
        with(|world| {
            *world = Self::new(seed, fault);
            world.trace = traces.then(Vec::new);
        });
    }

    /// Notes a step of the run, if the run is traced.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        let at = self.elapsed.as_micros();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at:>10} {}", text()));
        }
    }

    /// Returns the trace of the run.
    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        self.elapsed += time;
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, by_millis: i64) {
        self.set_by_millis += by_millis;
        self.note(|| format!("the clock is set by {by_millis} ms"));
    }

    /// Returns the monotonic time.
    #[must_use]
    pub fn now(&self) -> Instant {
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + self.elapsed
    }

    /// Returns the Unix time in milliseconds.
    #[must_use]
    pub fn unix_millis(&self) -> u64 {
        (START_MILLIS + self.elapsed_millis()).saturating_add_signed(self.set_by_millis)
    }

    /// Returns the Unix time in milliseconds without changes of the clock since the
    /// start of the process.
    #[must_use]
    pub fn even_millis(&self) -> u64 {
        let even = START_MILLIS + self.elapsed_millis();
        even.saturating_add_signed(self.process_set_by_millis)
    }

    /// Fills the disk but for a few bytes, or makes room again.
    pub(crate) fn fill_or_empty_disk(&mut self) {
        self.disk.capacity = match self.random.bool() {
            true => u64::MAX,
            false => self.disk.used() + self.random.u64(..4_000),
        };
    }

    /// Returns the time since the start of the run.
    pub(crate) const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the time since the start of the run in milliseconds.
    #[must_use]
    pub fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns `true` once in `times`; never for 0.
    pub fn one_in(&mut self, times: u32) -> bool {
        times > 0 && self.random.u32(..times) == 0
    }

    /// Starts the machine again: by a new process after `kill -9`, or after a loss
    /// of power.
    pub fn restart(&mut self, loses_power: bool) {
        self.note(|| match loses_power {
            true => "-- power loss".to_owned(),
            false => "-- kill -9".to_owned(),
        });
        if loses_power {
            self.disk.lose_power(&mut self.random);
        }
        self.is_stopped = false;
        self.calls_left = None;
        self.process_set_by_millis = self.set_by_millis;
    }

    /// Draws what happens to a call, and lets time pass.
    pub(crate) fn luck(&mut self, call: Call) -> Luck {
        if self.is_stopped {
            return Luck::Fails(io::Error::other("the machine has stopped"));
        }
        let micros = self.random.u64(1..200);
        self.pass(Duration::from_micros(micros));
        if let Some(left) = &mut self.calls_left {
            if *left == 0 {
                self.is_stopped = true;
                self.note(|| "-- the machine stops".to_owned());
                return Luck::Stops;
            }
            *left -= 1;
        }
        let troubles = self.troubles;
        let rate = match call {
            Call::Read | Call::List => troubles.reads,
            Call::Sync | Call::SyncFolder => troubles.syncs,
            Call::Lock => 0,
            _ => troubles.writes,
        };
        if matches!(call, Call::Sync | Call::SyncFolder) && self.one_in(20) {
            let slow = self.random.u64(..3_000);
            self.pass(Duration::from_millis(slow));
        }
        if self.one_in(rate) {
            return Luck::Fails(io::Error::from_raw_os_error(EIO));
        }
        if matches!(call, Call::Write) && self.one_in(troubles.short) {
            return match self.random.bool() {
                true => Luck::Short,
                false => Luck::Fails(io::ErrorKind::Interrupted.into()),
            };
        }
        Luck::Good
    }
}

/// The number of "input/output error" on Linux.
const EIO: i32 = 5;
