//! Against what real Dovecots sent.

use std::collections::{BTreeMap, BTreeSet};

use fantail_event::{Activity, DURATION, Dialect, EventView, SentEvent, ValueRef};
use fantail_lint::{Catalogue, FieldType, Trial, check};
use fantail_wire::{Connection, Intake, Limits, capture::Capture};

const RECORDINGS: [(&str, &str, Dialect); 2] = [
    (
        "captures/dovecot-2.3.19.tsv",
        "captures/2.3.19-wide",
        Dialect::V2_3,
    ),
    (
        "captures/dovecot-2.4.1.tsv",
        "captures/2.4.1-wide",
        Dialect::V2_4,
    ),
];

/// Plays a recording.
fn play(name: &str, dialect: Dialect, mut on_event: impl FnMut(&SentEvent<'_>)) {
    let bytes = crate::contents(&crate::testdata(name));
    let capture = Capture::parse(&bytes);
    assert!(capture.errors.is_empty());
    let mut intake = Intake::new();
    for recorded in &capture.connections {
        let mut connection = Connection::new(dialect, Limits::default());
        for line in &recorded.lines {
            let handled = connection.handle(line.line, &mut intake, |activity| {
                if let Activity::Sent { event, .. } = activity {
                    on_event(&event);
                }
            });
            handled.unwrap();
        }
        connection.close(&mut intake, |_| {});
    }
}

/// The events with all fields that they carried, inherited ones included, and
/// the types of those.
fn carried(name: &str, dialect: Dialect) -> BTreeMap<String, BTreeSet<(String, FieldType)>> {
    let mut events: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    play(name, dialect, |sent| {
        let Some(name) = sent.name() else {
            return;
        };
        let fields = events
            .entry(String::from_utf8(name.to_vec()).unwrap())
            .or_default();
        let parents = sent
            .parents
            .iter()
            .map(|parent| parent.event.as_event_ref());
        for event in std::iter::once(sent.event).chain(parents) {
            for (key, value) in event.fields() {
                let kind = match value {
                    ValueRef::Int(_) => FieldType::Integer,
                    ValueRef::Str(_) => FieldType::Text,
                    ValueRef::Ip(_) => FieldType::Address,
                    ValueRef::Time(_) => FieldType::Timestamp,
                    ValueRef::List(_) => FieldType::List,
                    other => panic!("no event of Dovecot has {other:?}"),
                };
                fields.insert((String::from_utf8(key.to_vec()).unwrap(), kind));
            }
        }
        // What the stats process sets, on each event that is sent.
        let duration = String::from_utf8(DURATION.to_vec()).unwrap();
        fields.insert((duration, FieldType::Integer));
    });
    assert!(events.len() > 20, "{}", events.len());
    events
}

/// No event or field that a real Dovecot sent is called a mistake.
#[test]
fn nothing_that_was_sent_is_doubted() {
    let catalogue = Catalogue::new();
    for (recording, _, dialect) in RECORDINGS {
        for (name, fields) in carried(recording, dialect) {
            let keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_str()).collect();
            let text = crate::exporting(dialect, &name, &keys);
            let loaded = crate::read(dialect, text);
            let findings = check(&loaded, &catalogue, &|_| false);
            let lines: Vec<_> = findings
                .iter()
                .map(|one| one.to_line(&loaded.sources))
                .collect();
            assert!(lines.is_empty(), "{name}: {lines:?}");
        }
    }
}

/// The types that the catalogue tells are those that were sent.
#[test]
fn types_are_those_that_were_sent() {
    let catalogue = Catalogue::new();
    for (recording, _, dialect) in RECORDINGS {
        for (name, fields) in carried(recording, dialect) {
            let event = catalogue.event(name.as_bytes()).unwrap();
            for (key, kind) in fields {
                if let Some(field) = event.field(key.as_bytes(), dialect) {
                    assert_eq!(field.kind(dialect), kind, "{dialect}: {name} {key}");
                }
            }
        }
    }
}

/// A trial counts what the recorded server counted for each of its metrics.
#[test]
fn trials_count_as_dovecot_did() {
    for (recording, folder, dialect) in RECORDINGS {
        let folder = crate::testdata(folder);
        let config = crate::contents(&folder.join("dovecot.conf"));
        let loaded = crate::read(dialect, config);
        let mut trial = Trial::new(&loaded.settings.metrics, dialect);
        play(recording, dialect, |sent| trial.observe(sent));
        let dump = String::from_utf8(crate::contents(&folder.join("dump.txt"))).unwrap();
        let counts: BTreeMap<&str, u64> = dump
            .lines()
            .skip(1)
            .map(|line| line.split('\t').map(str::trim))
            .filter_map(|mut columns| {
                let (name, field) = (columns.next()?, columns.next()?);
                (field == "duration").then_some((name, columns.next()?.parse().ok()?))
            })
            .collect();
        let mut compared = 0;
        for outcome in trial.outcomes() {
            let name = String::from_utf8(outcome.metric.settings.name.clone()).unwrap();
            assert_eq!(
                counts.get(name.as_str()),
                Some(&outcome.matched),
                "{dialect}: {name}"
            );
            compared += 1;
        }
        assert!(compared > 8, "{compared}");
    }
}

/// The term that is to blame.
#[test]
fn failing_terms() {
    let check = |filter: &str, expected: &[&str]| {
        let loaded = crate::read(
            Dialect::V2_3,
            format!("metric m {{\n filter = {filter}\n}}\n"),
        );
        let mut trial = Trial::new(&loaded.settings.metrics, Dialect::V2_3);
        play(RECORDINGS[0].0, Dialect::V2_3, |sent| trial.observe(sent));
        let told: Vec<String> = trial
            .findings()
            .iter()
            .map(|one| {
                let label = one.primary.as_ref().unwrap();
                let place = loaded.sources.position(label.span);
                let notes: Vec<&str> = one.notes.iter().map(|note| note.text.as_str()).collect();
                format!(
                    "{}: {} | {} | {}",
                    place.column,
                    one.message,
                    label.text,
                    notes.join(" ")
                )
            })
            .collect();
        assert_eq!(told, expected, "{filter}");
    };
    check("event=auth_request_finished AND success=yes", &[]);
    check(
        "event=auth_request_finished AND success=no",
        &["43: metric `m` matches none of the 3347 events | none of them meets this | "],
    );
    check(
        "event=imap_command_finished AND (cmd_name=RCPT OR cmd_name=DATA)",
        &[
            "44: metric `m` matches none of the 3347 events | none of the 460 that meet what is before meets this | 216 others do",
        ],
    );
}
