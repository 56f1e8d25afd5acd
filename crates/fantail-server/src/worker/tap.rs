//! Taps: events shown to a client as they pass, for a limited time.
//!
//! A tap has a filter of its own, and Dovecot's processes are asked for its
//! events while the tap is open. Its queue is short: events that do not fit are
//! skipped and counted, so that a tap makes nothing wait.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fantail_event::{Dialect, EffectiveEvent};
use fantail_filter::Filter;
use fantail_format::{
    ExportContext, FieldRules, Format, Formatter, FormatterSettings, Parts, TimeStyle,
};
use fantail_syntax::ParseOptions;
use tokio::sync::mpsc;

use crate::{ControlError, ControlErrorKind};

/// Taps that may be open at one time.
pub(crate) const MAX_TAPS: usize = 16;

/// Events that may wait in the queue of a tap.
const QUEUED_EVENTS: usize = 64;

/// The filter and the format of a tap that is wanted.
#[derive(Debug)]
pub(crate) struct TapRequest {
    pub(crate) filter: Vec<u8>,
    pub(crate) format: Vec<u8>,
}

/// An open tap, shared by the control task and all workers.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) number: u64,
    pub(crate) filter: Filter,
    formatter: Formatter,
    events: mpsc::Sender<Vec<u8>>,
    /// Events that matched and were not shown.
    pub(crate) skipped: AtomicU64,
}

impl Tap {
    /// Opens a tap; its events come out of the receiver.
    pub(crate) fn open(
        number: u64,
        wanted: &TapRequest,
        dialect: Dialect,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Vec<u8>>), ControlError> {
        let filter = Filter::parse(&wanted.filter, &ParseOptions::new(dialect))
            .map_err(|errors| ControlError::new(ControlErrorKind::Filter, errors))?;
        if filter.is_empty() {
            return Err(ControlErrorKind::EmptyFilter.into());
        }
        let format = Format::from_name(&wanted.format).filter(|format| {
            // The other formats are empty, or not made of lines.
            matches!(
                format,
                Format::Json | Format::TabText | Format::Logfmt | Format::Ndjson
            )
        });
        let format = format.ok_or(ControlErrorKind::Format)?;
        let (events, shown) = mpsc::channel(QUEUED_EVENTS);
        let tap = Self {
            number,
            filter,
            formatter: Formatter::new(FormatterSettings {
                format,
                time_style: TimeStyle::Rfc3339,
                parts: Parts {
                    hostname: false,
                    ..Parts::default()
                },
                fields: Vec::new(),
                rules: FieldRules::default(),
                event_id: false,
                cut_long_strings: true,
                dialect,
            }),
            events,
            skipped: AtomicU64::new(0),
        };
        Ok((Arc::new(tap), shown))
    }

    /// Whether another event fits into the queue; counts the event as skipped if
    /// not. Asked before the event is formatted, which is most of the cost.
    pub(crate) fn has_room(&self) -> bool {
        self.events.capacity() > 0 || self.skip()
    }

    /// Counts an event that is not shown; returns `false`.
    pub(crate) fn skip(&self) -> bool {
        self.skipped.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Shows an event that matched.
    pub(crate) fn show(&self, event: &EffectiveEvent<'_>, context: ExportContext<'_>) {
        let mut line = Vec::new();
        self.formatter.write(event, context, &mut line);
        if self.events.try_send(line).is_err() {
            self.skip();
        }
    }
}
