//! `fantail-format`: a sent event to bytes, everything included.
//!
//! One iteration is one whole recording; criterion's figures per element are
//! for one event. `flatten` is what all formats begin with.
//!
//! The second group begins with events that are flattened already, and has
//! `serde_json` beside our writers: it writes the same object, by a
//! `Serialize` of its own that copies nothing but broken text.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{Recording, group};
use fantail_event::{Event, Timestamp, Value};
use fantail_format::{FieldRules, Format, Formatter, FormatterSettings, Moment, Parts, TimeStyle};
use serde::{Serialize, Serializer, ser::SerializeMap};
use time::OffsetDateTime;

const MOMENT: Moment<'_> = Moment {
    hostname: b"mail.example.org",
    now: Timestamp::from_unix_micros(0),
};

/// A formatter as the default configuration has it.
fn formatter(recording: &Recording, format: Format) -> Formatter {
    Formatter::new(FormatterSettings {
        format,
        time_style: TimeStyle::Rfc3339,
        parts: Parts::ALL,
        fields: Vec::new(),
        rules: FieldRules::default(),
        cut_long_strings: false,
        dialect: recording.dialect,
    })
}

fn formats(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let mut group = group(criterion, "format", sendings.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(sent));
            }
        });
    });
    group.bench_function("flatten", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(sent.flatten()));
            }
        });
    });
    let mut out = Vec::new();
    for (name, format) in Format::NAMES {
        let formatter = formatter(&recording, *format);
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                for sending in &sendings {
                    out.clear();
                    sending.with(&categories, |sent| formatter.write(sent, MOMENT, &mut out));
                    black_box(&out);
                }
            });
        });
    }
    group.finish();
}

fn beside_serde_json(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let flat = |sending: &fantail_benches::Sending| {
        sending.with(&categories, |sent| sent.flatten().into_owned())
    };
    let events: Vec<Event<'_>> = sendings.iter().map(flat).collect();
    let mut group = group(criterion, "format_flat", events.len());
    let mut out = Vec::new();
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| {
            for event in &events {
                out.clear();
                serde_json::to_writer(&mut out, &Peer(event)).ok();
                black_box(&out);
            }
        });
    });
    for (name, format) in Format::NAMES {
        let formatter = formatter(&recording, *format);
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                for event in &events {
                    out.clear();
                    formatter.write_flat(event, MOMENT, &mut out);
                    black_box(&out);
                }
            });
        });
    }
    group.finish();
    compare(&recording, &events);
}

/// Both write the same, or the comparison means nothing.
fn compare(recording: &Recording, events: &[Event<'_>]) {
    let formatter = formatter(recording, Format::Json);
    for event in events {
        let mut ours = Vec::new();
        formatter.write_flat(event, MOMENT, &mut ours);
        let theirs = serde_json::to_vec(&Peer(event)).unwrap_or_default();
        assert_eq!(
            ours.escape_ascii().to_string(),
            theirs.escape_ascii().to_string()
        );
    }
}

/// An event for serde.
struct Peer<'e>(&'e Event<'e>);

impl Serialize for Peer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(name) = &event.name {
            map.serialize_entry("event", &String::from_utf8_lossy(name))?;
        }
        map.serialize_entry("hostname", &String::from_utf8_lossy(MOMENT.hostname))?;
        map.serialize_entry("start_time", &PeerTime(event.created))?;
        map.serialize_entry("end_time", &PeerTime(event.sent.unwrap_or_default()))?;
        map.serialize_entry("categories", &PeerList(&event.categories))?;
        map.serialize_entry("fields", &PeerFields(event))?;
        map.end()
    }
}

struct PeerFields<'e>(&'e Event<'e>);

impl Serialize for PeerFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.fields();
        serializer.collect_map(
            fields
                .iter()
                .map(|field| (String::from_utf8_lossy(&field.key), PeerValue(&field.value))),
        )
    }
}

struct PeerValue<'e>(&'e Value<'e>);

impl Serialize for PeerValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Str(text) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Time(time) => PeerTime(*time).serialize(serializer),
            Value::Ip(ip) => serializer.collect_str(ip),
            Value::List(list) => PeerList(list).serialize(serializer),
        }
    }
}

struct PeerList<'e>(&'e [fantail_event::Bytes<'e>]);

impl Serialize for PeerList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let elements = self.0.iter();
        serializer.collect_seq(elements.map(|element| String::from_utf8_lossy(element)))
    }
}

struct PeerTime(Timestamp);

impl Serialize for PeerTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(date) = OffsetDateTime::from_unix_timestamp(self.0.seconds()) else {
            return serializer.serialize_none();
        };
        serializer.collect_str(&format_args!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute(),
            date.second(),
            self.0.subsec_micros()
        ))
    }
}

criterion_group!(benches, formats, beside_serde_json);
criterion_main!(benches);
