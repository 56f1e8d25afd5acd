//! The output of `log` exporters.

use std::ops::ControlFlow;

use fantail::{
    config::{self, Settings},
    engine::{ExportSink, Exported},
    transport::{LogTransport, Transport, TransportError},
};

use crate::{exit::Failure, io::output::Output};

/// A sink that writes the output of log exporters, and drops that of others.
pub(crate) struct Exports {
    log: LogTransport<Output>,
    logged: Vec<bool>,
    failure: Option<TransportError>,
}

impl Exports {
    pub(crate) fn new(settings: &Settings, output: Output) -> Self {
        let logged = settings.exporters.iter();
        let logged = logged
            .map(|e| matches!(e.transport, config::TransportSettings::Log(_)))
            .collect();
        Self {
            log: LogTransport::new(output),
            logged,
            failure: None,
        }
    }

    /// Returns `Break` after a failed write.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Writes the buffered lines.
    ///
    /// # Errors
    /// Writing these or earlier lines fails.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let finished = self.failure.map_or_else(|| self.log.flush(), Err);
        finished.map_err(|error| Failure::transport(&error))
    }
}

impl ExportSink for Exports {
    fn export(&mut self, exported: Exported<'_>) {
        if self.failure.is_none() && self.logged.get(exported.exporter.0) == Some(&true) {
            self.failure = self.log.send(exported.payload).err();
        }
    }
}
