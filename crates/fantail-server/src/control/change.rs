//! Changes of the configuration: prepared one after another on a thread of their
//! own, so that the control task never waits for a file.
//!
//! A reload that waits for a file that does not answer is given up after a while;
//! until its thread ends, further reloads are refused.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use fantail_config::{MetricRequest, Settings};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::timeout_at,
};

use super::{Control, Source};
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

/// The waiting changes, and the change in preparation.
#[derive(Debug)]
pub(crate) struct Changes {
    waiting: VecDeque<Change>,
    current: Option<Current>,
    /// A reload that was given up, and still waits for a file.
    stuck: Option<oneshot::Receiver<Prepared>>,
    /// The maximum time of a reload.
    patience: Duration,
}

#[derive(Debug)]
struct Current {
    kind: Kind,
    prepared: oneshot::Receiver<Prepared>,
    deadline: Instant,
}

#[derive(Debug)]
enum Kind {
    Metric(Reply<()>),
    Reload(Option<Reply<()>>),
}

impl Changes {
    pub(crate) const fn new(patience: Duration) -> Self {
        Self {
            waiting: VecDeque::new(),
            current: None,
            stuck: None,
            patience,
        }
    }

    /// Waits until the current change is prepared, or is given up.
    async fn current(&mut self) -> Prepared {
        let Some(current) = &mut self.current else {
            return pending().await;
        };
        match timeout_at(current.deadline.into(), &mut current.prepared).await {
            Ok(Ok(prepared)) => prepared,
            // The thread has panicked.
            Ok(Err(_)) => Err(ControlErrorKind::Configuration.into()),
            Err(_) => Err(ControlErrorKind::Stuck.into()),
        }
    }

    /// Returns whether an abandoned reload still waits.
    fn is_stuck(&mut self) -> bool {
        let stuck = self.stuck.as_mut();
        stuck.is_some_and(|prepared| matches!(prepared.try_recv(), Err(TryRecvError::Empty)))
    }
}

impl Control {
    /// Carries out a change once the earlier ones are done.
    pub(crate) fn change(&mut self, change: Change) {
        self.changes.waiting.push_back(change);
        self.start_change();
    }

    /// Returns whether a reload waits or is prepared.
    pub(crate) fn is_reloading(&self) -> bool {
        let current = self.changes.current.iter();
        let waiting = self.changes.waiting.iter();
        current.map(|it| &it.kind).any(Kind::is_reload)
            || waiting
                .into_iter()
                .any(|it| matches!(it, Change::Reload(_)))
    }

    /// Waits for the change that is prepared, and puts it into force.
    pub(crate) async fn next_change(&mut self) {
        let prepared = self.changes.current().await;
        let Some(current) = self.changes.current.take() else {
            return;
        };
        let is_stuck = |error: &ControlError| error.kind() == ControlErrorKind::Stuck;
        if prepared.as_ref().is_err_and(is_stuck) {
            self.changes.stuck = Some(current.prepared);
        }
        match current.kind {
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
        while self.changes.current.is_none()
            && let Some(change) = self.changes.waiting.pop_front()
        {
            let old = Arc::clone(&self.live.borrow());
            let (kind, prepare): (_, Box<dyn FnOnce() -> Prepared + Send>) = match change {
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
            };
            let started = if kind.is_reload() && self.changes.is_stuck() {
                Err(ControlErrorKind::Stuck.into())
            } else {
                thread::start("change", prepare)
                    .map_err(|error| ControlError::new(ControlErrorKind::Configuration, error))
            };
            match started {
                Ok(prepared) => {
                    self.changes.current = Some(Current {
                        kind,
                        prepared,
                        deadline: Instant::now() + self.changes.patience,
                    });
                }
                Err(error) => self.refuse(kind, error),
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

impl Kind {
    const fn is_reload(&self) -> bool {
        matches!(self, Self::Reload(_))
    }
}

impl Source {
    /// Reads the configuration on a thread of its own, for this long at most.
    pub(crate) fn read_within(&self, patience: Duration) -> Result<Settings, ControlError> {
        let source = self.clone();
        let (done, result) = mpsc::channel();
        let started = thread::start("configuration", move || {
            // Dropped if nothing waits for it any more.
            let _ = done.send(source.read());
        });
        started.map_err(|error| ControlError::new(ControlErrorKind::Configuration, error))?;
        let read = result.recv_timeout(patience);
        read.unwrap_or_else(|_| Err(ControlErrorKind::Stuck.into()))
    }
}
