//! The main loop of a server: orders, signals and periodic checks.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    Options, ServerError, ServerErrorKind,
    control::Control,
    handle::Order,
    process::sd_notify::Manager,
    process::signals::{Caught, Signals},
    socket::listeners::Listeners,
    worker::shard::Category,
    worker::{Message, Worker},
};

/// How often workers are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How often sockets are checked: one that Dovecot removed is missing for at most
/// this time.
const BIND_INTERVAL: Duration = Duration::from_millis(100);

/// A running server.
pub(super) struct Run {
    pub(super) options: Options,
    pub(super) control: Control,
    pub(super) listeners: Listeners,
    /// Workers that were asked to answer, and have not.
    pub(super) pings: Vec<oneshot::Receiver<()>>,
    pub(super) manager: Manager,
    pub(super) stop: watch::Sender<bool>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) categories: mpsc::UnboundedReceiver<(usize, Vec<Category>)>,
}

impl Run {
    /// Runs until the order or the signal to stop.
    pub(super) async fn serve(&mut self) -> Result<(), ServerError> {
        let mut signals = Signals::new(self.options.signals)?;
        let mut check = every(CHECK_INTERVAL);
        let mut bind = every(BIND_INTERVAL);
        let mut save = every(self.options.state_interval.max(CHECK_INTERVAL));
        self.manager.ready();
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => if !self.obey(order).await { return Ok(()) },
                    None => return Ok(()),
                },
                Some((from, new)) = self.categories.recv() => self.spread(from, new),
                caught = signals.next() => match caught {
                    Caught::Stop => return Ok(()),
                    Caught::Reload => {
                        self.manager.reloading();
                        // The outcome is logged there.
                        let _ = self.control.reload().await;
                        self.manager.ready();
                    }
                },
                _ = save.tick() => if let Some(path) = &self.options.state {
                    tokio::spawn(self.control.save(path));
                },
                _ = bind.tick() => self.listeners.mend(),
                _ = check.tick() => {
                    if !self.control.all_run() {
                        return Err(ServerErrorKind::WorkerEnded.into());
                    }
                    self.watch_workers();
                }
            }
        }
    }

    /// Tells the service manager that the server is well, if all workers have
    /// answered.
    fn watch_workers(&mut self) {
        let answered = |ping: &mut oneshot::Receiver<()>| ping.try_recv().is_ok();
        self.pings.retain_mut(|ping| !answered(ping));
        if self.pings.is_empty() {
            self.manager.alive(self.control.connections());
            self.pings = self.control.ping();
        }
    }

    async fn obey(&mut self, order: Order) -> bool {
        let reload = matches!(order, Order::Reload(_));
        if reload {
            self.manager.reloading();
        }
        let go_on = self.control.take(order).await;
        if reload {
            self.manager.ready();
        }
        go_on
    }

    /// Passes the categories of one worker on to the others.
    fn spread(&self, from: usize, new: Vec<Category>) {
        let new = Arc::new(new);
        for (at, worker) in self.control.workers.iter().enumerate() {
            if at != from {
                let _ = worker.inbox.send(Message::Categories(Arc::clone(&new)));
            }
        }
    }

    /// Reads what clients have sent, saves the state, and closes the exporters.
    pub(super) async fn end(self) {
        let Self {
            options,
            control,
            listeners,
            manager,
            stop,
            ..
        } = self;
        manager.stopping();
        stop.send_replace(true);
        listeners.end().await;
        control.drain(options.patience).await;
        if let Some(path) = &options.state {
            control.save(path).await;
        }
        let live = Arc::clone(&control.live.borrow());
        let workers = control.workers;
        let log = options.log.clone();
        let closed = tokio::task::spawn_blocking(move || {
            workers.into_iter().for_each(Worker::join);
            live.exporters.close(options.patience)
        });
        if !closed.await.unwrap_or(false) {
            log.say(format_args!("not all exporters could send what they had"));
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
