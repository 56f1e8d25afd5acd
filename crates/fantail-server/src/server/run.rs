//! The main loop of a server: orders, signals and periodic checks.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Notify, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout_at},
};

use crate::{
    Log, ServerError, ServerErrorKind, ServerOptions, StateFile,
    control::{Change, Control},
    handle::Order,
    process::record::Recordings,
    process::sd_notify::Manager,
    process::signals::{Caught, Signals},
    process::thread,
    push::pusher::Pushing,
    socket::addresses,
    socket::listeners::Listeners,
    socket::rival_watch::Rivals,
    worker::Category,
    worker::{Message, Worker},
};

/// The shortest time between two saves of the state.
const MIN_SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How long the last save may take after the patience for clients and exporters:
/// lost counts cost more than a late end.
const SAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running server.
pub(super) struct Run {
    /// The publication of counts.
    #[cfg(feature = "nats")]
    pub(super) publishing: Option<crate::nats::publish::Publishing>,
    /// The pushes of metrics.
    pub(super) pushing: Option<Pushing>,
    pub(super) options: ServerOptions,
    pub(super) control: Control,
    /// Notified when a worker has ended.
    pub(super) worker_ended: Arc<Notify>,
    pub(super) listeners: Listeners,
    /// What Dovecot would bind, too.
    pub(super) rivals: watch::Receiver<Rivals>,
    /// Where HTTP is answered, by the configuration of the start.
    pub(super) http: Vec<SocketAddr>,
    pub(super) signals: Signals,
    /// Workers that were asked to answer, and have not.
    pub(super) pings: Vec<oneshot::Receiver<()>>,
    pub(super) manager: Manager,
    /// Whether the service manager was told of a reload that goes on.
    pub(super) is_reloading: bool,
    pub(super) stop: watch::Sender<bool>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) categories: mpsc::UnboundedReceiver<(usize, Vec<Category>)>,
    pub(super) recordings: Recordings,
    /// Held while the state is saved.
    pub(super) saving: Arc<Mutex<()>>,
}

impl Run {
    /// Runs until the order or the signal to stop.
    pub(super) async fn serve(&mut self) -> Result<(), ServerError> {
        let mut check = self.manager.interval().map(every);
        let mut save = self.options.state.as_ref().map(|_| {
            let interval = self.options.state_interval;
            every(interval.max(MIN_SAVE_INTERVAL))
        });
        self.manager.ready();
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => if !self.obey(order) { return Ok(()) },
                    None => return Ok(()),
                },
                Some((from, new)) = self.categories.recv() => self.spread(from, new),
                caught = self.signals.next() => match caught {
                    Caught::Stop => return Ok(()),
                    Caught::Reload => {
                        self.manager.reloading();
                        self.control.change(Change::Reload(None));
                        self.tell_reloaded();
                    }
                },
                () = self.control.next_change() => self.tell_reloaded(),
                () = tick(&mut save) => self.save(),
                Ok(()) = self.rivals.changed() => self.make_way(),
                () = self.listeners.changed() => self.listeners.mend(),
                () = tick(&mut check) => self.watch_workers(),
                () = self.worker_ended.notified() => {
                    return Err(ServerErrorKind::WorkerEnded.into());
                }
            }
        }
    }

    /// Saves the state, unless the last save goes on.
    fn save(&self) {
        let Some(path) = &self.options.state else {
            return;
        };
        if self.saving.try_lock().is_ok() {
            let file = StateFile::new(path);
            let save = self.control.save(file, Arc::clone(&self.saving));
            self.control.turns.spawn(save);
        } else {
            self.options.log.say(format_args!(
                "the last save of {} has not ended, and the next one is left out",
                path.display()
            ));
        }
    }

    /// Leaves the sockets to Dovecot that it would bind, and takes others back.
    fn make_way(&mut self) {
        let rivals = self.rivals.borrow_and_update().clone();
        let log = &self.options.log;
        match &rivals {
            Some(rivals) => log.say(format_args!("{}", rivals.while_running())),
            None => log.say(format_args!(
                "Dovecot's configuration leaves all sockets alone: they are served again"
            )),
        }
        self.listeners
            .leave(&rivals.map_or_else(Vec::new, |rivals| rivals.paths()));
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

    fn obey(&mut self, order: Order) -> bool {
        if matches!(order, Order::Reload(_)) {
            self.manager.reloading();
        }
        let go_on = self.control.take(order);
        self.tell_reloaded();
        go_on
    }

    /// Tells the service manager of the end of a reload.
    fn tell_reloaded(&mut self) {
        let is_reloading = self.control.is_reloading();
        if std::mem::replace(&mut self.is_reloading, is_reloading) && !is_reloading {
            self.manager.ready();
            self.tell_http();
        }
    }

    /// Logs that `inet_listener http` has changed: the listener is opened only at the
    /// start, when the server may still bind any port.
    fn tell_http(&self) {
        if self.options.http.is_some() {
            return;
        }
        let found = addresses::http(&self.control.live.borrow().settings);
        let log = &self.options.log;
        match found {
            Ok(wanted) if wanted == self.http => {}
            Ok(_) => {
                let now: Vec<String> = self.http.iter().map(SocketAddr::to_string).collect();
                let now = match now.is_empty() {
                    true => "no scrape is answered".to_owned(),
                    false => format!("scrapes are answered on {}", now.join(", ")),
                };
                log.say(format_args!(
                    "`inet_listener http` has changed, which takes effect at a restart: systemctl \
                     restart fantail; until then {now}"
                ));
            }
            Err(error) => log.say(format_args!(
                "`inet_listener http` is wrong, and the next start fails: {error}"
            )),
        }
    }

    /// Passes the categories of one worker on to the others.
    fn spread(&self, from: usize, new: Vec<Category>) {
        let new = Arc::new(new);
        for (at, worker) in self.control.workers.iter().enumerate() {
            if at != from {
                worker.inbox.send(Message::Categories(Arc::clone(&new)));
            }
        }
    }

    /// Reads what clients have sent, saves the state, and closes the exporters,
    /// within the patience of the options in total. Only the save may take longer.
    pub(super) async fn end(self) {
        let Self {
            options,
            control,
            listeners,
            manager,
            stop,
            saving,
            recordings,
            pushing,
            #[cfg(feature = "nats")]
            publishing,
            ..
        } = self;
        let log = options.log.clone();
        let deadline = Instant::now() + options.patience;
        log.say(format_args!(
            "stopping, within {} s: reading what {} clients have sent",
            options.patience.as_secs_f64(),
            control.connections(),
        ));
        manager.stopping();
        stop.send_replace(true);
        let _ = timeout_at(deadline, listeners.end()).await;
        // The exporters need time, too.
        control.drain(options.patience / 2).await;
        let saved = options.state.as_ref().map(|path| {
            let saved = control.save(StateFile::new(path), saving);
            (path.clone(), tokio::spawn(saved))
        });
        #[cfg(feature = "nats")]
        if let Some(publishing) = publishing {
            let (reply, counts) = oneshot::channel();
            control.counts(reply);
            publishing.end(counts, deadline.into_std()).await;
        }
        // It goes on beside the end of the exporters.
        let pushed = pushing.map(|pushing| end_pushes(pushing, &control, deadline));
        let live = Arc::clone(&control.live.borrow());
        let workers = control.workers;
        let joined = thread::run("end", move || workers.into_iter().for_each(Worker::join));
        if timeout_at(deadline, joined).await.is_err() {
            log.say(format_args!(
                "a worker did not end in time; its last events are lost"
            ));
        }
        // If one goes on.
        let _ = timeout_at(deadline, recordings.stop("the server ended")).await;
        let left = deadline.saturating_duration_since(Instant::now());
        let exporters = live.exporters.clone();
        let closed = thread::run("end", move || exporters.close(left)).await;
        if closed.is_err() {
            // No thread to wait on: this one does.
            let _ = live.exporters.close(left);
        }
        if let Some(pushed) = pushed {
            wait_for_pushes(pushed, deadline, &log).await;
        }
        if let Some((path, saved)) = saved {
            wait_for_state(&path, saved, deadline, &log).await;
        }
        log.say(format_args!("stopped"));
    }
}

/// Has the last counts pushed; the receiver is told when this is done.
fn end_pushes(pushing: Pushing, control: &Control, deadline: Instant) -> oneshot::Receiver<()> {
    let (reply, report) = oneshot::channel();
    control.report(false, reply);
    pushing.end(report, deadline.into_std())
}

async fn wait_for_pushes(pushed: oneshot::Receiver<()>, deadline: Instant, log: &Log) {
    if timeout_at(deadline, pushed).await.is_err() {
        log.say(format_args!("the last metrics were not pushed in time"));
    }
}

/// Waits until the state is saved, which may take longer than the rest of the end.
async fn wait_for_state(path: &Path, saved: JoinHandle<()>, deadline: Instant, log: &Log) {
    let until = deadline.max(Instant::now() + SAVE_TIMEOUT);
    if timeout_at(until, saved).await.is_err() {
        log.say(format_args!(
            "{} was not written in time; the counts since the last save are lost",
            path.display()
        ));
    }
}

/// Waits for the next time; for ever without an interval.
async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
