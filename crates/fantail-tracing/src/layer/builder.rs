//! Building a layer.

use std::sync::Arc;

use fantail_event::Timestamp;
use fantail_metrics::Instruments;
use tracing_core::Subscriber;
use tracing_subscriber::{Layer as _, registry::LookupSpan};

use super::{
    handle::LayerHandle,
    shared::{Shared, SpanRecorder},
    span_recorder::{CallsiteFilter, Layer},
};
use crate::{
    client::StatsClient,
    config::{compiled::Compiled, error::ConfigError, exporters::Exporters},
    record::clock::Clock,
};

/// Creates a layer with this configuration, and its handle.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let text = "metric failures {\n filter = severity>=17\n}\n";
/// let (layer, handle) = fantail_tracing::layer(text)?;
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     tracing::error!("the disk is full");
/// });
/// assert_eq!(handle.counters().matched, 1);
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
///
/// # Errors
/// The text has errors.
pub fn layer<S>(text: &str) -> Result<(Layer<S>, LayerHandle), ConfigError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    LayerBuilder::new(text).build()
}

/// A builder of a layer, for options that are no configuration.
///
/// ```
/// use fantail_metrics::Instruments;
/// use fantail_tracing::LayerBuilder;
/// use tracing_subscriber::Registry;
///
/// let instruments = Instruments::new();
/// let builder = LayerBuilder::new("metric all {\n filter = message=*\n}\n");
/// let (_layer, handle) = builder.host("web1").instruments(instruments).build::<Registry>()?;
/// assert_eq!(handle.snapshot().metrics().len(), 1);
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct LayerBuilder<'a> {
    text: &'a str,
    clock: Clock,
    host: Vec<u8>,
    client: Option<StatsClient>,
    instruments: Option<Instruments>,
}

impl<'a> LayerBuilder<'a> {
    /// Begins with a configuration text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            clock: Clock::default(),
            host: rustix::system::uname().nodename().to_bytes().to_vec(),
            client: None,
            instruments: None,
        }
    }

    /// Sets the host's name in exports; by default it is that of the system.
    pub fn host(self, name: impl Into<Vec<u8>>) -> Self {
        Self {
            host: name.into(),
            ..self
        }
    }

    /// Sets the clock, for tests; by default it is that of the system.
    pub fn clock(self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Clock::Given(Arc::new(now)),
            ..self
        }
    }

    /// Sends the events that a stats server wants to it: `fantail serve`, or Dovecot's
    /// stats process. The configuration of the layer may be empty.
    pub fn client(self, client: StatsClient) -> Self {
        Self {
            client: Some(client),
            ..self
        }
    }

    /// Adds instruments that the program updates itself to the scrapes of the handle,
    /// such as those of `fantail_metrics::Recorder`.
    pub fn instruments(self, instruments: Instruments) -> Self {
        Self {
            instruments: Some(instruments),
            ..self
        }
    }

    /// Returns the layer and its handle.
    ///
    /// # Errors
    /// The text has errors.
    pub fn build<S>(self) -> Result<(Layer<S>, LayerHandle), ConfigError>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let compiled = Compiled::new(self.text, &Exporters::default(), &self.host)?;
        let shared = Arc::new(Shared::new(compiled, self.clock, self.host, self.client));
        if let Some(client) = &shared.client {
            let shared = Arc::downgrade(&shared);
            client.on_filter(move || {
                if let Some(shared) = shared.upgrade() {
                    shared.rebuild_interest();
                }
            });
        }
        let filter = CallsiteFilter {
            shared: Arc::clone(&shared),
        };
        let recorder = SpanRecorder {
            shared: Arc::clone(&shared),
        };
        let handle = LayerHandle {
            shared,
            instruments: self.instruments,
        };
        Ok((recorder.with_filter(filter), handle))
    }
}
