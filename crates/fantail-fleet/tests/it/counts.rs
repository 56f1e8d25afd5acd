//! Counts over a stream: what an aggregator takes, and what it refuses.

use std::{sync::Arc, time::Duration};

use fantail_event::{Dialect, Event, SentEvent, Timestamp};
use fantail_fleet::counts::{
    Aggregator, AggregatorLimits, Arrival, HeadMessage, Message, PartRange, PublisherRules,
    RunHead, Session, Subject, WorkerCounts, part_of,
};
use fantail_metrics::{GroupBy, Label, Method, MetricSettings, Registry};

const NOW: Duration = Duration::ZERO;

/// A message whose place in the stream does not matter.
const SOMEWHEN: Arrival = Arrival {
    sequence: 0,
    stored: NOW,
    now: NOW,
};

/// A registry with logins by user.
pub(crate) fn registry(fields: &[&str]) -> Registry {
    let mut registry = Registry::new(Dialect::V2_4);
    let added = registry.add(MetricSettings {
        name: b"logins".to_vec(),
        fields: fields
            .iter()
            .map(|field| field.as_bytes().to_vec())
            .collect(),
        group_by: vec![
            GroupBy::new("user", Method::Discrete(Vec::new())),
            GroupBy::new("ip", Method::Discrete(Vec::new())),
        ],
        ..MetricSettings::default()
    });
    added.unwrap();
    registry
}

pub(crate) fn login(registry: &mut Registry, user: &str, ip: &str) {
    let event = Event::builder(Timestamp::from_unix_micros(1))
        .field("user", user)
        .field("ip", ip);
    let id = registry.id(b"logins").unwrap();
    registry.observe(id, &SentEvent::alone(&event.build().unwrap()));
}

/// What a run publishes of its counts, with a head.
pub(crate) fn published(session: &mut Session, registry: &Registry) -> Vec<Message> {
    let counts = WorkerCounts {
        snapshot: registry.snapshot(),
        filters: Arc::new(|_| b"event=login".to_vec()),
    };
    session.take(vec![counts], NOW).unwrap();
    let orders = session.parts(NOW);
    let mut batches = session.write(&orders, NOW);
    let answer = |session: &mut Session, what| session.answered(what, true, NOW);
    batches.iter().for_each(|batch| answer(session, batch.what));
    let head = session.head(NOW);
    head.iter().for_each(|batch| answer(session, batch.what));
    batches.extend(head);
    let messages = batches.iter().flat_map(|batch| &batch.messages);
    let messages = messages.map(|one| {
        let message = Message::read(&one.bytes, 1_000_000).unwrap();
        assert_eq!(Subject::of(&message).to_string(), one.subject);
        message
    });
    messages.collect()
}

/// Ends a run; returns its last head.
pub(crate) fn close(session: &mut Session) -> Vec<Message> {
    session.close(NOW);
    let head = session.head(NOW).unwrap();
    session.answered(head.what, true, NOW);
    let messages = head.messages.iter();
    let messages = messages.map(|one| Message::read(&one.bytes, 0).unwrap());
    messages.collect()
}

pub(crate) fn session(host: &str, run: u128) -> Session {
    let mut session = Session::new(b"mail", host.as_bytes(), run, PublisherRules::default());
    session.connected(NOW);
    session
}

/// The rows of the sum, as text.
pub(crate) fn rows(aggregator: &Aggregator) -> Vec<String> {
    let totals = aggregator.totals();
    let mut rows = Vec::new();
    for metric in totals.summed.snapshot.metrics() {
        let mut path = Vec::new();
        for series in metric.series().iter() {
            path.truncate(series.depth());
            let Label::Value(label) = series.label() else {
                continue;
            };
            path.push(String::from_utf8_lossy(label).into_owned());
            rows.push(format!("{} {}", path.join("/"), series.duration().count()));
        }
    }
    rows.sort();
    rows
}

#[test]
fn series_of_all_levels_are_added_by_host_and_not_by_repetition() {
    let mut aggregator = Aggregator::default();
    let (mut one, mut other) = (registry(&[]), registry(&[]));
    let (mut first, mut second) = (session("mail1", 1), session("mail2", 2));
    let mut all = Vec::new();
    for _ in 0..3 {
        login(&mut one, "anna", "::1");
        login(&mut one, "anna", "::2");
        login(&mut other, "anna", "::1");
        login(&mut other, "bert", "::1");
        all.extend(published(&mut first, &one));
        all.extend(published(&mut second, &other));
    }
    // In reverse order, and twice.
    for message in all.iter().rev().chain(&all) {
        aggregator.take(message.clone(), SOMEWHEN);
    }
    let expected = [
        " 12",
        "/anna 9",
        "/anna/::1 6",
        "/anna/::2 3",
        "/bert 3",
        "/bert/::1 3",
    ];
    assert_eq!(rows(&aggregator), expected);
    assert!(aggregator.completeness(NOW).is_complete());
}

/// Each value is in one part, so that parts can be added.
#[test]
fn many_series_in_many_parts_are_one_metric() {
    let mut registry = registry(&["bytes"]);
    for user in 0..2_000 {
        login(&mut registry, &format!("user{user}"), "::1");
    }
    let mut aggregator = Aggregator::default();
    let messages = published(&mut session("mail1", 1), &registry);
    assert!(messages.len() > 200, "{} messages", messages.len());
    let heads = messages
        .iter()
        .filter(|one| matches!(one, Message::Head(_)));
    assert_eq!(heads.count(), 1);
    for message in messages {
        aggregator.take(message, SOMEWHEN);
    }
    let totals = aggregator.totals();
    let metric = &totals.summed.snapshot.metrics()[0];
    assert_eq!(metric.series().len(), 1 + 2 * 2_000);
    assert_eq!(metric.series().get(0).unwrap().duration().count(), 2_000);
    assert_eq!(metric.settings().fields, [b"bytes".to_vec()]);
    assert_eq!(totals.hosts, [b"mail1".to_vec()]);
}

#[test]
fn a_host_cannot_change_what_another_one_has_counted() {
    let mut aggregator = Aggregator::default();
    let mut registry = registry(&[]);
    login(&mut registry, "anna", "::1");
    for message in published(&mut session("mail1", 1), &registry) {
        aggregator.take(message, SOMEWHEN);
    }
    let before = rows(&aggregator);
    login(&mut registry, "anna", "::1");
    // Another host writes under the same run.
    let evil = published(&mut session("evil", 1), &registry);
    let refused = evil.len() as u64;
    for message in evil {
        aggregator.take(message, SOMEWHEN);
    }
    let end = Message::Head(HeadMessage {
        cluster: b"mail".to_vec(),
        host: b"evil".to_vec(),
        run: 1,
        head: RunHead {
            version: 99,
            parts: vec![(0, 99)],
            is_closed: true,
        },
    });
    aggregator.take(end, SOMEWHEN);
    assert_eq!(rows(&aggregator), before);
    assert_eq!(aggregator.refused(), refused + 1);
    assert!(aggregator.completeness(NOW).behind.is_empty());
}

#[test]
fn a_host_with_too_many_series_is_named_and_its_totals_stay_exact() {
    let limits = AggregatorLimits {
        series_of_host: 100,
        ..AggregatorLimits::default()
    };
    let mut aggregator = Aggregator::new(limits, PartRange::ALL);
    let (mut many, mut few) = (registry(&[]), registry(&[]));
    login(&mut few, "anna", "::1");
    let mut few_session = session("mail1", 1);
    for message in published(&mut few_session, &few) {
        aggregator.take(message, SOMEWHEN);
    }
    for user in 0..1_000 {
        login(&mut many, &format!("user{user}"), "::1");
    }
    for message in published(&mut session("many", 2), &many) {
        aggregator.take(message, SOMEWHEN);
    }
    assert!(aggregator.series() <= 200);
    let completeness = aggregator.completeness(NOW);
    assert!(!completeness.is_complete());
    let limited: Vec<_> = completeness.limited.keys().collect();
    assert_eq!(limited, [b"many"]);
    // The others are not affected.
    login(&mut few, "bert", "::1");
    for message in published(&mut few_session, &few) {
        aggregator.take(message, SOMEWHEN);
    }
    assert!(rows(&aggregator).contains(&"/bert 1".to_owned()));
}

#[test]
fn the_newest_definition_of_most_hosts_counts() {
    let mut aggregator = Aggregator::default();
    let (mut old, mut new) = (registry(&[]), registry(&["bytes"]));
    login(&mut old, "anna", "::1");
    login(&mut new, "anna", "::1");
    for (host, run, registry) in [("mail1", 1, &old), ("mail2", 2, &new), ("mail3", 3, &new)] {
        for message in published(&mut session(host, run), registry) {
            aggregator.take(message, SOMEWHEN);
        }
    }
    let summed = aggregator.totals().summed;
    let metric = &summed.snapshot.metrics()[0];
    assert_eq!(metric.settings().fields, [b"bytes".to_vec()]);
    assert_eq!(metric.series().get(0).unwrap().duration().count(), 2);
    assert_eq!(summed.others.len(), 1);
    assert_eq!(summed.others[0].hosts, [0]);
}

#[test]
fn damaged_messages_are_no_messages() {
    let mut registry = registry(&[]);
    login(&mut registry, "anna", "::1");
    let counts = WorkerCounts {
        snapshot: registry.snapshot(),
        filters: Arc::new(|_| Vec::new()),
    };
    let mut session = session("mail1", 1);
    session.take(vec![counts], NOW).unwrap();
    let orders = session.parts(NOW);
    let batches = session.write(&orders, NOW);
    let bytes = &batches[0].messages[0].bytes;
    assert!(Message::read(bytes, 1_000).is_ok());
    assert!(
        Message::read(bytes, 1).is_err(),
        "more distributions than allowed"
    );
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(Message::read(&damaged, 1_000).is_err(), "byte {at}");
        assert!(Message::read(&bytes[..at], 1_000).is_err(), "cut at {at}");
    }
}

/// A host must not put values into a part where another reader adds them again.
#[test]
fn a_message_has_no_series_of_another_part() {
    let mut registry = registry(&[]);
    login(&mut registry, "anna", "::1");
    let counts = WorkerCounts {
        snapshot: registry.snapshot(),
        filters: Arc::new(|_| Vec::new()),
    };
    let mut session = session("mail1", 1);
    session.take(vec![counts], NOW).unwrap();
    let orders = session.parts(NOW);
    let batches = session.write(&orders, NOW);
    let [part] = batches
        .iter()
        .flat_map(|batch| &batch.messages)
        .filter(|one| one.subject.ends_with(".0.7.b0"))
        .collect::<Vec<_>>()[..]
    else {
        panic!("anna is in part 7");
    };
    // The number of the part follows magic, kind, cluster, host and run.
    let at = b"FTC1".len() + 1 + 5 + 6 + 16;
    let mut moved = part.bytes[..part.bytes.len() - 16].to_vec();
    assert_eq!(moved[at], 7);
    moved[at] = 8;
    let sum = fantail_metrics::internal::hash(&moved);
    moved.extend_from_slice(&sum.to_be_bytes());
    assert!(Message::read(&moved, 1_000).is_err());
}

/// The parts are a part of the format.
#[test]
fn parts_do_not_change() {
    for (metric, label, expected) in PARTS_OF_THE_FORMAT {
        assert_eq!(
            part_of(metric.as_bytes(), *label),
            *expected,
            "{metric} {label:?}"
        );
    }
}

const PARTS_OF_THE_FORMAT: &[(&str, Option<Label<'static>>, u8)] = &[
    ("logins", None, 238),
    ("logins", Some(Label::Value(b"anna")), 7),
    ("logins", Some(Label::Other), 70),
    ("logins", Some(Label::Missing), 123),
    ("durations", Some(Label::Bucket(300)), 69),
];
