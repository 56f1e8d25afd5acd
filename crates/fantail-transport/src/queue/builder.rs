//! Construction and start of a queue.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    thread,
};

use crate::{Backoff, DeliveryLevel, RetrySettings, Transport};

use super::{
    Queue, QueueError, QueueMemory, QueueSettings,
    sender::Sender,
    shared::Shared,
    source::{Memory, Source, Spooled},
    spooler::DiskThread,
    trouble::{Callback, Reporter, Trouble},
};

/// A queue that is not started yet; [`Queue::builder`] begins one.
pub struct QueueBuilder {
    name: String,
    transport: Box<dyn Transport>,
    settings: QueueSettings,
    dead_letters: Option<Box<dyn Transport>>,
    callback: Option<Callback>,
    before: Option<Arc<Shared>>,
    memory: Option<Arc<dyn QueueMemory>>,
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
            memory: None,
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

    /// Sets memory that this queue shares with others; by default only the settings
    /// bound what a queue holds.
    #[must_use]
    pub fn memory(mut self, memory: Arc<dyn QueueMemory>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Starts the queue: a thread for the target, and one for the disk if there
    /// is a spool. The threads open target and spool, and try again after an
    /// error; [`Queue::wait_until_open`] returns the result.
    ///
    /// # Errors
    /// The system starts no thread, or the target does not confirm payloads,
    /// which [`DeliveryLevel::Acknowledged`] needs.
    pub fn start(mut self) -> Result<Queue, QueueError> {
        let acknowledged = matches!(self.settings.level, DeliveryLevel::Acknowledged(_));
        if acknowledged && !self.transport.confirms() {
            return Err(QueueError::unconfirmed());
        }
        let spool = self.settings.level.spool().cloned();
        let before = self.before.take();
        let shared = Arc::new(Shared::new(
            &self.settings,
            &*self.transport,
            Reporter::new(&self.name, self.callback.take()),
            spool.is_some() && before.is_none(),
            self.memory.take(),
        ));
        // An early return drops the queue, which ends its threads.
        let queue = Queue::new(Arc::clone(&shared));
        let Some(settings) = spool else {
            let source = Memory(Arc::clone(&shared));
            self.spawn_sender(&shared, source)?;
            return Ok(queue);
        };
        let name = format!("{}-disk", self.name);
        let source = Spooled::new(Arc::clone(&shared), self.transport.batch_limits());
        let retry = self.settings.retry.clone();
        self.spawn_sender(&shared, source)?;
        let disk = DiskThread {
            shared: Arc::clone(&shared),
            settings,
            before,
            backoff: opening_backoff(&retry),
        };
        spawn(&name, &shared, move || disk.run())?;
        Ok(queue)
    }

    fn spawn_sender<S: Source + Send + 'static>(
        self,
        shared: &Arc<Shared>,
        source: S,
    ) -> Result<(), QueueError> {
        let retry = self.settings.retry;
        let sender = Sender {
            shared: Arc::clone(shared),
            source,
            transport: self.transport,
            dead_letters: self.dead_letters,
            open_backoff: opening_backoff(&retry),
            backoff: Backoff::new(retry, random_seed()),
            max_age: self.settings.max_age,
        };
        spawn(&self.name, shared, move || sender.run())
    }
}

/// Returns the delays between attempts to open a target or spool, which are
/// never given up.
fn opening_backoff(retry: &RetrySettings) -> Backoff {
    let retry = RetrySettings {
        attempts: None,
        ..retry.clone()
    };
    Backoff::new(retry, random_seed())
}

fn random_seed() -> u64 {
    RandomState::new().hash_one(0)
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
