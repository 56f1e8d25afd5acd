//! A queue is put together and started.

use std::{
    fmt,
    hash::BuildHasher,
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Backoff, DeliveryLevel, SpoolSettings, Transport,
    spool::{self, SpoolReader, SpoolWriter},
};

use super::{
    Queue, QueueSettings,
    sender::Sender,
    shared::{DISK_PAUSE, Shared},
    source::{Memory, Source, Spooled},
    spooler::Spooler,
    trouble::{Callback, Reporter, Trouble},
};

/// How often a queue that waits for another one looks whether it is closed
/// itself.
const LOOK: Duration = Duration::from_millis(20);

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

    /// Sets who is told of errors: at most once a minute, and on a thread of
    /// the queue, which waits for it.
    #[must_use]
    pub fn on_trouble(mut self, callback: impl Fn(Trouble<'_>) + Send + Sync + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Lets it follow another queue that has the spool now, and will be
    /// [closed](Queue::close): until that one has ended, what is offered waits
    /// in memory. Nothing is lost in between, and the order is kept.
    #[must_use]
    pub fn after(mut self, before: &Queue) -> Self {
        self.before = Some(before.shared());
        self
    }

    /// Starts the queue: a thread for the target, and one for the disk if
    /// there is a spool.
    ///
    /// # Errors
    /// The system gives no thread; the spool cannot be opened, or is in use;
    /// or the target does not confirm what it takes, which
    /// [`DeliveryLevel::Acknowledged`] needs (`InvalidInput`). If it comes
    /// [after](Self::after) another queue, that the spool cannot be opened is
    /// told to [`on_trouble`](Self::on_trouble), and it is tried again.
    pub fn start(mut self) -> io::Result<Queue> {
        let acknowledged = matches!(self.settings.level, DeliveryLevel::Acknowledged(_));
        if acknowledged && !self.transport.confirms() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the target does not confirm what it takes",
            ));
        }
        let shared = Arc::new(Shared::new(
            &self.settings,
            &*self.transport,
            Reporter::new(&self.name, self.callback.take()),
        ));
        // The queue ends all threads if it is dropped on the way out.
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

    /// Starts the thread for the target; what is returned is for the disk.
    fn start_spooled(
        self,
        shared: &Arc<Shared>,
        (writer, reader): (SpoolWriter, SpoolReader),
    ) -> io::Result<Spooler> {
        shared.found_spool(reader.gauge(), reader.recovered());
        let limits = self.transport.batch_limits();
        let source = Spooled::new(Arc::clone(shared), reader, limits);
        self.spawn_sender(shared, source)?;
        Ok(Spooler {
            shared: Arc::clone(shared),
            writer,
        })
    }

    /// The thread for the disk, once the queue before has ended.
    fn follow(self, before: &Shared, settings: &SpoolSettings, shared: &Arc<Shared>) {
        while !before.wait_for_end(Instant::now() + LOOK) {
            if !shared.pause_for_disk(Duration::ZERO) {
                return shared.lose_waiting();
            }
        }
        let ends = loop {
            match spool::open(settings) {
                Ok(ends) => break ends,
                Err(error) => shared.trouble(&error),
            }
            if !shared.pause_for_disk(DISK_PAUSE) {
                return shared.lose_waiting();
            }
        };
        match self.start_spooled(shared, ends) {
            Ok(spooler) => spooler.run(),
            // Nobody sends: what is offered is dropped, and counted.
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
