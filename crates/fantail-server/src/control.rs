//! The control task: it holds the configuration in force and the workers.
//!
//! It carries out one order after another. Changes of the configuration are
//! prepared on a thread of their own, one at a time: a change is compiled, and its
//! exporters are opened, before any worker gets it. A change that fails changes
//! nothing.

mod change;
mod crashes;
mod reload;
mod report;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};

use crate::{
    ControlError, ControlErrorKind, Log,
    handle::{Live, OpenTap, Order, Tally},
    process::turn::Turns,
    worker::greeting::{FilterLine, filter_line},
    worker::observers::Observers,
    worker::tap::{MAX_TAPS, Tap, TapRequest},
    worker::{Message, Worker},
};

pub(crate) use self::{
    change::{Change, Changes},
    reload::Source,
};

#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) source: Source,
    pub(crate) changes: Changes,
    pub(crate) workers: Vec<Worker>,
    /// Has the workers read clients no further.
    pub(crate) stop_reading: Arc<AtomicBool>,
    pub(crate) live: watch::Sender<Arc<Live>>,
    pub(crate) filters: watch::Sender<FilterLine>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) log: Log,
    /// The number of the next tap.
    pub(crate) next_tap: u64,
}

impl Control {
    /// Carries out one order; returns `false` for the order to stop.
    pub(crate) fn take(&mut self, order: Order) -> bool {
        // A client that is gone does not wait for the answer.
        match order {
            Order::Report(reset, reply) => self.report(reset, reply),
            Order::Add(metric, reply) => self.change(Change::Add(metric, reply)),
            Order::Remove(name, reply) => self.change(Change::Remove(name, reply)),
            Order::Reopen(reply) => {
                self.live.borrow().exporters.reopen();
                let _ = reply.send(());
            }
            Order::Reload(reply) => self.change(Change::Reload(Some(reply))),
            Order::Tap(wanted, reply) => {
                if let Err(Ok(open)) = reply.send(self.tap(&wanted)) {
                    self.untap(open.tap.number);
                }
            }
            Order::Untap(number) => self.untap(number),
            Order::AllAnswer(reply) => {
                let pings = self.ping();
                self.turns.spawn(async move {
                    for ping in pings {
                        if ping.await.is_err() {
                            return;
                        }
                    }
                    let _ = reply.send(());
                });
            }
            Order::Stop => return false,
        }
        true
    }

    /// Gives a configuration to all workers, then its filter to the clients.
    fn enforce(&self, mut live: Live) -> Vec<oneshot::Receiver<()>> {
        // Taps may have opened and ended while the change was prepared.
        live.observers = Arc::clone(&self.live.borrow().observers);
        let done = self.workers.iter().map(|worker| {
            let (done, in_force) = oneshot::channel();
            let plan = Arc::clone(&live.plan);
            let message = Message::Plan(plan, live.exporters.clone(), done);
            let _ = worker.inbox.send(message);
            in_force
        });
        let done = done.collect();
        self.announce(live);
        done
    }

    /// Gives the observers to the workers, and the filter to the clients.
    fn announce(&self, live: Live) {
        for worker in &self.workers {
            let _ = worker
                .inbox
                .send(Message::Observers(Arc::clone(&live.observers)));
        }
        let line = filter_line(&live.handshake());
        self.filters.send_if_modified(|there| {
            let changed = *there != line;
            *there = line;
            changed
        });
        self.live.send_replace(Arc::new(live));
    }

    fn tap(&mut self, wanted: &TapRequest) -> Result<OpenTap, ControlError> {
        let live = Live::clone(&self.live.borrow());
        if live.observers.taps.len() >= MAX_TAPS {
            return Err(ControlErrorKind::TooManyTaps.into());
        }
        let dialect = live.settings.dialect;
        let (tap, events) = Tap::open(self.next_tap, wanted, dialect)?;
        crashes::check_filter(&wanted.filter, dialect)?;
        self.next_tap += 1;
        let mut observers = Observers::clone(&live.observers);
        observers.taps.push(Arc::clone(&tap));
        self.announce(Live {
            observers: Arc::new(observers),
            ..live
        });
        Ok(OpenTap { tap, events })
    }

    fn untap(&self, number: u64) {
        let live = Live::clone(&self.live.borrow());
        let mut observers = Observers::clone(&live.observers);
        observers.taps.retain(|tap| tap.number != number);
        self.announce(Live {
            observers: Arc::new(observers),
            ..live
        });
    }

    /// Has all workers read what clients have sent, until nothing more comes or the
    /// time is over; they read no further then.
    pub(crate) async fn drain(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let drained: Vec<_> = self
            .workers
            .iter()
            .map(|worker| {
                let (done, drained) = oneshot::channel();
                let _ = worker.inbox.send(Message::Drain(until, done));
                drained
            })
            .collect();
        let _ = timeout_at(until, async {
            for worker in drained {
                let _ = worker.await;
            }
        })
        .await;
        self.stop_reading.store(true, Ordering::Relaxed);
    }

    /// Asks all workers to answer.
    pub(crate) fn ping(&self) -> Vec<oneshot::Receiver<()>> {
        let workers = self.workers.iter().map(|worker| {
            let (reply, ping) = oneshot::channel();
            let _ = worker.inbox.send(Message::Ping(reply));
            ping
        });
        workers.collect()
    }

    /// Whether all workers run.
    pub(crate) fn all_run(&self) -> bool {
        self.workers.iter().all(|worker| !worker.inbox.is_closed())
    }

    /// The connections of all workers.
    pub(crate) fn connections(&self) -> usize {
        let workers = self.workers.iter();
        workers
            .map(|worker| worker.connections.load(Ordering::Relaxed))
            .sum()
    }
}
