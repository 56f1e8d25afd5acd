//! A queue is put together and started.

use std::{fmt, hash::BuildHasher, io, sync::Arc, thread};

use crate::{
    Backoff, DeliveryLevel, EventIds, Transport,
    spool::{self, SpoolReader, SpoolWriter},
};

use super::{
    Queue, QueueSettings,
    sender::Sender,
    shared::Shared,
    source::{Memory, Source, Spooled},
    spooler::Spooler,
    trouble::{Callback, Reporter, Trouble},
};

/// A queue that is not started yet; [`Queue::builder`] begins one.
pub struct QueueBuilder {
    name: String,
    transport: Box<dyn Transport>,
    settings: QueueSettings,
    dead_letters: Option<Box<dyn Transport>>,
    ids: Option<EventIds>,
    callback: Option<Callback>,
}

impl QueueBuilder {
    pub(super) fn new(name: &str, transport: Box<dyn Transport>) -> Self {
        Self {
            name: name.to_owned(),
            transport,
            settings: QueueSettings::default(),
            dead_letters: None,
            ids: None,
            callback: None,
        }
    }

    /// Sets how payloads are treated.
    #[must_use]
    pub fn settings(mut self, settings: QueueSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets where payloads go that the target refuses for good.
    #[must_use]
    pub fn dead_letters(mut self, place: Box<dyn Transport>) -> Self {
        self.dead_letters = Some(place);
        self
    }

    /// Gives an id to each payload that is offered without one.
    #[must_use]
    pub fn ids(mut self, ids: EventIds) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Sets who is told of errors: at most once a minute, and on a thread of
    /// the queue, which waits for it.
    #[must_use]
    pub fn on_trouble(mut self, callback: impl Fn(Trouble<'_>) + Send + Sync + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Starts the queue: a thread for the target, and one for the disk if
    /// there is a spool.
    ///
    /// # Errors
    /// The system gives no thread; the spool cannot be opened, or is in use;
    /// or the target does not confirm what it takes, which
    /// [`DeliveryLevel::Acknowledged`] needs (`InvalidInput`).
    pub fn start(mut self) -> io::Result<Queue> {
        let acknowledged = matches!(self.settings.level, DeliveryLevel::Acknowledged(_));
        if acknowledged && !self.transport.confirms() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the target does not confirm what it takes",
            ));
        }
        match self.settings.level.spool() {
            None => {
                let shared = self.shared(None);
                let source = Memory(Arc::clone(&shared));
                self.spawn_sender(&shared, source)?;
                Ok(Queue::new(shared))
            }
            Some(settings) => {
                let (writer, reader) = spool::open(settings)?;
                self.start_spooled(writer, reader)
            }
        }
    }

    fn start_spooled(mut self, writer: SpoolWriter, reader: SpoolReader) -> io::Result<Queue> {
        let shared = self.shared(Some(&reader));
        let limits = self.transport.batch_limits();
        let name = format!("{}-disk", self.name);
        let source = Spooled::new(Arc::clone(&shared), reader, limits);
        // The queue ends both threads if it is dropped on the way out.
        let queue = Queue::new(Arc::clone(&shared));
        let spooler = Spooler {
            shared: Arc::clone(&shared),
            writer,
        };
        spawn(&name, &shared, move || spooler.run())?;
        self.spawn_sender(&shared, source)?;
        Ok(queue)
    }

    fn shared(&mut self, reader: Option<&SpoolReader>) -> Arc<Shared> {
        let shared = Shared::new(
            &self.settings,
            self.transport.batch_limits(),
            self.ids.take(),
            Reporter::new(&self.name, self.callback.take()),
            reader.map(SpoolReader::gauge),
        );
        shared.lock().counters.recovered = reader.map_or(0, SpoolReader::recovered);
        Arc::new(shared)
    }

    fn spawn_sender<S: Source + Send + 'static>(
        self,
        shared: &Arc<Shared>,
        source: S,
    ) -> io::Result<()> {
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

/// Starts a thread; it counts as ended once all that it owned is dropped.
fn spawn(name: &str, shared: &Arc<Shared>, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let running = shared.begin();
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || {
        let _running = running;
        run();
    })?;
    Ok(())
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
