//! Changes of the configuration: prepared one after another on a thread of their
//! own, so that the control task never waits for a file.
//!
//! A reload that waits for a file that does not answer is given up after a while;
//! until its thread ends, further reloads are refused.

mod queue;

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use fantail_config::MetricRequest;
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::timeout_at,
};

pub use self::queue::{ChangeQueue, Start};

use super::Control;
use crate::{
    ControlError, ControlErrorKind,
    handle::{Live, Reply},
    process::thread,
};

/// A change of the configuration, and where its answer goes.
#[derive(Debug)]
pub(crate) enum Change {
    Add(Box<MetricRequest>, Reply<()>),
    Remove(Vec<u8>, Reply<()>),
    /// By request, or by a signal.
    Reload(Option<Reply<()>>),
}

/// The result of preparing a change.
pub(super) type Prepared = Result<Live, ControlError>;

/// Prepares a change on a thread of its own.
type Preparation = Box<dyn FnOnce() -> Prepared + Send>;

/// The waiting changes, and the change in preparation.
#[derive(Debug)]
pub(crate) struct Changes {
    queue: ChangeQueue<Change>,
    current: Option<Current>,
    /// Reloads that were given up, and still wait for a file.
    stuck: Vec<oneshot::Receiver<Prepared>>,
}

#[derive(Debug)]
struct Current {
    kind: Kind,
    prepared: oneshot::Receiver<Prepared>,
}

#[derive(Debug)]
enum Kind {
    Metric(Reply<()>),
    Reload(Option<Reply<()>>),
}

impl Changes {
    pub(crate) const fn new(patience: Duration) -> Self {
        Self {
            queue: ChangeQueue::new(patience),
            current: None,
            stuck: Vec::new(),
        }
    }

    /// Waits until the current change is prepared, or is given up.
    async fn current(&mut self) -> Prepared {
        let current = self.current.as_mut().zip(self.queue.deadline());
        let Some((current, deadline)) = current else {
            return pending().await;
        };
        match timeout_at(deadline.into(), &mut current.prepared).await {
            Ok(Ok(prepared)) => prepared,
            // The thread has panicked.
            Ok(Err(_)) => Err(ControlErrorKind::Configuration.into()),
            Err(_) => Err(ControlErrorKind::Stuck.into()),
        }
    }

    /// Ends the current change, which `is_stuck` if its thread still runs. Returns
    /// where its answer goes.
    fn end_current(&mut self, is_stuck: bool) -> Option<Kind> {
        let Current { kind, prepared } = self.current.take()?;
        if !is_stuck {
            self.queue.prepared();
        } else if self.queue.give_up() {
            self.stuck.push(prepared);
        }
        Some(kind)
    }

    /// Notices which abandoned reloads have ended.
    fn check_stuck(&mut self) {
        let queue = &mut self.queue;
        self.stuck.retain_mut(|prepared| {
            let is_running = matches!(prepared.try_recv(), Err(TryRecvError::Empty));
            if !is_running {
                queue.stuck_ended();
            }
            is_running
        });
    }
}

impl Control {
    /// Carries out a change once the earlier ones are done.
    pub(crate) fn change(&mut self, change: Change) {
        let is_reload = matches!(change, Change::Reload(_));
        self.changes.queue.push(change, is_reload);
        self.start_change();
    }

    /// Returns whether a reload waits or is prepared.
    pub(crate) fn is_reloading(&self) -> bool {
        self.changes.queue.is_reloading()
    }

    /// Waits for the change that is prepared, and puts it into force.
    pub(crate) async fn next_change(&mut self) {
        let prepared = self.changes.current().await;
        let is_stuck = |error: &ControlError| error.kind() == ControlErrorKind::Stuck;
        let is_stuck = prepared.as_ref().is_err_and(is_stuck);
        let Some(kind) = self.changes.end_current(is_stuck) else {
            return;
        };
        match kind {
            Kind::Metric(reply) => {
                let _ = reply.send(prepared.map(|live| self.enforce(live)));
            }
            Kind::Reload(reply) => {
                let reloaded = self.finish_reload(prepared);
                if let Some(reply) = reply {
                    let _ = reply.send(reloaded);
                }
            }
        }
        self.start_change();
    }

    /// Has the next change prepared, unless another one is.
    fn start_change(&mut self) {
        self.changes.check_stuck();
        while let Some(start) = self.changes.queue.start(Instant::now()) {
            let (change, started) = match start {
                Start::Refuse(change) => (change, false),
                Start::Prepare(change) => (change, true),
            };
            let (kind, prepare) = self.preparation(change);
            let prepared = match started {
                false => Err(ControlErrorKind::Stuck.into()),
                true => thread::start("change", prepare).map_err(|error| {
                    self.changes.queue.prepared();
                    ControlError::new(ControlErrorKind::Configuration, error)
                }),
            };
            match prepared {
                Ok(prepared) => self.changes.current = Some(Current { kind, prepared }),
                Err(error) => self.refuse(kind, error),
            }
        }
    }

    /// Returns where the answer to a change goes, and what prepares the change.
    fn preparation(&self, change: Change) -> (Kind, Preparation) {
        let old = Arc::clone(&self.live.borrow());
        match change {
            Change::Add(request, reply) => {
                (Kind::Metric(reply), Box::new(move || old.add(&request)))
            }
            Change::Remove(name, reply) => {
                (Kind::Metric(reply), Box::new(move || old.remove(&name)))
            }
            Change::Reload(reply) => {
                let (source, log) = (self.source.clone(), self.log.clone());
                let reload = move || super::reload::prepare(&source, &old, &log);
                (Kind::Reload(reply), Box::new(reload))
            }
        }
    }

    fn refuse(&self, kind: Kind, error: ControlError) {
        match kind {
            Kind::Metric(reply) => {
                let _ = reply.send(Err(error));
            }
            Kind::Reload(reply) => {
                let refused = self.finish_reload(Err(error));
                if let Some(reply) = reply {
                    let _ = reply.send(refused);
                }
            }
        }
    }
}
