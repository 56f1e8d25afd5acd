//! The end time of an export is the time of sending: from the start time to it is
//! the duration. Dovecot writes when its stats process came to the event: in one
//! recorded export the times are 2,633 µs apart and the duration is 1,241 µs.

use fantail_event::Timestamp;
use fantail_event::{Dialect, EffectiveBuffers};
use fantail_format::{ExportContext, Format, Formatter, FormatterSettings, Parts, TimeStyle};

use crate::{event::Sent, settings};

/// 2026-11-22T06:16:31.267241Z and 732,764 µs later.
const TIMES: [&str; 2] = ["1795328191.267241", "1795328192.000005"];

#[track_caller]
fn check(format: Format, dialect: Dialect, times: [&str; 2]) {
    let sent = Sent::alone(b"nx");
    let settings = FormatterSettings {
        time_style: TimeStyle::Unix,
        parts: Parts {
            timestamps: true,
            fields: true,
            ..Parts::EMPTY
        },
        ..settings(format, dialect)
    };
    let formatter = Formatter::new(settings);
    // When it was received changes nothing.
    for received in [0, 1, 1_795_328_199_000_000, i64::MAX] {
        let context = ExportContext {
            host: b"vm",
            received_at: Timestamp::from_unix_micros(received),
        };
        let mut written = Vec::new();
        sent.send(dialect, |sent| {
            let mut buffers = EffectiveBuffers::new();
            formatter.write(&buffers.gather(sent), context, &mut written);
        });
        let text = String::from_utf8(written).unwrap();
        for part in times.into_iter().chain(["732764"]) {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

#[test]
fn from_start_to_end_is_the_duration() {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        for format in [
            Format::Json,
            Format::TabText,
            Format::Ndjson,
            Format::Logfmt,
        ] {
            check(format, dialect, TIMES);
        }
    }
}
