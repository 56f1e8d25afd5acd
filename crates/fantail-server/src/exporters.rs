//! The exporters of a configuration, each with a queue and a target.

mod closing;
mod opening;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fantail_config::{Exporter, Settings, TransportSettings};
use fantail_engine::{ExporterId, exporters};
use fantail_transport::{
    Admission, DeliveryLevel, FileSettings, FileTransport, Queue, Throttle, Transport,
};

use self::closing::close_all;
#[cfg(feature = "nats")]
use crate::nats::events::NatsTransport;
use crate::{
    Log,
    memory::{Budget, SharedMemory},
};

/// The reason for which events are dropped that are larger than a payload may be,
/// beside those of [`DropReason`](fantail_transport::DropReason).
pub(crate) const TOO_LARGE: &str = "too_large";

/// The running exporters of a configuration; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Exporters {
    /// In the order of the configuration.
    running: Vec<Arc<Running>>,
    site: Arc<Site>,
}

/// What exporters share.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The name of this host.
    pub(crate) hostname: Vec<u8>,
    /// Gets their errors, at most one per minute and exporter.
    pub(crate) log: Log,
    /// The memory of all queues; without, only the settings of each bound it.
    memory: Option<Budget>,
}

impl Site {
    /// Returns a site whose queues are bounded by their settings alone.
    pub(crate) const fn new(hostname: Vec<u8>, log: Log) -> Self {
        Self {
            hostname,
            log,
            memory: None,
        }
    }

    /// Has all queues reserve what they hold from this memory.
    pub(crate) fn reserve_from(self, memory: Budget) -> Self {
        Self {
            memory: Some(memory),
            ..self
        }
    }
}

#[derive(Debug)]
struct Running {
    name: String,
    settings: Exporter,
    queue: Queue,
    /// Limits the events of all workers together.
    throttle: Option<Mutex<Throttle>>,
    since: Instant,
    /// Events that were larger than a payload may be.
    too_large: AtomicU64,
}

impl Exporters {
    /// Starts the exporters. One whose target or spool cannot be opened is logged
    /// and goes on trying.
    ///
    /// # Errors
    /// The system starts no thread, or a target does not fit the delivery level.
    pub(crate) fn open(settings: &Settings, site: Site) -> Result<Self, ExportersError> {
        let none = Self {
            running: Vec::new(),
            site: Arc::new(site),
        };
        let (exporters, started) = none.start_changed(settings)?;
        for error in opening::wait(&started) {
            let log = &exporters.site.log;
            log.say(format_args!(
                "{error}; it is tried again, and its events wait"
            ));
        }
        Ok(exporters)
    }

    /// Returns the exporters of another configuration. Unchanged exporters go on
    /// with their queues; the others start.
    ///
    /// A spool belongs to one queue: an exporter with the spool of a changed one
    /// keeps events in memory until that one is
    /// [closed](Self::close_unless_in) and has ended.
    ///
    /// # Errors
    /// A target or a spool cannot be opened in time. The exporters of this
    /// configuration go on.
    pub(crate) fn follow(&self, settings: &Settings) -> Result<Self, ExportersError> {
        let (exporters, started) = self.start_changed(settings)?;
        match opening::wait(&started).into_iter().next() {
            None => Ok(exporters),
            Some(error) => {
                for one in started {
                    one.queue.begin_close(Duration::ZERO);
                }
                Err(error)
            }
        }
    }

    /// Returns the exporters of another configuration, and those of them that
    /// this configuration does not have.
    fn start_changed(
        &self,
        settings: &Settings,
    ) -> Result<(Self, Vec<Arc<Running>>), ExportersError> {
        let prepared = settings.exporters.iter().map(|exporter| {
            let known = self.running.iter().find(|running| running.is(exporter));
            Ok(match known {
                Some(running) => Prepared::Goes(Arc::clone(running)),
                None => Prepared::Starts(exporter, self.transport(exporter)?),
            })
        });
        let prepared: Vec<Prepared<'_>> = prepared.collect::<Result<_, _>>()?;
        let mut started = Vec::new();
        let running = prepared.into_iter().map(|one| match one {
            Prepared::Goes(running) => Ok(running),
            Prepared::Starts(exporter, transport) => {
                let one = self.start(exporter, transport)?;
                started.push(Arc::clone(&one));
                Ok(one)
            }
        });
        let exporters = Self {
            running: running.collect::<Result<_, _>>()?,
            site: Arc::clone(&self.site),
        };
        Ok((exporters, started))
    }

    fn transport(&self, exporter: &Exporter) -> Result<Box<dyn Transport>, ExportersError> {
        #[cfg(feature = "nats")]
        if let TransportSettings::Nats(settings) = &exporter.transport {
            let host = &self.site.hostname;
            let transport = NatsTransport::new(settings, host, &exporter.name);
            return Ok(Box::new(transport));
        }
        exporters::transport(exporter, &self.site.hostname)
            .map_err(|source| ExportersError::new(exporter, source))
    }

    fn start(
        &self,
        exporter: &Exporter,
        transport: Box<dyn Transport>,
    ) -> Result<Arc<Running>, ExportersError> {
        let name = String::from_utf8_lossy(&exporter.name).into_owned();
        let queue = self
            .queue_of(&name, exporter, transport)
            .map_err(|source| ExportersError::new(exporter, source))?;
        let throttle = exporters::throttle(exporter.throttle);
        Ok(Arc::new(Running {
            name,
            settings: exporter.clone(),
            queue,
            throttle: throttle.map(Mutex::new),
            since: Instant::now(),
            too_large: AtomicU64::new(0),
        }))
    }

    fn queue_of(
        &self,
        name: &str,
        exporter: &Exporter,
        transport: Box<dyn Transport>,
    ) -> Result<Queue, Box<dyn Error + Send + Sync>> {
        if discards(exporter) {
            return Ok(Queue::discard());
        }
        let log = self.site.log.clone();
        let mut builder = Queue::builder(name, transport)
            .settings(exporter.queue.clone())
            .on_trouble(move |trouble| log.say(format_args!("exporter {trouble}")));
        if let Some(memory) = &self.site.memory {
            builder = builder.memory(Arc::new(SharedMemory::of_queue(memory)));
        }
        if let Some(spool) = exporter.queue.level.spool() {
            let mut holders = self.running.iter();
            let holder = holders.find(|one| one.has_spool(&spool.folder));
            if let Some(holder) = holder {
                // Its unsent events wait on disk for the new exporter.
                builder = builder.after(&holder.queue);
            }
        }
        if let Some(path) = &exporter.dead_letters {
            let letters = FileTransport::new(FileSettings::new(path));
            builder = builder.dead_letters(Box::new(letters));
        }
        Ok(builder.start()?)
    }

    /// Returns the queue of an exporter.
    #[must_use]
    pub(crate) fn queue(&self, exporter: ExporterId) -> Option<&Queue> {
        self.running.get(exporter.0).map(|running| &running.queue)
    }

    /// Returns whether the sampling and the rate limit of an exporter admit the
    /// next event. Called once for each event.
    #[must_use]
    pub(crate) fn admits(&self, exporter: ExporterId) -> bool {
        let running = self.running.get(exporter.0);
        let throttle = running.and_then(|one| Some((one.throttle.as_ref()?, one.since)));
        throttle.is_none_or(|(throttle, since)| {
            let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.admit(since.elapsed()) == Admission::Admitted
        })
    }

    /// Counts an event that is larger than a payload may be.
    pub(crate) fn count_too_large(&self, exporter: ExporterId) {
        let running = self.running.get(exporter.0);
        debug_assert!(running.is_some(), "no exporter {exporter:?}");
        if let Some(running) = running {
            running.too_large.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The events of each exporter that were larger than a payload may be.
    pub(crate) fn too_large(&self) -> impl Iterator<Item = u64> {
        let running = self.running.iter();
        running.map(|one| one.too_large.load(Ordering::Relaxed))
    }

    /// Returns names and queues in the order of the configuration.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.running
            .iter()
            .map(|running| (running.name.as_str(), &running.queue))
    }

    /// Returns the log of the server.
    pub(crate) fn log(&self) -> &Log {
        &self.site.log
    }

    /// Makes all targets be opened again.
    pub(crate) fn reopen(&self) {
        for running in &self.running {
            running.queue.reopen();
        }
    }

    /// Closes all exporters at the same time, within `patience` in total. Returns
    /// whether all events were sent or wait on disk.
    #[must_use]
    pub(crate) fn close(&self, patience: Duration) -> bool {
        close_all(self.running.iter(), patience, &self.site.log)
    }

    /// Closes the exporters that the other configuration does not have.
    #[must_use]
    pub(crate) fn close_unless_in(&self, others: &Self, patience: Duration) -> bool {
        let goes_on =
            |one: &&Arc<Running>| others.running.iter().any(|other| Arc::ptr_eq(one, other));
        let ending = self.running.iter().filter(|one| !goes_on(one));
        close_all(ending, patience, &self.site.log)
    }
}

/// Returns whether an exporter discards events at once, so that it needs no
/// queue.
fn discards(exporter: &Exporter) -> bool {
    exporter.transport == TransportSettings::Drop
        && exporter.queue.level == DeliveryLevel::BestEffort
        && exporter.dead_letters.is_none()
}

/// An exporter of another configuration, before the first one starts.
enum Prepared<'s> {
    Goes(Arc<Running>),
    Starts(&'s Exporter, Box<dyn Transport>),
}

impl Running {
    /// Returns whether it has these settings, at any position of the
    /// configuration.
    fn is(&self, exporter: &Exporter) -> bool {
        let mut moved = self.settings.clone();
        moved.spans = exporter.spans.clone();
        moved == *exporter
    }

    fn has_spool(&self, folder: &Path) -> bool {
        let spool = self.settings.queue.level.spool();
        spool.is_some_and(|spool| spool.folder == folder)
    }
}

/// An exporter that cannot be started.
#[derive(Debug)]
pub(crate) struct ExportersError {
    name: String,
    source: Box<dyn Error + Send + Sync>,
}

impl ExportersError {
    fn new(exporter: &Exporter, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            name: String::from_utf8_lossy(&exporter.name).into_owned(),
            source: source.into(),
        }
    }
}

impl fmt::Display for ExportersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot start the exporter {}: {}",
            self.name, self.source
        )
    }
}

impl Error for ExportersError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
