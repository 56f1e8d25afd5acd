//! Where the engine leaves what exporters write, and what observers see.

use std::fmt;

use fantail_event::{EffectiveEvent, ExportView};
use fantail_format::ExportContext;

/// An exporter: its position in the configuration's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExporterId(pub usize);

/// An observer: the position of its filter in [`Engine::observe`](crate::Engine::observe).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObserverId(pub usize);

/// An event as an exporter wrote it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Exported<'a> {
    /// The exporter.
    pub exporter: ExporterId,
    /// The name of the metric that the event matched.
    pub metric: &'a [u8],
    /// The event.
    pub event: &'a dyn ExportView,
    /// What the formatter wrote, without an end of line.
    pub payload: &'a [u8],
}

impl fmt::Debug for Exported<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exported")
            .field("exporter", &self.exporter)
            .field("metric", &self.metric.escape_ascii())
            .field("payload", &self.payload.escape_ascii())
            .finish_non_exhaustive()
    }
}

/// Takes what is exported and observed.
///
/// The engine waits for it: a sink hands over to a queue, and drops and counts
/// when the queue is full. A closure that takes an [`Exported`] is a sink; `()`
/// is one that drops everything.
pub trait ExportSink {
    /// Whether the next event is wanted for this exporter; asked before the
    /// event is formatted, so that sampling and limits cost nothing. `text_bytes`
    /// is the size of its text with all that it inherits, 0 if that is unknown.
    fn wants(&mut self, exporter: ExporterId, text_bytes: usize) -> bool {
        let _ = (exporter, text_bytes);
        true
    }

    /// Takes one event, formatted for this exporter.
    fn export(&mut self, exported: Exported<'_>);

    /// Whether an event that matched an observer's filter is wanted; asked
    /// before its fields are gathered. `text_bytes` as for [`wants`](Self::wants).
    fn wants_observed(&mut self, observer: ObserverId, text_bytes: usize) -> bool {
        let _ = (observer, text_bytes);
        true
    }

    /// Takes one event that matched an observer's filter.
    fn observed(
        &mut self,
        observer: ObserverId,
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
    ) {
        let _ = (observer, event, context);
    }
}

impl<F: FnMut(Exported<'_>)> ExportSink for F {
    fn export(&mut self, exported: Exported<'_>) {
        self(exported);
    }
}
