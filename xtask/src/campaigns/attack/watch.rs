//! Measures a server while it is under attack.

use std::{
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::clients::{ANSWER_TIMEOUT, Door};

/// The time in which a request that was closed unread is made again.
const MAX_RETRIES: Duration = Duration::from_secs(2);

/// The maximum duration of an attack.
const MAX_DURATION: Duration = Duration::from_secs(120);

/// The interval between two measurements.
pub(super) const WATCH_INTERVAL: Duration = Duration::from_millis(20);

/// Measurements of all servers of an attack.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) peak_bytes: u64,
    pub(super) longest_stall: Duration,
    /// The longest turn of a worker, of control or of HTTP, in CPU time.
    pub(super) longest_turn: Duration,
    /// Why the server was killed.
    pub(super) killed: Option<String>,
}

/// The threads that watch a server.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// The measurements of all watches of an attack; clones share them.
#[derive(Debug, Default, Clone)]
pub(super) struct Watched(Arc<Mutex<Seen>>);

impl Watched {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self) -> Seen {
        self.seen().clone()
    }

    /// Records the peak memory of a process; returns it in bytes.
    pub(super) fn add_peak(&self, pid: u32) -> u64 {
        let peak = peak_bytes(pid);
        let mut seen = self.seen();
        seen.peak_bytes = seen.peak_bytes.max(peak);
        peak
    }

    /// Records the longest turn that a server exports.
    pub(super) fn add_turn(&self, http: &Door) {
        // A server that has ended tells no turn.
        let Ok(answer) = http.get("/metrics", ANSWER_TIMEOUT) else {
            return;
        };
        let turns = answer.body.lines().filter_map(|line| {
            let rest = line.strip_prefix("fantail_longest_turn_seconds{")?;
            let (labels, seconds) = rest.split_once("} ")?;
            let seconds = seconds.parse().ok()?;
            let is_cpu = labels.contains("clock=\"cpu\"");
            is_cpu.then(|| Duration::from_secs_f64(seconds))
        });
        let longest = turns.max().unwrap_or_default();
        let mut seen = self.seen();
        seen.longest_turn = seen.longest_turn.max(longest);
    }

    /// Measures the memory and the response time of a server until it is stopped.
    pub(super) fn watch(&self, pid: u32, http: Door, begun: Instant, max_bytes: u64) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let (watched, stopped) = (self.clone(), Arc::clone(&stop));
        let memory = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                watched.check(pid, begun, max_bytes);
                thread::sleep(WATCH_INTERVAL);
            }
        });
        let (watched, stopped) = (self.clone(), Arc::clone(&stop));
        let answers = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now();
                // A full server closes the connection that has been idle for the longest
                // time, before it has read the request: a scraper asks again.
                let answered = loop {
                    let answered = http.get("/readyz", Duration::from_secs(30));
                    let is_over = stopped.load(Ordering::Relaxed);
                    if answered.is_ok() || is_over || asked.elapsed() > MAX_RETRIES {
                        break answered;
                    }
                };
                let took = asked.elapsed();
                let stall = match answered {
                    Ok(answer) if answer.status == 200 => took,
                    // `/readyz` waits two seconds for workers: a failure is a longer stall.
                    _ => took.max(Duration::from_secs(3)),
                };
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let mut seen = watched.seen();
                seen.longest_stall = seen.longest_stall.max(stall);
                drop(seen);
                thread::sleep(WATCH_INTERVAL);
            }
        });
        Watch {
            stop,
            threads: vec![memory, answers],
        }
    }

    /// Kills a server that exceeds its memory or the duration of an attack.
    fn check(&self, pid: u32, begun: Instant, max_bytes: u64) {
        let peak = self.add_peak(pid);
        let why = if peak > max_bytes {
            Some("killed: too much memory")
        } else if begun.elapsed() > MAX_DURATION {
            Some("killed: too much time")
        } else {
            None
        };
        let mut seen = self.seen();
        if let (Some(why), None) = (why, &seen.killed) {
            seen.killed = Some(why.to_owned());
            signal(pid, Signal::KILL);
        }
    }
}

impl Watch {
    /// Stops the threads. Their later measurements do not count.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

pub(super) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Fails if the process has already ended.
        let _ = kill_process(pid, signal);
    }
}

/// Returns the peak memory of a process in bytes.
fn peak_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
