//! Where the engine leaves what exporters write.

/// An exporter: its place in the configuration's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExporterId(pub usize);

/// Takes what is exported.
///
/// The engine waits for it: a sink hands over to a queue, and drops and
/// counts when the queue is full.
pub trait ExportSink {
    /// Whether the next event is wanted for this exporter; asked before it is
    /// formatted, so that sampling and limits of rate cost nothing.
    fn wants(&mut self, exporter: ExporterId) -> bool {
        let _ = exporter;
        true
    }

    /// One event, formatted for this exporter; without an end of line.
    fn export(&mut self, exporter: ExporterId, payload: &[u8]);
}

impl<F: FnMut(ExporterId, &[u8])> ExportSink for F {
    fn export(&mut self, exporter: ExporterId, payload: &[u8]) {
        self(exporter, payload);
    }
}
