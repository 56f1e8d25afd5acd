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

use fantail_event::{Dialect, SentEvent};
use fantail_filter::Filter;
use fantail_format::{FieldRules, Format, Formatter, FormatterSettings, Moment, Parts, TimeStyle};
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

    /// Shows an event if it matches and there is room.
    pub(crate) fn offer(&self, sent: &SentEvent<'_>, moment: Moment<'_>) {
        if !self.filter.evaluate(sent) {
            return;
        }
        // Asked before it is written: under a flood that is most of the cost.
        let Ok(place) = self.events.try_reserve() else {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut line = Vec::new();
        self.formatter.write(sent, moment, &mut line);
        place.send(line);
    }
}
