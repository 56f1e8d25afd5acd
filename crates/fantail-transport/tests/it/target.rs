//! A target that follows the plan of a test.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use fantail_transport::{
    Batch, BatchLimits, Delivery, Payloads, Retry, Transport, TransportError, TransportErrorKind,
};

/// The reaction of a target to one attempt. It accepts all later ones.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Accepts this many payloads.
    Take(usize),
    /// Accepts this many payloads, then fails.
    TakeAndFail(usize, Retry),
    /// Refuses this many payloads for good.
    Refuse(usize),
    /// Waits for [`Target::open`].
    Stick,
}

/// A handle to a target; clones are of the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct State {
    plan: VecDeque<Step>,
    down: bool,
    open: bool,
    blocks_opening: bool,
    received: Vec<String>,
    attempts: Vec<Instant>,
    reopened: usize,
    confirms: bool,
    most: Option<usize>,
}

impl Target {
    pub(crate) fn that(plan: &[Step]) -> Self {
        let target = Self::default();
        target.0.state.lock().unwrap().plan.extend(plan);
        target
    }

    /// A target that confirms payloads.
    pub(crate) fn confirming() -> Self {
        let target = Self::default();
        target.0.state.lock().unwrap().confirms = true;
        target
    }

    /// A target that accepts one payload per attempt.
    pub(crate) fn one_by_one(self) -> Self {
        self.0.state.lock().unwrap().most = Some(1);
        self
    }

    pub(crate) fn transport(&self) -> Box<dyn Transport> {
        Box::new(self.clone())
    }

    /// Sets whether all attempts fail.
    pub(crate) fn set_down(&self, down: bool) {
        self.0.state.lock().unwrap().down = down;
    }

    /// Makes the opening of the target wait for [`open`](Self::open).
    pub(crate) fn block_opening(&self) {
        self.0.state.lock().unwrap().blocks_opening = true;
    }

    pub(crate) fn open(&self) {
        self.0.state.lock().unwrap().open = true;
        self.0.opened.notify_all();
    }

    pub(crate) fn received(&self) -> Vec<String> {
        self.0.state.lock().unwrap().received.clone()
    }

    pub(crate) fn attempts(&self) -> Vec<Instant> {
        self.0.state.lock().unwrap().attempts.clone()
    }

    /// Returns the number of handles.
    pub(crate) fn users(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn reopened(&self) -> usize {
        self.0.state.lock().unwrap().reopened
    }
}

impl Transport for Target {
    fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
        unreachable!("it delivers")
    }

    fn confirms(&self) -> bool {
        self.0.state.lock().unwrap().confirms
    }

    fn batch_limits(&self) -> BatchLimits {
        let default = BatchLimits::default();
        let most = self.0.state.lock().unwrap().most;
        BatchLimits {
            payloads: most.unwrap_or(default.payloads),
            ..default
        }
    }

    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        assert!(!payloads.is_empty() && payloads.len() <= self.batch_limits().payloads);
        let mut state = self.0.state.lock().unwrap();
        state.attempts.push(Instant::now());
        let mut delivery = Delivery::new();
        let step = state.plan.pop_front();
        let taken = match step {
            _ if state.down => {
                delivery.stopped(error(Retry::Backoff));
                0
            }
            None => payloads.len(),
            Some(Step::Stick) => {
                while !state.open {
                    state = self.0.opened.wait(state).unwrap();
                }
                payloads.len()
            }
            Some(Step::Take(count) | Step::TakeAndFail(count, _)) => count,
            Some(Step::Refuse(count)) => {
                delivery.refused(count, error(Retry::Never));
                return delivery;
            }
        };
        for payload in payloads.iter().take(taken) {
            let text = String::from_utf8(payload.to_vec()).unwrap();
            state.received.push(text);
            delivery.arrived(1);
        }
        if let Some(Step::TakeAndFail(_, retry)) = step {
            delivery.stopped(error(retry));
        }
        delivery
    }

    fn open_target(&mut self) -> Result<(), TransportError> {
        let mut state = self.0.state.lock().unwrap();
        while state.blocks_opening && !state.open {
            state = self.0.opened.wait(state).unwrap();
        }
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), TransportError> {
        self.0.state.lock().unwrap().reopened += 1;
        Ok(())
    }
}

fn error(retry: Retry) -> TransportError {
    let source = io::Error::other("as planned");
    TransportError::new(TransportErrorKind::Refused, source).with_retry(retry)
}

/// A batch of words.
pub(crate) fn batch(words: &str) -> Batch {
    let mut batch = Batch::new();
    for word in words.split_whitespace() {
        batch.push(word.as_bytes());
    }
    batch
}

/// Waits up to 20 seconds for a condition.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
