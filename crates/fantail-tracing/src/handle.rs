//! The handle of a layer.

use std::{fmt, io, sync::Arc};

use fantail_engine::Counters;
use fantail_exposition::{Exposition, ExpositionOptions, Format};
use fantail_metrics::Snapshot;

use crate::{ConfigError, shared::Shared};

/// The handle of a layer: it reads the metrics and changes the configuration.
///
/// Clones refer to the same layer.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Replaces the configuration. Metrics with the same settings and filter keep
    /// their counts.
    ///
    /// # Errors
    /// The text has errors; the former configuration stays.
    pub fn reload(&self, text: &str) -> Result<(), ConfigError> {
        self.shared.reload(text)
    }

    /// Returns the counts of all metrics.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.shards.snapshot()
    }

    /// Returns what the layer has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.shards.counters()
    }

    /// Writes the metrics for Prometheus.
    ///
    /// # Errors
    /// `out` fails.
    pub fn scrape<W: io::Write>(&self, format: Format, out: W) -> io::Result<W> {
        let mut options = ExpositionOptions::new(format);
        options.prefix = String::new();
        let mut exposition = Exposition::new(out, options);
        exposition.snapshot(&self.snapshot())?;
        let (out, _left_out) = exposition.finish()?;
        Ok(out)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
