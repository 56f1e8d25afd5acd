//! The exporters of a configuration, each with its queue and its target.

use std::{ffi::OsStr, fmt, io, os::unix::ffi::OsStrExt, path::Path, time::Duration};

use fantail_config::{Exporter, Settings, Transport as Target};
use fantail_engine::ExporterId;
use fantail_transport::{
    DropTransport, FileTransport, LogTransport, Queue, QueueSettings, Transport,
};

/// The exporters of a configuration at work.
#[derive(Debug, Clone)]
pub struct Exporters {
    /// In the order of the configuration.
    queues: Vec<(String, Queue)>,
}

impl Exporters {
    /// Opens every target and starts its thread.
    ///
    /// # Errors
    /// A target cannot be opened.
    pub fn open(settings: &Settings) -> Result<Self, ExportersError> {
        let opened = settings.exporters.iter().map(|exporter| {
            let name = String::from_utf8_lossy(&exporter.name).into_owned();
            match start(&name, exporter) {
                Ok(queue) => Ok((name, queue)),
                Err(source) => Err(ExportersError { name, source }),
            }
        });
        Ok(Self {
            queues: opened.collect::<Result<_, _>>()?,
        })
    }

    /// The queue of an exporter.
    #[must_use]
    pub fn queue(&self, exporter: ExporterId) -> Option<&Queue> {
        self.queues.get(exporter.0).map(|(_, queue)| queue)
    }

    /// The exporters' names and queues, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.queues
            .iter()
            .map(|(name, queue)| (name.as_str(), queue))
    }

    /// Has every target opened anew.
    pub fn reopen(&self) {
        for (_, queue) in &self.queues {
            queue.reopen();
        }
    }

    /// Sends what is queued; each target gets this long. Returns whether all
    /// of it was sent.
    #[must_use]
    pub fn close(&self, patience: Duration) -> bool {
        self.queues
            .iter()
            .fold(true, |all, (_, queue)| queue.close(patience) && all)
    }
}

fn start(name: &str, exporter: &Exporter) -> io::Result<Queue> {
    let transport: Box<dyn Transport> = match &exporter.transport {
        Target::Log => Box::new(LogTransport::new(io::stderr())),
        Target::Drop => Box::new(DropTransport),
        Target::File { path } => {
            let path = Path::new(OsStr::from_bytes(path));
            Box::new(FileTransport::open(path).map_err(io::Error::other)?)
        }
        _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    };
    Queue::start(name, transport, QueueSettings::default())
}

/// An exporter could not be started.
#[derive(Debug)]
pub struct ExportersError {
    name: String,
    source: io::Error,
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

impl std::error::Error for ExportersError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
