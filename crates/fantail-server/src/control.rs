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
mod source;
pub(crate) mod taps;

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
    Log,
    handle::{Live, Order, Tally},
    process::{record::Recorder, thread, turn::Turns},
    worker::greeting::{FilterLine, filter_line},
    worker::{Message, Worker},
};

pub use self::change::{ChangeQueue, Start};
pub use self::source::Configuration;
pub(crate) use self::{
    change::{Change, Changes},
    source::Source,
};

/// How long exporters of the previous configuration may send what they have.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) source: Source,
    pub(crate) changes: Changes,
    pub(crate) workers: Vec<Worker>,
    /// The number of workers that have clients: the first ones. One more has counts that
    /// are not published, such as those of a state file, if those of the others are.
    pub(crate) with_clients: usize,
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
            #[cfg(feature = "nats")]
            Order::Counts(reply) => self.counts(reply),
            #[cfg(feature = "nats")]
            Order::SetAside(reply) => self.set_aside(reply),
            Order::Add(metric, reply) => self.change(Change::Add(metric, reply)),
            Order::Remove(name, reply) => self.change(Change::Remove(name, reply)),
            Order::Reopen(reply) => {
                self.live.borrow().exporters.reopen();
                let _ = reply.send(());
            }
            Order::Reload(reply) => self.change(Change::Reload(Some(reply))),
            Order::Tap(wanted, reply) => {
                if let Err(Ok(open)) = reply.send(self.tap(&wanted)) {
                    self.untap(open.number);
                }
            }
            Order::Untap(number) => self.untap(number),
            Order::Census(census) => self.take_census(census),
            Order::Record(recorder) => self.record(&recorder),
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

    /// Gives a configuration to all workers, then its filter to the clients. When
    /// all workers have it, former exporters are closed, and the former
    /// configuration is freed, on a thread of their own.
    fn enforce(&self, mut live: Live) {
        // Taps may have opened and ended while the change was prepared.
        live.observers = Arc::clone(&self.live.borrow().observers);
        let in_force = self.workers.iter().map(|worker| {
            let (done, in_force) = oneshot::channel();
            let plan = Arc::clone(&live.plan);
            let message = Message::Plan(plan, live.exporters.clone(), done);
            worker.inbox.send(message);
            in_force
        });
        let in_force: Vec<_> = in_force.collect();
        let now = live.exporters.clone();
        let before = self.announce(live);
        let log = self.log.clone();
        self.turns.spawn(async move {
            let mut plans = Vec::with_capacity(in_force.len());
            for plan in in_force {
                plans.push(plan.await);
            }
            let close = move || {
                drop(plans);
                before.exporters.close_unless_in(&now, CLOSE_TIMEOUT)
            };
            if let Err(error) = thread::run("close", close).await {
                // Without a thread to wait on, they end on their own.
                log.say(format_args!("cannot wait for former exporters: {error}"));
            }
        });
    }

    /// Gives the filter to the clients; returns the former configuration.
    fn announce(&self, live: Live) -> Arc<Live> {
        let line = filter_line(&live.handshake());
        let is_new = *self.filters.borrow() != line;
        if is_new {
            for worker in &self.workers {
                worker.inbox.send(Message::Filter(Arc::clone(&line)));
            }
            self.filters.send_replace(line);
        }
        self.live.send_replace(Arc::new(live))
    }

    /// Has all workers record what clients send.
    pub(crate) fn record(&self, recorder: &Recorder) {
        for worker in &self.workers {
            worker.inbox.send(Message::Record(recorder.clone()));
        }
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
                worker.inbox.send(Message::Drain(until.into_std(), done));
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
            worker.inbox.send(Message::Ping(reply));
            ping
        });
        workers.collect()
    }

    /// The connections of all workers.
    pub(crate) fn connections(&self) -> usize {
        let workers = self.workers.iter();
        workers
            .map(|worker| worker.connections.load(Ordering::Relaxed))
            .sum()
    }
}
