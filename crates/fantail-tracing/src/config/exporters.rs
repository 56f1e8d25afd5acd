//! The exporters of a configuration: a throttle and a queue each.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use fantail_config::{Exporter, Settings};
use fantail_engine::{ExportSink, Exported, ExporterId};
use fantail_transport::{Admission, Batch, Queue, QueueStatus, Throttle};

use super::error::{ConfigError, ConfigErrorKind};

/// The state of an exporter.
///
/// ```
/// use tracing_subscriber::Registry;
///
/// let (_layer, handle) = fantail_tracing::layer::<Registry>("metric all {\n filter = message=*\n}\n")?;
/// for exporter in handle.exporters() {
///     println!("{}: {} sent", exporter.name, exporter.queue.counters.sent);
/// }
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExporterStatus {
    /// The name.
    pub name: String,
    /// The queue: its counters, what waits, the last error.
    pub queue: QueueStatus,
    /// Events that were not drawn for the sample.
    pub sampled: u64,
    /// Events that exceeded the rate limit.
    pub rate_limited: u64,
}

/// The exporters in the order of the configuration.
#[derive(Debug, Default)]
pub(crate) struct Exporters(Vec<Arc<Running>>);

#[derive(Debug)]
struct Running {
    settings: Exporter,
    queue: Queue,
    throttle: Option<Mutex<Throttle>>,
    since: Instant,
}

thread_local! {
    static BATCH: RefCell<Batch> = const { RefCell::new(Batch::new()) };
}

impl Exporters {
    /// Starts the exporters; those of the former configuration that have not changed
    /// go on.
    pub(crate) fn start(
        settings: &Settings,
        former: &Self,
        host: &[u8],
    ) -> Result<Self, ConfigError> {
        let running = settings.exporters.iter().map(|exporter| {
            let known = former.0.iter().find(|running| running.is(exporter));
            known.map_or_else(
                || former.start_one(exporter, host).map(Arc::new),
                |known| Ok(Arc::clone(known)),
            )
        });
        running.collect::<Result<_, _>>().map(Self)
    }

    #[cfg(feature = "exporters")]
    fn start_one(&self, exporter: &Exporter, host: &[u8]) -> Result<Running, ConfigError> {
        use fantail_engine::exporters;
        use fantail_transport::{FileSettings, FileTransport};

        let refused =
            |source: Box<dyn std::error::Error + Send + Sync>| ConfigErrorKind::Exporter {
                name: String::from_utf8_lossy(&exporter.name).into_owned(),
                source,
            };
        let transport =
            exporters::transport(exporter, host).map_err(|error| refused(Box::new(error)))?;
        let name = String::from_utf8_lossy(&exporter.name);
        let mut queue = Queue::builder(&name, transport).settings(exporter.queue.clone());
        if let Some(spool) = exporter.queue.level.spool() {
            let holder = self.0.iter().find(|one| {
                let held = one.settings.queue.level.spool();
                held.is_some_and(|held| held.folder == spool.folder)
            });
            if let Some(holder) = holder {
                // Its unsent events wait on disk for the new exporter.
                queue = queue.after(&holder.queue);
            }
        }
        if let Some(path) = &exporter.dead_letters {
            let letters = FileTransport::new(FileSettings::new(path));
            queue = queue.dead_letters(Box::new(letters));
        }
        let queue = queue.start().map_err(|error| refused(Box::new(error)))?;
        Ok(Running {
            settings: exporter.clone(),
            queue,
            throttle: exporters::throttle(exporter.throttle).map(Mutex::new),
            since: Instant::now(),
        })
    }

    #[cfg(not(feature = "exporters"))]
    fn start_one(&self, exporter: &Exporter, _host: &[u8]) -> Result<Running, ConfigError> {
        Err(ConfigError::from(ConfigErrorKind::Exporter {
            name: String::from_utf8_lossy(&exporter.name).into_owned(),
            source: "enable the feature `exporters` of fantail-tracing".into(),
        }))
    }

    /// Has the queues that another configuration does not have end within this time.
    pub(crate) fn close_unless_in(&self, other: &Self, patience: Duration) {
        let goes_on = |one: &Arc<Running>| other.0.iter().any(|it| Arc::ptr_eq(it, one));
        for one in self.0.iter().filter(|one| !goes_on(one)) {
            one.queue.begin_close(patience);
        }
    }

    /// Waits until all events that were exported before are sent, spooled or dropped.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let left = || until.saturating_duration_since(Instant::now());
        // Each gets its turn, also after one that did not end in time.
        let late = self.0.iter().filter(|one| !one.queue.flush(left()));
        late.count() == 0
    }

    pub(crate) fn status(&self) -> Vec<ExporterStatus> {
        let status = self.0.iter().map(|one| {
            let throttle = one.throttle.as_ref();
            let throttle = throttle.map(|it| it.lock().unwrap_or_else(PoisonError::into_inner));
            ExporterStatus {
                name: String::from_utf8_lossy(&one.settings.name).into_owned(),
                queue: one.queue.status(),
                sampled: throttle.as_ref().map_or(0, |it| it.sampled()),
                rate_limited: throttle.as_ref().map_or(0, |it| it.rate_limited()),
            }
        });
        status.collect()
    }
}

impl Running {
    /// Returns whether it has these settings, anywhere in the configuration.
    fn is(&self, exporter: &Exporter) -> bool {
        let mut moved = self.settings.clone();
        moved.spans = exporter.spans.clone();
        moved == *exporter
    }
}

/// The queues take the payloads of an event at once: an event may be the last of its
/// thread.
impl ExportSink for &Exporters {
    fn wants(&mut self, exporter: ExporterId, _text_bytes: usize) -> bool {
        let one = self.0.get(exporter.0);
        let throttle = one.and_then(|one| Some((one.throttle.as_ref()?, one.since)));
        throttle.is_none_or(|(throttle, since)| {
            let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.admit(since.elapsed()) == Admission::Admitted
        })
    }

    fn export(&mut self, exported: Exported<'_>) {
        let one = self.0.get(exported.exporter.0);
        debug_assert!(one.is_some(), "no exporter {:?}", exported.exporter);
        let Some(one) = one else { return };
        let offered = BATCH.try_with(|batch| {
            let mut batch = batch.borrow_mut();
            batch.push(exported.payload);
            one.queue.offer(&mut batch);
        });
        if offered.is_err() {
            // The thread ends and has no batch of its own any more.
            let mut batch = Batch::new();
            batch.push(exported.payload);
            one.queue.offer(&mut batch);
        }
    }
}
