//! A tap: its request, and the lines of its answer.
//!
//! The input's first line is a request. The others are events in their text
//! form, and lines of an answer.

use fantail_event::{CategoryTree, Dialect, EffectiveBuffers, Event, SentEvent, Timestamp};
use fantail_format::{ExportContext, Format, Formatter, FormatterSettings};
use fantail_wire::reader::{Request, TapLine};

use crate::reader_request::{one_line, request_survives};

const CONTEXT: ExportContext<'_> = ExportContext {
    host: b"host",
    received_at: Timestamp::from_unix_micros(1_795_328_191_000_000),
};

/// The request can be written and parsed again; each event is one line in each
/// format of a tap, and the reader of the answer gets it unchanged.
///
/// # Panics
/// Panics if this does not hold.
pub fn tap(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let request = lines.next().unwrap_or_default();
    request_survives(request);
    let asked = match Request::parse(request) {
        Ok(Some(Request::Tap(parts))) => Format::from_name(&parts.format),
        _ => None,
    };
    let formatters = [
        Format::Json,
        Format::TabText,
        Format::Logfmt,
        Format::Ndjson,
    ];
    let asked = formatters.into_iter().filter(|one| Some(*one) == asked);
    let formatters: Vec<_> = asked.chain([Format::Json]).map(formatter).collect();
    let mut categories = CategoryTree::default();
    assert_eq!(categories.register(b"mail", None), Ok(()));
    for line in lines {
        answer_survives(line);
        let Ok(event) = Event::parse(line, &categories, Dialect::V2_4) else {
            continue;
        };
        let mut buffers = EffectiveBuffers::new();
        let sent = SentEvent {
            categories: &categories,
            ..SentEvent::alone(&event)
        };
        let effective = buffers.gather(&sent);
        for formatter in &formatters {
            let mut shown = Vec::new();
            formatter.write(&effective, CONTEXT, &mut shown);
            survives(TapLine::Event(&shown));
        }
    }
}

fn formatter(format: Format) -> Formatter {
    Formatter::new(FormatterSettings {
        cut_long_strings: true,
        ..FormatterSettings::new(format, Dialect::V2_4)
    })
}

fn answer_survives(line: &[u8]) {
    if let Some(answer) = TapLine::parse(line) {
        survives(answer);
    }
}

fn survives(answer: TapLine<'_>) {
    let mut written = Vec::new();
    answer.write(&mut written);
    assert_eq!(TapLine::parse(one_line(&written)), Some(answer));
}
