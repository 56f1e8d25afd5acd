//! ndjson, logfmt and journal entries, read by readers that are not ours, or
//! that know only the rules of the format.

use std::collections::BTreeMap;

use fantail_event::{Dialect, Event, SentEvent, Timestamp};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::event::write_sent;

const EVENT: &[u8] = b"nimap_command_finished\tcleaf1\tSuser\tbob\tIbytes\t-5\tTt\t1795328191\t7\tLl\t2\ta,b\tc d\tSevent\tx\tSfield_event\ty\tSempty\t";

fn all(format: Format) -> FormatterSettings {
    FormatterSettings {
        parts: Parts::ALL,
        ..settings(format, Dialect::V2_4)
    }
}

#[track_caller]
fn check(event: &[u8], settings: FormatterSettings, expected: &str) {
    let sent = Sent::alone(event);
    check_sent(&sent, settings, expected.as_bytes());
}

#[test]
fn fields_stand_at_the_top_and_never_collide() {
    check(
        EVENT,
        all(Format::Ndjson),
        r#"{"event":"imap_command_finished","hostname":"vm","start_time":"2026-11-22T06:16:31.267241Z","end_time":"2026-11-22T06:16:32.000005Z","categories":["leaf1","mid1","root1"],"user":"bob","bytes":-5,"t":"2026-11-22T06:16:31.000007Z","l":["a,b","c d"],"field_event":"x","field_field_event":"y","empty":""}"#,
    );
    check(
        EVENT,
        all(Format::Logfmt),
        r#"event=imap_command_finished hostname=vm start_time=2026-11-22T06:16:31.267241Z end_time=2026-11-22T06:16:32.000005Z categories=leaf1,mid1,root1 user=bob bytes=-5 t=2026-11-22T06:16:31.000007Z l="a\\,b,c d" field_event=x field_field_event=y empty="""#,
    );
}

#[test]
fn nothing_included_is_little() {
    for (format, expected) in [(Format::Ndjson, "{}"), (Format::Logfmt, "")] {
        let settings = FormatterSettings {
            parts: Parts::EMPTY,
            ..settings(format, Dialect::V2_4)
        };
        check(EVENT, settings, expected);
    }
}

#[test]
fn what_a_client_sends_makes_no_line_and_no_pair() {
    let event =
        "nx\nevent=y\tSa\tb\x01nc\x01t d=e \"\\ \x1b[31m\x7f\u{9b}31m\u{2028}ä\tSk =\"%\x1b\tv"
            .as_bytes();
    check(
        event,
        settings(Format::Ndjson, Dialect::V2_4),
        r#"{"event":"x\nevent=y","a":"b\nc\t d=e \"\\ \u001b[31m\u007f\u009b31m\u2028ä","k =\"%\u001b":"v"}"#,
    );
    check(
        event,
        settings(Format::Logfmt, Dialect::V2_4),
        r#"event="x\nevent=y" a="b\nc\t d=e \"\\ \u001b[31m\u007f\u009b31m\u2028ä" k%20%3D%22%25%1B=v"#,
    );
}

#[test]
fn the_journal_gets_a_field_for_each() {
    let event = b"nx\tcleaf1\tSuser\tbob\tSsubject\ttwo\x01nlines\tLl\t2\ta\tb\tSOdd-key.1\tv";
    let expected = [
        &b"MESSAGE=event=x user=bob subject=\"two\\nlines\" l=a,b Odd-key.1=v\n"[..],
        b"PRIORITY=6\nSYSLOG_IDENTIFIER=fantail\nDOVECOT_EVENT=x\nDOVECOT_HOSTNAME=vm\n",
        b"DOVECOT_START_TIME=2026-11-22T06:16:31.267241Z\n",
        b"DOVECOT_END_TIME=2026-11-22T06:16:32.000005Z\n",
        b"DOVECOT_CATEGORY=leaf1\nDOVECOT_CATEGORY=mid1\nDOVECOT_CATEGORY=root1\n",
        b"DOVECOT_FIELD_USER=bob\n",
        b"DOVECOT_FIELD_SUBJECT\n\x09\0\0\0\0\0\0\0two\nlines\n",
        b"DOVECOT_FIELD_L=a\nDOVECOT_FIELD_L=b\nDOVECOT_FIELD_ODD_KEY_1=v\n",
    ]
    .concat();
    let sent = Sent::alone(event);
    check_sent(&sent, all(Format::Journal), &expected);
}

#[test]
fn structured_data_is_that_of_rfc_5424() {
    check(
        b"nx\tSuser\tbob\tSodd key=\ta\"b\\c]d\x01ne\tLl\t2\ta\tb\tSa_name_of_more_than_thirty_two_bytes\tv",
        settings(Format::StructuredData, Dialect::V2_4),
        r#"[event@32473 event="x" user="bob" odd_key_="a\"b\\c\]d\ne" l="a,b" a_name_of_more_than_thirty_two_b="v"] event=x user=bob odd%20key%3D="a\"b\\c]d\ne" l=a,b a_name_of_more_than_thirty_two_bytes=v"#,
    );
}

#[test]
fn long_fields_are_written_whole_in_all_formats() {
    let long = "0123456789".repeat(10_000);
    let event = format!("nx\tSlong\t{long}");
    for (format, expected) in [
        (
            Format::Json,
            format!(r#"{{"event":"x","fields":{{"long":"{long}"}}}}"#),
        ),
        (Format::TabText, format!("event:x\tfield:long={long}")),
        (
            Format::Ndjson,
            format!(r#"{{"event":"x","long":"{long}"}}"#),
        ),
        (Format::Logfmt, format!("event=x long={long}")),
    ] {
        check(event.as_bytes(), settings(format, Dialect::V2_4), &expected);
    }
}

#[test]
fn unnamed_events_have_no_name_in_all_formats() {
    for (name, format) in Format::NAMES {
        let sent = Sent::alone(b"Sa\tb");
        let written = write(&sent, all(*format));
        let text = String::from_utf8_lossy(&written).to_lowercase();
        assert!(!text.contains("event:"), "{name}: {text}");
        assert!(!text.contains("\"event\""), "{name}: {text}");
        assert!(!text.contains("dovecot_event"), "{name}: {text}");
    }
}

#[test]
fn categories_come_once_in_all_formats() {
    let sent = Sent {
        event: b"nx\tcleaf1\tcmid1",
        parents: &[b"cleaf1", b"croot1"],
        global: &[b"cleaf1"],
    };
    for (name, format) in Format::NAMES {
        if *format != Format::None {
            let written = write(&sent, all(*format));
            let found = written.windows(5).filter(|word| *word == b"leaf1");
            assert_eq!(found.count(), 1, "{name}");
        }
    }
}

#[test]
fn integers_are_json_numbers() {
    let event = b"nx\tIa\t9223372036854775807\tIb\t-9223372036854775808\tSc\t1";
    for (format, expected) in [
        (
            Format::Json,
            r#"{"event":"x","fields":{"a":9223372036854775807,"b":-9223372036854775808,"c":"1"}}"#,
        ),
        (
            Format::Ndjson,
            r#"{"event":"x","a":9223372036854775807,"b":-9223372036854775808,"c":"1"}"#,
        ),
    ] {
        check(event, settings(format, Dialect::V2_4), expected);
    }
}

/// Parses logfmt: pairs separated by spaces, values bare or in quotes with the
/// escapes of JSON.
fn read_logfmt(line: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = line;
    while let Some((key, value)) = rest.split_once('=') {
        let (value, behind) = if value.starts_with('"') {
            let mut reader = serde_json::Deserializer::from_str(value).into_iter::<String>();
            let text = reader.next().unwrap().unwrap();
            (text, value.split_at(reader.byte_offset()).1)
        } else {
            let end = value.find(' ').unwrap_or(value.len());
            (value[..end].to_owned(), &value[end..])
        };
        assert!(pairs.insert(key.to_owned(), value).is_none(), "{line}");
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    assert_eq!(rest, "", "{line}");
    pairs
}

/// A reader of the journal's protocol.
fn read_journal(mut entry: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields = Vec::new();
    while !entry.is_empty() {
        let line = entry.iter().position(|byte| *byte == b'\n').unwrap();
        let (head, behind) = entry.split_at(line);
        let behind = &behind[1..];
        if let Some(equals) = head.iter().position(|byte| *byte == b'=') {
            fields.push((head[..equals].to_vec(), head[equals + 1..].to_vec()));
            entry = behind;
        } else {
            let (length, behind) = behind.split_at(8);
            let length = u64::from_le_bytes(length.try_into().unwrap());
            let (value, behind) = behind.split_at(usize::try_from(length).unwrap());
            assert_eq!(behind[0], b'\n');
            fields.push((head.to_vec(), value.to_vec()));
            entry = &behind[1..];
        }
    }
    fields
}

fn write_fields(fields: &BTreeMap<Vec<u8>, Vec<u8>>, format: Format) -> Vec<u8> {
    let mut event = Event::builder(Timestamp::from_unix_micros(5)).name("n");
    for (key, value) in fields {
        event = event.field(key, value);
    }
    let event = event.build().unwrap();
    write_sent(&SentEvent::alone(&event), all(format))
}

proptest! {
    #[test]
    fn any_fields_are_read_back(
        fields in proptest::collection::btree_map("(?s)(event|field_|.){0,3}", "(?s).{0,20}", 0..6)
    ) {
        let bytes = fields.iter().map(|(key, value)| {
            (key.clone().into_bytes(), value.clone().into_bytes())
        }).collect();
        let line = String::from_utf8(write_fields(&bytes, Format::Ndjson)).unwrap();
        prop_assert!(!line.chars().any(char::is_control));
        let Json::Object(object) = serde_json::from_str(&line).unwrap() else { panic!() };
        prop_assert_eq!(object.len(), fields.len() + 5);
        let line = String::from_utf8(write_fields(&bytes, Format::Logfmt)).unwrap();
        prop_assert!(!line.chars().any(char::is_control));
        let pairs = read_logfmt(&line);
        prop_assert_eq!(pairs.len(), fields.len() + 5);
        let entry = read_journal(&write_fields(&bytes, Format::Journal));
        for (key, value) in &fields {
            let reserved = ["event_id", "event", "hostname", "start_time", "end_time", "categories"];
            let prefixed = reserved.contains(&key.as_str()) || key.starts_with("field_");
            let flat = if prefixed { format!("field_{key}") } else { key.clone() };
            prop_assert_eq!(&object[&flat], value);
            prop_assert!(pairs.values().any(|one| one == value));
            let kept = |(name, one): &(Vec<u8>, Vec<u8>)| {
                name.starts_with(b"DOVECOT_FIELD_") && one == value.as_bytes()
            };
            prop_assert!(entry.iter().any(kept));
        }
    }

    #[test]
    fn any_bytes_give_lines_of_utf_8(
        fields in proptest::collection::btree_map(
            proptest::collection::vec(any::<u8>(), 0..5),
            proptest::collection::vec(any::<u8>(), 0..40),
            0..6,
        )
    ) {
        for format in [Format::Json, Format::Ndjson, Format::Logfmt] {
            let line = String::from_utf8(write_fields(&fields, format)).unwrap();
            let breaks = line.chars().any(|character| matches!(character, '\0'..='\x1f'));
            prop_assert!(!breaks, "{line:?}");
        }
        let line = write_fields(&fields, Format::Ndjson);
        prop_assert!(serde_json::from_slice::<Json>(&line).is_ok());
    }
}
