//! Construction and start of a queue.

use std::{
    fmt,
    hash::BuildHasher,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Backoff, DeliveryLevel, SpoolSettings, Transport,
    spool::{self, SpoolReader, SpoolWriter},
};

use super::{
    Queue, QueueError, QueueSettings,
    sender::Sender,
    shared::{DISK_RETRY_DELAY, Shared},
    source::{Memory, Source, Spooled},
    spooler::Spooler,
    trouble::{Callback, Reporter, Trouble},
};

/// Interval at which a queue that waits for another one checks whether it was
/// closed.
const CLOSE_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// A queue that is not started yet; [`Queue::builder`] begins one.
pub struct QueueBuilder {
    name: String,
    transport: Box<dyn Transport>,
    settings: QueueSettings,
    dead_letters: Option<Box<dyn Transport>>,
    callback: Option<Callback>,
    before: Option<Arc<Shared>>,
}

impl QueueBuilder {
    pub(super) fn new(name: &str, transport: Box<dyn Transport>) -> Self {
        Self {
            name: name.to_owned(),
            transport,
            settings: QueueSettings::default(),
            dead_letters: None,
            callback: None,
            before: None,
        }
    }

    /// Sets the settings of the queue.
    #[must_use]
    pub fn settings(mut self, settings: QueueSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the transport for payloads that the target refuses for good.
    #[must_use]
    pub fn dead_letters(mut self, transport: Box<dyn Transport>) -> Self {
        self.dead_letters = Some(transport);
        self
    }

    /// Sets a callback for errors. It runs at most once per minute, on a thread
    /// of the queue, and blocks that thread.
    #[must_use]
    pub fn on_trouble(mut self, callback: impl Fn(Trouble<'_>) + Send + Sync + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Makes the queue take over the spool of another queue, which the caller
    /// [closes](Queue::close) later. Until that queue has ended, payloads wait in
    /// memory. None is lost, and the order is kept.
    #[must_use]
    pub fn after(mut self, before: &Queue) -> Self {
        self.before = Some(before.shared());
        self
    }

    /// Starts the queue: a thread for the target, and one for the disk if
    /// there is a spool.
    ///
    /// # Errors
    /// The system starts no thread, the spool cannot be opened, or the target
    /// does not confirm payloads, which [`DeliveryLevel::Acknowledged`] needs. A
    /// queue that takes over a spool ([`after`](Self::after)) reports errors of
    /// the spool to [`on_trouble`](Self::on_trouble) and tries again.
    pub fn start(mut self) -> Result<Queue, QueueError> {
        let acknowledged = matches!(self.settings.level, DeliveryLevel::Acknowledged(_));
        if acknowledged && !self.transport.confirms() {
            return Err(QueueError::unconfirmed());
        }
        let shared = Arc::new(Shared::new(
            &self.settings,
            &*self.transport,
            Reporter::new(&self.name, self.callback.take()),
        ));
        // An early return drops the queue, which ends its threads.
        let queue = Queue::new(Arc::clone(&shared));
        match (self.settings.level.spool().cloned(), self.before.take()) {
            (None, _) => {
                let source = Memory(Arc::clone(&shared));
                self.spawn_sender(&shared, source)?;
            }
            (Some(settings), None) => {
                let ends = spool::open(&settings)?;
                let name = self.disk_name();
                let spooler = self.start_spooled(&shared, ends)?;
                spawn(&name, &shared, move || spooler.run())?;
            }
            (Some(settings), Some(before)) => {
                let (name, with) = (self.disk_name(), Arc::clone(&shared));
                spawn(&name, &shared, move || {
                    self.follow(&before, &settings, &with);
                })?;
            }
        }
        Ok(queue)
    }

    /// Starts the thread for the target and returns the task of the disk thread.
    fn start_spooled(
        self,
        shared: &Arc<Shared>,
        (writer, reader): (SpoolWriter, SpoolReader),
    ) -> Result<Spooler, QueueError> {
        shared.found_spool(reader.gauge(), reader.recovered());
        let limits = self.transport.batch_limits();
        let source = Spooled::new(Arc::clone(shared), reader, limits);
        self.spawn_sender(shared, source)?;
        Ok(Spooler {
            shared: Arc::clone(shared),
            writer,
        })
    }

    /// Runs the disk thread after the previous queue has ended.
    fn follow(self, before: &Shared, settings: &SpoolSettings, shared: &Arc<Shared>) {
        while !before.wait_for_end(Instant::now() + CLOSE_CHECK_INTERVAL) {
            if !shared.pause_for_disk(Duration::ZERO) {
                return shared.lose_waiting();
            }
        }
        let ends = loop {
            match spool::open(settings) {
                Ok(ends) => break ends,
                Err(error) => shared.trouble(&error),
            }
            if !shared.pause_for_disk(DISK_RETRY_DELAY) {
                return shared.lose_waiting();
            }
        };
        match self.start_spooled(shared, ends) {
            Ok(spooler) => spooler.run(),
            // Without a sender, offered payloads are dropped and counted.
            Err(error) => {
                shared.trouble(&error);
                shared.close(Instant::now());
                shared.lose_waiting();
            }
        }
    }

    fn disk_name(&self) -> String {
        format!("{}-disk", self.name)
    }

    fn spawn_sender<S: Source + Send + 'static>(
        self,
        shared: &Arc<Shared>,
        source: S,
    ) -> Result<(), QueueError> {
        let seed = std::collections::hash_map::RandomState::new().hash_one(0);
        let sender = Sender {
            shared: Arc::clone(shared),
            source,
            transport: self.transport,
            dead_letters: self.dead_letters,
            backoff: Backoff::new(self.settings.retry, seed),
            max_age: self.settings.max_age,
        };
        spawn(&self.name, shared, move || sender.run())
    }
}

/// Starts a thread. It counts as running until everything it owns is dropped.
fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    run: impl FnOnce() + Send + 'static,
) -> Result<(), QueueError> {
    let running = shared.begin();
    let thread = thread::Builder::new().name(name.to_owned());
    let started = thread.spawn(move || {
        let _running = running;
        run();
    });
    started.map(drop).map_err(QueueError::thread)
}

impl fmt::Debug for QueueBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("QueueBuilder");
        debug.field("name", &self.name);
        debug
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
