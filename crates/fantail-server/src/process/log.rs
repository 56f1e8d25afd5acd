//! The log of the server, line by line.
//!
//! Errors of clients go through [`Complaints`], which limits their rate, so that
//! a client cannot fill the disk.

pub(crate) mod queue;

use std::{
    fmt, io,
    sync::Arc,
    time::{Duration, Instant},
};

use self::queue::LineQueue;

/// The log of the server; clones share the target.
#[derive(Clone)]
pub struct Log {
    target: Target,
}

#[derive(Clone)]
enum Target {
    /// Called for each line.
    Direct(Arc<dyn Fn(&str) + Send + Sync>),
    /// Written by a thread.
    Queued(Arc<LineQueue>),
}

impl Log {
    /// Returns a log that calls `write` for each line, on the thread that logs: a
    /// worker waits for it.
    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let target = Target::Direct(Arc::new(write));
        Self { target }
    }

    /// Returns a log that calls `write` for each line on a thread of its own. At
    /// most 1,024 lines wait for it; more are dropped and counted, and `write`
    /// gets a line with their number.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn queued(write: impl FnMut(&str) + Send + 'static) -> io::Result<Self> {
        let target = Target::Queued(Arc::new(LineQueue::start(write)?));
        Ok(Self { target })
    }

    /// Logs a line.
    pub fn line(&self, line: &str) {
        match &self.target {
            Target::Direct(write) => write(line),
            Target::Queued(queue) => queue.push(line),
        }
    }

    /// Waits until all lines logged before are written; returns whether they are.
    pub fn flush(&self, patience: Duration) -> bool {
        match &self.target {
            Target::Direct(_) => true,
            Target::Queued(queue) => queue.flush(patience),
        }
    }

    /// Returns the number of lines that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        match &self.target {
            Target::Direct(_) => 0,
            Target::Queued(queue) => queue.dropped(),
        }
    }

    /// Formats and logs a line.
    pub(crate) fn say(&self, what: fmt::Arguments<'_>) {
        self.line(&what.to_string());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// Lines per second and worker about errors of clients.
const COMPLAINTS_PER_SECOND: u32 = 10;

/// A rate-limited log of errors of clients.
#[derive(Debug)]
pub(crate) struct Complaints {
    log: Log,
    since: Option<Instant>,
    said: u32,
    unsaid: u64,
}

impl Complaints {
    pub(crate) const fn new(log: Log) -> Self {
        Self {
            log,
            since: None,
            said: 0,
            unsaid: 0,
        }
    }

    pub(crate) fn say(&mut self, what: fmt::Arguments<'_>) {
        let now = Instant::now();
        let fresh = self
            .since
            .is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1));
        if fresh {
            if self.unsaid > 0 {
                let unsaid = std::mem::take(&mut self.unsaid);
                self.log
                    .say(format_args!("{unsaid} more errors of clients"));
            }
            self.since = Some(now);
            self.said = 0;
        }
        if self.said < COMPLAINTS_PER_SECOND {
            self.said += 1;
            self.log.say(what);
        } else {
            self.unsaid += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn complaints_are_bounded() {
        let lines = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&lines);
        let log = Log::new(move |_| *counted.lock().unwrap() += 1);
        let mut complaints = Complaints::new(log);
        for number in 0..1000 {
            complaints.say(format_args!("{number}"));
        }
        // A second may have ended meanwhile, but not several.
        assert!((10..=30).contains(&*lines.lock().unwrap()));
    }
}
