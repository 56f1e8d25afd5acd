//! Taps: events shown as they pass, to one who asks for a while.
//!
//! A tap has a filter of its own, which the clients are asked for as long as
//! it is there. It can make nobody wait and fill nothing: its queue is short,
//! what does not fit is passed over and counted, and it ends by itself.

mod serve;

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

pub(crate) use self::serve::serve;

/// How many taps there may be at one time.
pub(crate) const TAPS: usize = 16;

/// Events that wait to be shown.
const QUEUE: usize = 64;

/// A tap at work; the control and all workers share it.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) number: u64,
    pub(crate) filter: Filter,
    formatter: Formatter,
    events: mpsc::Sender<Vec<u8>>,
    /// Events that matched, but were not shown.
    pub(crate) skipped: AtomicU64,
}

impl Tap {
    /// A tap, and where its events come out; `Err` says what is wrong with
    /// the filter or the format.
    pub(crate) fn open(
        number: u64,
        filter: &[u8],
        format: &[u8],
        dialect: Dialect,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Vec<u8>>), String> {
        let filter = Filter::parse(filter, &ParseOptions::new(dialect))
            .map_err(|errors| errors.to_string())?;
        if filter.is_empty() {
            return Err("the filter is empty".to_owned());
        }
        let known = Format::from_name(format).filter(|format| {
            // Others are not lines, or empty.
            matches!(
                format,
                Format::Json | Format::TabText | Format::Logfmt | Format::Ndjson
            )
        });
        let Some(format) = known else {
            return Err("the format is none of json, tab-text, logfmt and ndjson".to_owned());
        };
        let (events, shown) = mpsc::channel(QUEUE);
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

    /// Whether one more event fits into the queue; counts it as skipped if not.
    /// Asked before the event is written: under a flood, writing is most of the
    /// cost.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = self.events.capacity() > 0;
        if !has_room {
            self.skipped.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    /// Shows an event that matched.
    pub(crate) fn show(&self, event: &EffectiveEvent<'_>, context: ExportContext<'_>) {
        let mut line = Vec::new();
        self.formatter.write(event, context, &mut line);
        if self.events.try_send(line).is_err() {
            self.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
