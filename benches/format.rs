//! `fantail-format` compared with `serde_json`, for all parts of an event. All
//! formats take turns, and the result is the median of the rounds' ratios.
//!
//! `serde_json` writes the same bytes for the same event, which is checked,
//! with a `Serialize` that copies only invalid text, and writes times without
//! `fmt`. The first comparison begins with an event that includes its inherited
//! fields, the second with an event and its ancestors in a server, whose
//! inherited fields are gathered first. An exported event was read just before,
//! so it is in the processor's caches: a few events at a time are written
//! several times before the next ones.

#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program whose output is the result"
)]

use std::{env, hint::black_box};

use fantail_benches::{
    Recording, Sending,
    rounds::{Turn, take_turns},
};
use fantail_event::{
    EffectiveBuffers, EffectiveEvent, Elements, Event, ExportView, Timestamp, ValueRef,
};
use fantail_format::{ExportContext, Format, Formatter, FormatterSettings};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use time::OffsetDateTime;

const CONTEXT: ExportContext<'_> = ExportContext {
    host: b"mail.example.org",
    received_at: Timestamp::from_unix_micros(0),
};

/// A formatter with the default configuration.
fn formatter(recording: &Recording, format: Format) -> Formatter {
    Formatter::new(FormatterSettings::new(format, recording.dialect))
}

/// The number of events in one round, which the caches hold.
const AT_A_TIME: usize = 64;
/// The number of rounds for these events.
const REPEATED: usize = 8;

/// Calls `each` with a few events several times, then with the next ones.
fn repeatedly<T>(all: &[T], mut each: impl FnMut(&T)) {
    for few in all.chunks(AT_A_TIME) {
        for _ in 0..REPEATED {
            few.iter().for_each(&mut each);
        }
    }
}

/// Lets `serde_json` and all formats take turns, each with one pass over all
/// events: `each` calls its argument with the view of each event.
fn beside_serde_json(
    title: &str,
    rounds: usize,
    recording: &Recording,
    mut each: impl FnMut(&mut dyn FnMut(&EffectiveEvent<'_>)),
) {
    let formatters = Format::NAMES.iter();
    let formatters: Vec<(&str, Formatter)> = formatters
        .map(|(name, format)| (*name, formatter(recording, *format)))
        .collect();
    let mut count = 0_u32;
    each(&mut |flat| {
        count += 1;
        compare(flat, recording);
    });
    let each = std::cell::RefCell::new(each);
    let pass = |write: &dyn Fn(&EffectiveEvent<'_>, &mut Vec<u8>)| {
        let mut out = Vec::new();
        each.borrow_mut()(&mut |flat| {
            out.clear();
            write(flat, &mut out);
            black_box(&out);
        });
    };
    let mut turns: Vec<Box<dyn FnMut() + '_>> = Vec::new();
    turns.push(Box::new(|| {
        pass(&|flat, out| _ = serde_json::to_writer(out, &Peer(flat)).ok());
    }));
    let pass = &pass;
    for (_, formatter) in &formatters {
        turns.push(Box::new(move || {
            pass(&|flat, out| formatter.write(flat, CONTEXT, out));
        }));
    }
    let names = formatters.iter().map(|(name, _)| *name);
    let names = std::iter::once("serde_json").chain(names);
    let mut all: Vec<Turn<'_>> = names
        .zip(turns.iter_mut().map(|turn| &mut **turn as &mut dyn FnMut()))
        .collect();
    let distinct = count as usize / REPEATED;
    println!("{title}, {distinct} events, each {REPEATED} times, {rounds} rounds");
    println!(
        "  {:<16} {:>12} {:>22}",
        "", "an event", "times serde_json's speed"
    );
    for row in take_turns(rounds, &mut all) {
        let (name, fastest) = (row.name, row.fastest / count.max(1));
        println!("  {name:<16} {fastest:>12?} {:>22.2}", row.speed);
    }
}

/// Checks that both write the same; otherwise the comparison has no meaning.
fn compare(flat: &EffectiveEvent<'_>, recording: &Recording) {
    let mut ours = Vec::new();
    formatter(recording, Format::Json).write(flat, CONTEXT, &mut ours);
    let theirs = serde_json::to_vec(&Peer(flat)).unwrap_or_default();
    assert_eq!(
        ours.escape_ascii().to_string(),
        theirs.escape_ascii().to_string()
    );
}

fn main() {
    // Cargo passes an argument to benchmarks; a number is the number of rounds.
    let rounds = env::args().find_map(|argument| argument.parse().ok());
    let rounds = rounds.unwrap_or(40);
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let mut buffers = EffectiveBuffers::new();
    let mut whole = |sending: &Sending| {
        let made = sending.with(&categories, |sent| buffers.gather(sent).to_event());
        made.unwrap_or_default()
    };
    let events: Vec<Event> = sendings.iter().map(&mut whole).collect();
    let whole: Vec<Whole> = events.into_iter().map(Whole).collect();
    beside_serde_json(
        "From an event of another type",
        rounds,
        &recording,
        |write| {
            repeatedly(&whole, |event| {
                write(&EffectiveEvent::from(event as &dyn ExportView));
            });
        },
    );
    beside_serde_json("From a sent event", rounds, &recording, |write| {
        repeatedly(&sendings, |sending| {
            sending.with(&categories, |sent| write(&buffers.gather(sent)));
        });
    });
}

/// An event of another type, which includes its inherited fields.
struct Whole(Event);

impl fantail_event::EventView for Whole {
    fn name(&self) -> Option<&[u8]> {
        self.0.as_event_ref().name()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        self.0.as_event_ref().field(key)
    }
}

impl ExportView for Whole {
    fn created(&self) -> Timestamp {
        self.0.as_event_ref().created()
    }

    fn sent(&self) -> Option<Timestamp> {
        self.0.as_event_ref().sent()
    }

    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.as_event_ref().categories().for_each(each);
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        for (key, value) in self.0.as_event_ref().fields() {
            each(key, value);
        }
    }
}

/// An event for serde.
struct Peer<'e>(&'e EffectiveEvent<'e>);

impl Serialize for Peer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(name) = event.name() {
            map.serialize_entry("event", &String::from_utf8_lossy(name))?;
        }
        map.serialize_entry("hostname", &String::from_utf8_lossy(CONTEXT.host))?;
        map.serialize_entry("start_time", &PeerTime(event.created()))?;
        map.serialize_entry("end_time", &PeerTime(event.sent().unwrap_or_default()))?;
        map.serialize_entry("categories", &PeerList(event.categories()))?;
        map.serialize_entry("fields", &PeerFields(event))?;
        map.end()
    }
}

struct PeerFields<'e>(&'e EffectiveEvent<'e>);

impl Serialize for PeerFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut written = Ok(());
        self.0.each_field(|key, value| {
            if written.is_ok() {
                written = map.serialize_entry(&String::from_utf8_lossy(key), &PeerValue(value));
            }
        });
        written?;
        map.end()
    }
}

struct PeerValue<'e>(ValueRef<'e>);

impl Serialize for PeerValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ValueRef::Str(text) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            ValueRef::Int(number) => serializer.serialize_i64(number),
            ValueRef::Unsigned(number) => serializer.serialize_u64(number),
            ValueRef::Float(number) => serializer.serialize_f64(number),
            ValueRef::Bool(truth) => serializer.serialize_bool(truth),
            ValueRef::Time(time) => PeerTime(time).serialize(serializer),
            ValueRef::Ip(ip) => serializer.collect_str(&ip),
            ValueRef::List(list) => PeerList(list).serialize(serializer),
        }
    }
}

struct PeerList<'e>(Elements<'e>);

impl Serialize for PeerList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        let mut written = Ok(());
        self.0.for_each(|element| {
            if written.is_ok() {
                written = sequence.serialize_element(&String::from_utf8_lossy(element));
            }
        });
        written?;
        sequence.end()
    }
}

struct PeerTime(Timestamp);

impl Serialize for PeerTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(date) = OffsetDateTime::from_unix_timestamp(self.0.seconds()) else {
            return serializer.serialize_none();
        };
        let (year, month, day) = date.to_calendar_date();
        let (hour, minute, second) = date.to_hms();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        for (from, to, number) in [
            (0, 4, year.unsigned_abs()),
            (5, 7, u8::from(month).into()),
            (8, 10, day.into()),
            (11, 13, hour.into()),
            (14, 16, minute.into()),
            (17, 19, second.into()),
            (20, 26, self.0.subsec_micros()),
        ] {
            let mut rest = number;
            for place in text[from..to].iter_mut().rev() {
                *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
        }
        serializer.serialize_str(&String::from_utf8_lossy(&text))
    }
}
