//! What the server has to say, line by line.
//!
//! A client that sends nonsense must not fill the disk: what clients cause
//! goes through [`Complaints`], which says only so much in a second and counts
//! the rest.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// Takes the server's log, a line at a time; clones share the target.
#[derive(Clone)]
pub struct Log {
    say: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// A log that calls `say` for each line, from any thread.
    pub fn new(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { say: Arc::new(say) }
    }

    /// Says something.
    pub(crate) fn say(&self, what: fmt::Arguments<'_>) {
        (self.say)(&what.to_string());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// Lines in a second that clients may cause on one worker.
const LINES: u32 = 10;

/// A log of what clients did wrong, of bounded rate.
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
        if self.said < LINES {
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
