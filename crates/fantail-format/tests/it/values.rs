//! Values that no event of Dovecot has, in every format: unsigned numbers, floats
//! and truth values.

use fantail_event::{Event, EventBuilder, SentEvent, Timestamp, ValueRef};
use fantail_format::{HashKey, KeyPattern, Mask};
use serde_json::{Value as Json, json};

use super::*;
use crate::event::write_sent;

/// One of each kind, and floats that are no numbers of JSON.
const FIELDS: [(&str, ValueRef<'static>); 9] = [
    ("large", ValueRef::Unsigned(u64::MAX)),
    ("ratio", ValueRef::Float(1.5)),
    ("whole", ValueRef::Float(-42.0)),
    ("tiny", ValueRef::Float(5e-324)),
    ("nan", ValueRef::Float(f64::NAN)),
    ("inf", ValueRef::Float(f64::INFINITY)),
    ("less", ValueRef::Float(f64::NEG_INFINITY)),
    ("tls", ValueRef::Bool(true)),
    ("cached", ValueRef::Bool(false)),
];

fn event(fields: &[(&str, ValueRef<'_>)]) -> Event {
    let set = |event: EventBuilder, (key, value): &(&str, ValueRef<'_>)| event.field(key, *value);
    let named = Event::builder(Timestamp::from_unix_micros(5)).name("x");
    fields.iter().fold(named, set).build().unwrap()
}

fn written(settings: FormatterSettings) -> String {
    let event = event(&FIELDS);
    let out = write_sent(&SentEvent::alone(&event), settings);
    String::from_utf8(out).unwrap()
}

const JSON: &str = r#""large":18446744073709551615,"ratio":1.5,"whole":-42.0,"tiny":5e-324,"nan":"NaN","inf":"inf","less":"-inf","tls":true,"cached":false"#;
const OTLP: &str = concat!(
    r#"{"severityNumber":9,"severityText":"info","eventName":"x","attributes":["#,
    r#"{"key":"large","value":{"stringValue":"18446744073709551615"}},"#,
    r#"{"key":"ratio","value":{"doubleValue":1.5}},"#,
    r#"{"key":"whole","value":{"doubleValue":-42.0}},"#,
    r#"{"key":"tiny","value":{"doubleValue":5e-324}},"#,
    r#"{"key":"nan","value":{"doubleValue":"NaN"}},"#,
    r#"{"key":"inf","value":{"doubleValue":"Infinity"}},"#,
    r#"{"key":"less","value":{"doubleValue":"-Infinity"}},"#,
    r#"{"key":"tls","value":{"boolValue":true}},"#,
    r#"{"key":"cached","value":{"boolValue":false}}]}"#,
);
const LOGFMT: &str = "large=18446744073709551615 ratio=1.5 whole=-42.0 tiny=5e-324 nan=NaN inf=inf less=-inf tls=yes cached=no";

#[test]
fn every_format() {
    let tab_text = LOGFMT.replace(' ', "\tfield:");
    let journal: String = LOGFMT
        .split(' ')
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap();
            format!("DOVECOT_FIELD_{}={value}\n", key.to_uppercase())
        })
        .collect();
    let quoted = LOGFMT.replace('=', "=\"").replace(' ', "\" ");
    let expected = [
        (
            Format::Json,
            format!(r#"{{"event":"x","fields":{{{JSON}}}}}"#),
        ),
        (Format::Ndjson, format!(r#"{{"event":"x",{JSON}}}"#)),
        (Format::TabText, format!("event:x\tfield:{tab_text}")),
        (Format::Logfmt, format!("event=x {LOGFMT}")),
        (
            Format::Journal,
            format!(
                "MESSAGE=event=x {LOGFMT}\nPRIORITY=6\nSYSLOG_IDENTIFIER=fantail\n\
                 DOVECOT_EVENT=x\n{journal}"
            ),
        ),
        (
            Format::StructuredData,
            format!("[event@32473 event=\"x\" {quoted}\"] event=x {LOGFMT}"),
        ),
        (Format::Otlp, OTLP.to_owned()),
        (Format::None, String::new()),
    ];
    assert_eq!(expected.len(), Format::NAMES.len());
    for (format, expected) in expected {
        for dialect in [Dialect::V2_3, Dialect::V2_4] {
            assert_eq!(written(settings(format, dialect)), expected);
        }
    }
}

/// A reader of JSON gets numbers and truth values.
#[test]
fn json_keeps_their_kinds() {
    let line = written(settings(Format::Ndjson, Dialect::V2_4));
    let read: Json = serde_json::from_str(&line).unwrap();
    let expected = json!({
        "event": "x", "large": u64::MAX, "ratio": 1.5, "whole": -42.0, "tiny": 5e-324,
        "nan": "NaN", "inf": "inf", "less": "-inf", "tls": true, "cached": false,
    });
    assert_eq!(read, expected);
}

/// Chosen fields, and masks: a hash is that of the value's text, numbers are not
/// cut, and what is no address is no network.
#[test]
fn rules_take_them() {
    let masked = |mask| FormatterSettings {
        fields: ["ratio", "tls", "large"].map(Into::into).into(),
        rules: FieldRules {
            masks: vec![(KeyPattern::new("*"), mask)],
            ..FieldRules::default()
        },
        ..settings(Format::Ndjson, Dialect::V2_4)
    };
    let cut = r#"{"event":"x","ratio":1.5,"tls":true,"large":18446744073709551615}"#;
    assert_eq!(written(masked(Mask::Truncate(1))), cut);
    let network = Mask::Network { v4: 24, v6: 56 };
    let empty = r#"{"event":"x","ratio":"","tls":"","large":""}"#;
    assert_eq!(written(masked(network)), empty);
    let hash = || Mask::Hash(HashKey::new(b"of sixteen bytes\n").unwrap());
    let texts = [
        ("ratio", ValueRef::from("1.5")),
        ("tls", ValueRef::from("yes")),
        ("large", ValueRef::from("18446744073709551615")),
    ];
    let of_texts = write_sent(&SentEvent::alone(&event(&texts)), masked(hash()));
    assert_eq!(
        written(masked(hash())),
        String::from_utf8(of_texts).unwrap()
    );
}
