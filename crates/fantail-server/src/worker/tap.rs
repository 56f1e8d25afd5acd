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
use fantail_format::{ExportContext, FieldRules, Format, Formatter, FormatterSettings, Parts};
use fantail_syntax::ParseOptions;
use tokio::sync::mpsc;

use crate::{
    ControlError, ControlErrorKind,
    memory::{Budget, ReservedText},
};

/// Taps of readers that may be open at one time.
pub(crate) const MAX_TAPS: usize = 16;

/// Taps that all pages of browsers together may have: pages with the same filter
/// share one.
pub(crate) const MAX_PAGE_TAPS: usize = 32;

/// Events that may wait in the queue of a tap.
const QUEUED_EVENTS: usize = 64;

/// For whom an observer is: each has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Clients of the stats-reader socket.
    Readers,
    /// The pages of browsers.
    Pages,
}

/// A tap that is wanted.
#[derive(Debug)]
pub(crate) struct TapRequest {
    pub(crate) audience: Audience,
    /// Whether clients are asked for the events of the filter.
    pub(crate) asks: bool,
    pub(crate) filter: Vec<u8>,
    pub(crate) format: Vec<u8>,
    /// Whether events are counted at each term instead of shown.
    pub(crate) explain: bool,
    /// A filter for further events that clients are asked for; empty for none.
    pub(crate) ask_for: Vec<u8>,
    /// Whether kept events are wanted.
    pub(crate) past: bool,
    /// Whether live events are wanted.
    pub(crate) live: bool,
    /// The memory of events that wait to be shown.
    pub(crate) memory: Budget,
}

impl TapRequest {
    /// Parses a filter of the tap.
    pub(crate) fn parse(text: &[u8], dialect: Dialect) -> Result<Filter, ControlError> {
        let filter = Filter::parse(text, &ParseOptions::new(dialect))
            .map_err(|errors| ControlError::new(ControlErrorKind::Filter, errors))?;
        match filter.is_empty() {
            true => Err(ControlErrorKind::EmptyFilter.into()),
            false => Ok(filter),
        }
    }
}

/// An open tap, shared by the control task and all workers.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) filter: Filter,
    formatter: Formatter,
    events: mpsc::Sender<ReservedText>,
    memory: Budget,
    /// Events that matched and were not shown.
    pub(crate) skipped: AtomicU64,
}

impl Tap {
    /// Opens a tap; its events come out of the receiver.
    pub(crate) fn open(
        filter: Filter,
        wanted: &TapRequest,
        dialect: Dialect,
        rules: FieldRules,
    ) -> Result<(Arc<Self>, mpsc::Receiver<ReservedText>), ControlError> {
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
            filter,
            formatter: Formatter::new(FormatterSettings {
                parts: Parts {
                    hostname: false,
                    ..Parts::ALL
                },
                cut_long_strings: true,
                rules,
                ..FormatterSettings::new(format, dialect)
            }),
            events,
            memory: wanted.memory.clone(),
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

    /// Appends an event in the format of the tap.
    pub(crate) fn format(
        &self,
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    ) {
        self.formatter.write(event, context, out);
    }

    /// Shows an event that matched.
    pub(crate) fn show(&self, event: &EffectiveEvent<'_>, context: ExportContext<'_>) {
        let mut line = Vec::new();
        self.format(event, context, &mut line);
        let line = ReservedText::of(line, &self.memory);
        if line.is_none_or(|line| self.events.try_send(line).is_err()) {
            self.skip();
        }
    }
}
