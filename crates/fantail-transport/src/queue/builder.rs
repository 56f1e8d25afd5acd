//! Construction and start of a queue.

use std::{fmt, sync::Arc, thread};

use crate::{
    Backoff, DeliveryLevel, RetrySettings, Transport,
    system::{REAL, System},
};

use super::{
    Queue, QueueError, QueueMemory, QueueSettings,
    sender::Sender,
    shared::Shared,
    source::{Memory, Spooled},
    spooler::Spooler,
    trouble::{Callback, Reporter, Trouble},
    worker::{Work, Worker},
};

/// A queue that is not started yet; [`Queue::builder`] begins one.
pub struct QueueBuilder {
    system: &'static dyn System,
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
            system: &REAL,
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
    pub fn start(self) -> Result<Queue, QueueError> {
        // An early return drops the queue, which ends its threads.
        let (queue, workers) = self.build()?;
        for worker in workers {
            let thread = thread::Builder::new().name(worker.name().to_owned());
            let started = thread.spawn(move || worker.run());
            started.map_err(QueueError::thread)?;
        }
        Ok(queue)
    }

    /// Sets the system; by default that of programs.
    #[doc(hidden)]
    #[must_use]
    pub fn on(mut self, system: &'static dyn System) -> Self {
        self.system = system;
        self
    }

    /// Returns the queue and its workers, which the caller runs.
    ///
    /// # Errors
    /// As for [`start`](Self::start), except for threads.
    #[doc(hidden)]
    pub fn build(mut self) -> Result<(Queue, Vec<Worker>), QueueError> {
        let acknowledged = matches!(self.settings.level, DeliveryLevel::Acknowledged(_));
        if acknowledged && !self.transport.confirms() {
            return Err(QueueError::unconfirmed());
        }
        let spool = self.settings.level.spool().cloned();
        let before = self.before.take();
        let shared = Arc::new(Shared::new(
            self.system,
            &self.settings,
            &*self.transport,
            Reporter::new(&self.name, self.callback.take()),
            spool.is_some() && before.is_none(),
            self.memory.take(),
        ));
        let queue = Queue::new(Arc::clone(&shared));
        let Some(settings) = spool else {
            let name = self.name.clone();
            let sender = Box::new(self.sender(Memory::default()));
            return Ok((queue, vec![Worker::new(name, &shared, sender)]));
        };
        let source = Spooled::new(self.transport.batch_limits());
        let backoff = self.opening_backoff();
        let names = [self.name.clone(), format!("{}-disk", self.name)];
        let sender: Box<dyn Work> = Box::new(self.sender(source));
        let spooler = Box::new(Spooler::new(settings, before, backoff));
        let works = names.into_iter().zip([sender, spooler]);
        let workers = works.map(|(name, work)| Worker::new(name, &shared, work));
        Ok((queue, workers.collect()))
    }

    fn sender<S>(self, source: S) -> Sender<S> {
        let opening = self.opening_backoff();
        let backoff = Backoff::new(self.settings.retry, self.system.random());
        Sender::new(
            source,
            self.transport,
            self.dead_letters,
            [backoff, opening],
            self.settings.max_age,
        )
    }

    /// Returns the delays between attempts to open a target or spool, which are
    /// never given up.
    fn opening_backoff(&self) -> Backoff {
        let retry = RetrySettings {
            attempts: None,
            ..self.settings.retry.clone()
        };
        Backoff::new(retry, self.system.random())
    }
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
