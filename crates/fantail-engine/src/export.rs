//! Sinks: the receivers of exports and observed events.

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
    /// The output of the formatter, without an end of line.
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

/// A receiver of exports and observed events.
///
/// The engine waits for a sink, so a sink passes payloads to a queue, and drops
/// and counts them if the queue is full. A closure with an [`Exported`] is a
/// sink.
///
/// ```
/// use fantail_engine::{ExportSink, Exported, ExporterId};
///
/// /// Takes no more than one payload.
/// struct First(Option<Vec<u8>>);
///
/// impl ExportSink for First {
///     fn wants(&mut self, _exporter: ExporterId, _text_bytes: usize) -> bool {
///         self.0.is_none()
///     }
///
///     fn export(&mut self, exported: Exported<'_>) {
///         self.0 = Some(exported.payload.to_vec());
///     }
/// }
///
/// let mut sink = First(None);
/// assert!(sink.wants(ExporterId(0), 0));
/// sink.0 = Some(Vec::new());
/// assert!(!sink.wants(ExporterId(0), 0));
/// ```
pub trait ExportSink {
    /// Returns whether this exporter wants the next event. It is called before
    /// the event is formatted, so that sampling and limits cost little.
    /// `text_bytes` is the size of the event's text with its inherited fields,
    /// 0 if unknown.
    fn wants(&mut self, exporter: ExporterId, text_bytes: usize) -> bool {
        let _ = (exporter, text_bytes);
        true
    }

    /// Receives an event, formatted for this exporter.
    fn export(&mut self, exported: Exported<'_>);

    /// Returns whether an event that matches an observer's filter is wanted. It
    /// is called before the fields are gathered. `text_bytes` is as for
    /// [`wants`](Self::wants).
    fn wants_observed(&mut self, observer: ObserverId, text_bytes: usize) -> bool {
        let _ = (observer, text_bytes);
        true
    }

    /// Receives an event that matches an observer's filter.
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
