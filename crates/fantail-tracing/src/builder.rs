//! Building a layer.

use std::sync::Arc;

use fantail_event::Timestamp;
use tracing_core::Subscriber;
use tracing_subscriber::{Layer as _, registry::LookupSpan};

use crate::{
    CallsiteFilter, ConfigError, Handle, Layer, SpanRecorder, StatsClient, clock::Clock,
    config::Compiled, exporters::Exporters, shared::Shared,
};

/// Creates a layer with this configuration, and its handle.
///
/// # Errors
/// The text has errors.
pub fn layer<S>(text: &str) -> Result<(Layer<S>, Handle), ConfigError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    LayerBuilder::new(text).build()
}

/// A builder of a layer, for options that are no configuration.
#[derive(Debug)]
#[must_use]
pub struct LayerBuilder<'a> {
    text: &'a str,
    clock: Clock,
    host: Vec<u8>,
    client: Option<StatsClient>,
}

impl<'a> LayerBuilder<'a> {
    /// Begins with a configuration text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            clock: Clock::default(),
            host: rustix::system::uname().nodename().to_bytes().to_vec(),
            client: None,
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

    /// Returns the layer and its handle.
    ///
    /// # Errors
    /// The text has errors.
    pub fn build<S>(self) -> Result<(Layer<S>, Handle), ConfigError>
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
        Ok((recorder.with_filter(filter), Handle { shared }))
    }
}
