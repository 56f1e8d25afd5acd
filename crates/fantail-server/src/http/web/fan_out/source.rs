//! What the pages of a group watch: the events of a filter, or counts at its terms.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use axum::body::Bytes;
use fantail_config::Settings;
use fantail_event::Dialect;
use fantail_format::FieldRules;
use tokio::sync::mpsc;

use crate::{
    ControlError, Handle,
    control::taps::rules_of_exporters,
    handle::{OpenTap, TapView},
    http::web::terms::counts_value,
    memory::{Budget, ReservedText},
    worker::{
        explain::TermCounter,
        tap::{Audience, Tap, TapRequest},
    },
};

/// Events that all pages together get with each tick: 1,280 a second.
const MAX_EVENTS: usize = 256;

/// The fewest events of a filter with each tick.
const MIN_EVENTS: usize = 8;

/// The most bytes of events in a message.
const MAX_MESSAGE_BYTES: usize = 256 << 10;

/// The beginning of a message with events.
const BEGIN: &[u8] = b"event: events\ndata: {\"events\":[";

/// Ticks between two messages with counts.
const TERM_TICKS: u32 = 5;

/// What a page watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http::web) struct Watch {
    pub(in crate::http::web) filter: Vec<u8>,
    /// Whether events are counted at each term instead of shown.
    pub(in crate::http::web) explain: bool,
}

/// For the log, on one line.
impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.explain { "counts" } else { "events" };
        write!(f, "{what} of `{}`", self.filter.escape_ascii())
    }
}

/// An open observer.
#[derive(Debug)]
pub(super) struct Source {
    number: u64,
    view: View,
    dialect: Dialect,
    rules: FieldRules,
    ticks: u32,
}

#[derive(Debug)]
enum View {
    Events {
        tap: Arc<Tap>,
        events: mpsc::Receiver<ReservedText>,
        /// The events that were skipped before the last message.
        skipped: u64,
    },
    Terms(Arc<TermCounter>),
}

/// Ends an observer.
pub(super) fn close(source: &Source, handle: &Handle) {
    handle.untap(source.number);
}

impl Source {
    pub(super) async fn open(
        watch: &Watch,
        handle: &Handle,
        asks: bool,
    ) -> Result<Self, ControlError> {
        let open = handle.tap(TapRequest {
            audience: Audience::Pages,
            asks,
            filter: watch.filter.clone(),
            format: b"json".to_vec(),
            explain: watch.explain,
            ask_for: Vec::new(),
            past: false,
            live: true,
            memory: handle.answers.clone(),
        });
        let OpenTap {
            number,
            view,
            events,
            ..
        } = open.await?;
        let view = match (view, events) {
            (TapView::Events(tap), Some(events)) => View::Events {
                tap,
                events,
                skipped: 0,
            },
            (TapView::Events(tap), None) => {
                debug_assert!(false, "live events were requested");
                let (_, events) = mpsc::channel(1);
                View::Events {
                    tap,
                    events,
                    skipped: 0,
                }
            }
            (TapView::Counts(counter), _) => View::Terms(counter),
        };
        let settings = &handle.live.borrow().settings;
        Ok(Self {
            number,
            view,
            dialect: settings.dialect,
            rules: rules_of_exporters(settings),
            ticks: 0,
        })
    }

    /// Whether it was opened with these settings.
    pub(super) fn follows(&self, settings: &Settings) -> bool {
        self.dialect == settings.dialect && self.rules == rules_of_exporters(settings)
    }

    /// Returns the next message, if there is one, and its number of events; `share` is
    /// the number of filters that share the events of a tick.
    pub(super) fn next(&mut self, share: usize, memory: &Budget) -> Option<(Bytes, u64)> {
        match &mut self.view {
            View::Events {
                tap,
                events,
                skipped,
            } => {
                let most = (MAX_EVENTS / share).max(MIN_EVENTS);
                events_message(events, (tap, skipped), most, memory)
            }
            View::Terms(counter) => {
                self.ticks += 1;
                if self.ticks % TERM_TICKS != 1 {
                    return None;
                }
                let (seen, terms) = counter.counts();
                let is_hiding = self.rules != FieldRules::default();
                let data = counts_value(seen, &terms, is_hiding);
                let text = format!("event: terms\ndata: {data}\n\n").into_bytes();
                // Without memory, pages wait for the next counts.
                let text = ReservedText::of(text, memory)?;
                Some((Bytes::from_owner(text), 0))
            }
        }
    }
}

/// Returns a message with the events that wait; `None` without one.
fn events_message(
    events: &mut mpsc::Receiver<ReservedText>,
    (tap, skipped_before): (&Tap, &mut u64),
    most: usize,
    memory: &Budget,
) -> Option<(Bytes, u64)> {
    let mut text = ReservedText::new(memory);
    let (mut shown, mut dropped) = (0_u64, 0_u64);
    let mut bytes = 0;
    for _ in 0..most {
        let Ok(event) = events.try_recv() else { break };
        let event = event.as_ref();
        bytes += event.len();
        let separator: &[u8] = if shown == 0 { BEGIN } else { b"," };
        // In one piece, so that a message never ends with a separator.
        let piece = [separator, event].concat();
        if bytes > MAX_MESSAGE_BYTES || text.push(&piece).is_err() {
            dropped += 1;
            break;
        }
        shown += 1;
    }
    let all = tap.skipped.load(Ordering::Relaxed);
    let skipped = all - std::mem::replace(skipped_before, all) + dropped;
    if shown + skipped == 0 {
        return None;
    }
    let begun = if shown == 0 { BEGIN } else { b"" };
    let end = format!("],\"skipped\":{skipped}}}\n\n");
    if text.push(&[begun, end.as_bytes()].concat()).is_err() {
        // Without memory for the end, the events are lost; their number is told later.
        tap.skipped.fetch_add(shown + skipped, Ordering::Relaxed);
        return None;
    }
    Some((Bytes::from_owner(text), shown))
}
