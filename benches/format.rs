//! `fantail-format` beside `serde_json`, everything of an event included: all
//! take turns, and the median of the rounds' ratios counts.
//!
//! `serde_json` writes the same bytes of the same event, which is checked, by
//! a `Serialize` of its own that copies nothing but broken text, and writes
//! times without the detour through `fmt`. Once all begin with an event in
//! memory that has everything it inherits, once with the event and its
//! ancestors as a server keeps them, from which what is inherited is gathered
//! first. An event that is exported has just been read, so that it lies in the
//! processor's caches: a few at a time are written several times before the
//! next ones.

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
    CategoryTree, Elements, Event, Flat, FlatValue, Gather, KeptEvent, Level, RawSending, Scan,
    SentEvent, Timestamp, text,
};
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
        event_id: false,
        cut_long_strings: false,
        dialect: recording.dialect,
    })
}

/// One sending, as a server keeps what others inherit from.
struct Kept {
    event: KeptEvent,
    parents: Vec<KeptEvent>,
    global: Vec<KeptEvent>,
}

impl Kept {
    fn new(sent: &SentEvent<'_>, categories: &CategoryTree, recording: &Recording) -> Self {
        let mut scan = Scan::new();
        let mut keep = |event: &Event<'_>| {
            let mut line = Vec::new();
            text::write(event, &mut line);
            let read = scan.read(&line, categories, recording.dialect);
            // What was written is read back.
            read.map_or_else(|_| KeptEvent::default(), KeptEvent::new)
        };
        Self {
            event: keep(sent.event),
            parents: sent.parents.iter().map(|event| keep(event)).collect(),
            global: sent.global.iter().map(|event| keep(event)).collect(),
        }
    }

    /// What it inherits from, as a connection has it at hand.
    fn above(&self) -> [Vec<&KeptEvent>; 2] {
        [&self.parents, &self.global].map(|events| events.iter().collect())
    }
}

/// So many events at a time lie in the caches,
const AT_A_TIME: usize = 64;
/// and are written so many times.
const REPEATED: usize = 8;

/// Calls with each of a few, several times, then with the next ones.
fn repeatedly<T>(all: &[T], mut each: impl FnMut(&T)) {
    for few in all.chunks(AT_A_TIME) {
        for _ in 0..REPEATED {
            few.iter().for_each(&mut each);
        }
    }
}

/// Has `serde_json` and all formats take turns, each with one pass over
/// everything: `each` calls what it is given with the view of each event.
fn beside_serde_json(
    title: &str,
    rounds: usize,
    recording: &Recording,
    mut each: impl FnMut(&mut dyn FnMut(&Flat<'_>)),
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
    let pass = |write: &dyn Fn(&Flat<'_>, &mut Vec<u8>)| {
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
            pass(&|flat, out| formatter.write_view(flat, MOMENT, out));
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

/// Both write the same, or the comparison means nothing.
fn compare(flat: &Flat<'_>, recording: &Recording) {
    let mut ours = Vec::new();
    formatter(recording, Format::Json).write_view(flat, MOMENT, &mut ours);
    let theirs = serde_json::to_vec(&Peer(flat)).unwrap_or_default();
    assert_eq!(
        ours.escape_ascii().to_string(),
        theirs.escape_ascii().to_string()
    );
}

fn main() {
    // Cargo tells a benchmark that it is one; a number says how many rounds.
    let rounds = env::args().find_map(|argument| argument.parse().ok());
    let rounds = rounds.unwrap_or(40);
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let flat = |sending: &Sending| sending.with(&categories, |sent| sent.flatten().into_owned());
    let events: Vec<Event<'_>> = sendings.iter().map(flat).collect();
    beside_serde_json("From an event in memory", rounds, &recording, |write| {
        repeatedly(&events, |event| write(&Flat::from(event)));
    });
    let keep = |sending: &Sending| {
        sending.with(&categories, |sent| Kept::new(sent, &categories, &recording))
    };
    let kept: Vec<Kept> = sendings.iter().map(keep).collect();
    let kept: Vec<_> = kept.iter().map(|kept| (kept, kept.above())).collect();
    let mut gather = Gather::new();
    beside_serde_json("From what was read", rounds, &recording, |write| {
        repeatedly(&kept, |(kept, [parents, global])| {
            let sending = RawSending {
                level: Level::Info,
                event: kept.event.raw(),
                parents,
                global,
                categories: &categories,
            };
            write(&gather.gather(&sending));
        });
    });
}

/// An event for serde.
struct Peer<'e>(&'e Flat<'e>);

impl Serialize for Peer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(name) = event.name() {
            map.serialize_entry("event", &String::from_utf8_lossy(name))?;
        }
        map.serialize_entry("hostname", &String::from_utf8_lossy(MOMENT.hostname))?;
        map.serialize_entry("start_time", &PeerTime(event.created()))?;
        map.serialize_entry("end_time", &PeerTime(event.sent().unwrap_or_default()))?;
        map.serialize_entry("categories", &PeerList(event.categories()))?;
        map.serialize_entry("fields", &PeerFields(event))?;
        map.end()
    }
}

struct PeerFields<'e>(&'e Flat<'e>);

impl Serialize for PeerFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.fields();
        serializer.collect_map(
            fields.map(|(key, value)| (String::from_utf8_lossy(key), PeerValue(value))),
        )
    }
}

struct PeerValue<'e>(FlatValue<'e>);

impl Serialize for PeerValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FlatValue::Str(text) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            FlatValue::Int(number) => serializer.serialize_i64(number),
            FlatValue::Time(time) => PeerTime(time).serialize(serializer),
            FlatValue::Ip(ip) => serializer.collect_str(&ip),
            FlatValue::List(list) => PeerList(list).serialize(serializer),
        }
    }
}

struct PeerList<'e>(Elements<'e>);

impl Serialize for PeerList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(String::from_utf8_lossy))
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
