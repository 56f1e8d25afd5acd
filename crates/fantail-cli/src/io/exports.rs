//! What `log` exporters write, on an output.

use std::ops::ControlFlow;

use fantail::{
    config::{self, Settings},
    engine::{ExportSink, Exported},
    transport::{LogTransport, Transport, TransportError},
};

use crate::{exit::Failure, io::output::Output};

/// Keeps what log exporters write. What others write would go elsewhere, and
/// goes nowhere.
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

    /// Breaks off once a line could not be written.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Writes out what is held back.
    ///
    /// # Errors
    /// That, or an earlier line, could not be written.
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
