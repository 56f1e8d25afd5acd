//! Ids in what is written, where they are asked for.

use fantail_event::{EffectiveBuffers, EffectiveEvent, ExportView, SentEvent, Timestamp};
use fantail_format::{EventIds, Formatter};

use super::*;
use crate::event::{CONTEXT, View, format};

/// A field that is called like the id, too.
const EVENT: &[u8] = b"nx\tSevent_id\tmine\tIid\t7";

fn check_ids(kind: Format, expected: [&str; 2]) {
    let sent = Sent::alone(EVENT);
    sent.send(Dialect::V2_4, |sent| check_sent_ids(sent, kind, expected));
}

fn check_sent_ids(sent: &SentEvent<'_>, kind: Format, expected: [&str; 2]) {
    let mut buffers = EffectiveBuffers::new();
    let view = View::without_duration(buffers.gather(sent), sent);
    let event = EffectiveEvent::from(&view as &dyn ExportView);
    let start = Timestamp::from_unix_micros(0x5f_0c2b);
    for (event_id, expected) in [true, false].into_iter().zip(expected) {
        let formatter = Formatter::new(FormatterSettings {
            event_id,
            ..settings(kind, Dialect::V2_4)
        });
        let mut ids = EventIds::new(start, 0xab, 1);
        for number in 1..12 {
            let mut out = Vec::new();
            formatter.write_numbered(&event, &mut ids, CONTEXT, &mut out);
            let expected = expected.replace("<id>", &format!("5f0c2b-000000ab-1-{number}"));
            assert_eq!(
                out.escape_ascii().to_string(),
                expected.escape_default().to_string()
            );
        }
        // Without ids, none are written.
        let out = format(&formatter, &event);
        assert!(!out.windows(6).any(|six| six == b"5f0c2b"));
    }
}

#[test]
fn each_format_has_a_place_for_them() {
    check_ids(
        Format::Json,
        [
            r#"{"event_id":"<id>","event":"x","fields":{"event_id":"mine","id":7}}"#,
            r#"{"event":"x","fields":{"event_id":"mine","id":7}}"#,
        ],
    );
    check_ids(
        Format::TabText,
        [
            "event_id:<id>\tevent:x\tfield:event_id=mine\tfield:id=7",
            "event:x\tfield:event_id=mine\tfield:id=7",
        ],
    );
    check_ids(
        Format::Ndjson,
        [
            r#"{"event_id":"<id>","event":"x","field_event_id":"mine","id":7}"#,
            r#"{"event":"x","field_event_id":"mine","id":7}"#,
        ],
    );
    check_ids(
        Format::Logfmt,
        [
            "event_id=<id> event=x field_event_id=mine id=7",
            "event=x field_event_id=mine id=7",
        ],
    );
    let message =
        "MESSAGE=event=x field_event_id=mine id=7\nPRIORITY=6\nSYSLOG_IDENTIFIER=fantail\n";
    let fields = "DOVECOT_EVENT=x\nDOVECOT_FIELD_EVENT_ID=mine\nDOVECOT_FIELD_ID=7\n";
    check_ids(
        Format::Journal,
        [
            &format!("{message}DOVECOT_EVENT_ID=<id>\n{fields}"),
            &format!("{message}{fields}"),
        ],
    );
    let rest = r#"event="x" field_event_id="mine" id="7"] event=x field_event_id=mine id=7"#;
    check_ids(
        Format::StructuredData,
        [
            &format!(r#"[event@32473 event_id="<id>" {rest}"#),
            &format!("[event@32473 {rest}"),
        ],
    );
    check_ids(Format::None, ["", ""]);
}
