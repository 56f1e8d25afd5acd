//! The handle of a layer.

use std::{fmt, io, sync::Arc, time::Duration};

use fantail_engine::Counters;
use fantail_exposition::{Exposition, ExpositionOptions, Format};
use fantail_metrics::{Instruments, Snapshot};
use fantail_syntax::ParseErrors;

use super::{
    check::{self, Unknown},
    explain::Explain,
    shared::Shared,
};
use crate::{
    client::StatsClient,
    config::{error::ConfigError, exporters::ExporterStatus},
};

/// The handle of a layer: it reads the metrics and changes the configuration.
///
/// Clones refer to the same layer.
///
/// ```
/// use fantail_exposition::Format;
/// use tracing_subscriber::prelude::*;
///
/// let (layer, handle) = fantail_tracing::layer("")?;
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     handle.reload("metric slow {\n filter = millis>1000\n}\n")?;
///     tracing::info!(millis = 1500, "query");
///     let text = String::from_utf8(handle.scrape(Format::OpenMetrics, Vec::new())?)?;
///     assert!(text.contains("slow_total 1\n"), "{text}");
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LayerHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) instruments: Option<Instruments>,
}

impl LayerHandle {
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

    /// Returns the parts of the metrics that no callsite of the program has.
    ///
    /// `tracing` registers a callsite when the program reaches it for the first time, if
    /// its level is enabled: check after the program has run for a while.
    #[must_use]
    pub fn check(&self) -> Vec<Unknown> {
        check::check(&self.shared.compiled.load(), &self.shared.callsites.all())
    }

    /// Explains for each event of the program why this filter matches it or not, until
    /// the answer is dropped. Meanwhile all callsites are enabled.
    ///
    /// # Errors
    /// The text is not a filter.
    pub fn explain(&self, filter: &str) -> Result<Explain, ParseErrors> {
        Ok(Explain::new(&self.shared, filter.parse()?))
    }

    /// Returns the client of a stats server, if the layer has one.
    #[must_use]
    pub fn client(&self) -> Option<&StatsClient> {
        self.shared.client.as_ref()
    }

    /// Returns the state of the exporters, in the order of the configuration.
    #[must_use]
    pub fn exporters(&self) -> Vec<ExporterStatus> {
        self.shared.compiled.load().exporters.status()
    }

    /// Waits until the events that were exported before are sent, spooled or dropped;
    /// returns whether they are. Call it before the program ends.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.shared.compiled.load_full().exporters.flush(patience)
    }

    /// Writes the metrics and the instruments for Prometheus.
    ///
    /// # Errors
    /// `out` fails.
    pub fn scrape<W: io::Write>(&self, format: Format, out: W) -> io::Result<W> {
        let mut options = ExpositionOptions::new(format);
        options.prefix = String::new();
        let mut exposition = Exposition::new(out, options);
        exposition.snapshot(&self.snapshot())?;
        if let Some(instruments) = &self.instruments {
            exposition.instruments(&instruments.snapshot())?;
        }
        let (out, _left_out) = exposition.finish()?;
        Ok(out)
    }
}

impl fmt::Debug for LayerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerHandle")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
