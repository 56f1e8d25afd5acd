//! `fantail-fleet`: the answer of a host with 10,000 users, and the sum of hosts. The
//! baseline copies the bytes of the answer.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fantail_benches::group;
use fantail_event::{Dialect, Event, SentEvent, Timestamp};
use fantail_fleet::{
    Answer, AnswerLimits, GroupLevel, Head, Question, Rank, Sum, SumLimits, TopQuestion,
    counts::{Aggregator, Arrival, Message, PublisherRules, Session, WorkerCounts},
    select, write,
};
use fantail_metrics::{GroupBy, Method, MetricSettings, Registry, Snapshot};

/// The users of a host.
const USERS: usize = 10_000;

/// The counts of a host whose users begin with this number.
fn host(first: usize) -> Snapshot {
    let mut registry = Registry::new(Dialect::V2_4);
    let settings = MetricSettings {
        name: b"logins".to_vec(),
        group_by: vec![GroupBy::new("user", Method::Discrete(Vec::new()))],
        ..MetricSettings::default()
    };
    let Ok(metric) = registry.add(settings) else {
        unreachable!("the settings are valid");
    };
    for user in first..first + USERS {
        let user = format!("user{user}@example.com");
        let sent = Timestamp::from_unix_micros(1_000);
        let event = Event::builder(Timestamp::from_unix_micros(0)).field("user", user.as_str());
        let Ok(event) = event.sent(sent).build() else {
            unreachable!("the event is small");
        };
        for _ in 0..5 {
            registry.observe(metric, &SentEvent::alone(&event));
        }
    }
    registry.snapshot()
}

fn written(question: &Question, snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    let selected = select(question, snapshot);
    let filter = |_: &MetricSettings| b"event=login".to_vec();
    if write(&Head::default(), &selected, filter, &mut bytes).is_err() {
        unreachable!("a vector takes all");
    }
    bytes
}

fn read(bytes: &[u8]) -> Answer {
    match Answer::read(&mut &*bytes, &AnswerLimits::default()) {
        Ok(answer) => answer,
        Err(error) => unreachable!("{error}"),
    }
}

fn fleet(criterion: &mut Criterion) {
    let snapshot = host(0);
    let all = Question::Metrics(None);
    let top = Question::Top(TopQuestion {
        metric: b"logins".to_vec(),
        level: GroupLevel::Last,
        rank: Rank::Events,
        count: 100,
    });
    let bytes = written(&all, &snapshot);
    let mut group = group(criterion, "fleet", USERS);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| black_box(bytes.clone()));
    });
    group.bench_function("write all", |bencher| {
        bencher.iter(|| written(&all, &snapshot));
    });
    group.bench_function("select the largest", |bencher| {
        bencher.iter(|| written(&top, &snapshot));
    });
    group.bench_function("read", |bencher| bencher.iter(|| read(&bytes)));
    let mut add = |name: &str, other: &Answer| {
        let begun = || {
            let mut sum = Sum::new(SumLimits::default());
            let added = sum.add(0, read(&bytes));
            debug_assert!(added.is_ok());
            (sum, other.clone())
        };
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                begun,
                |(mut sum, other)| {
                    let added = sum.add(1, other);
                    debug_assert!(added.is_ok());
                    sum
                },
                BatchSize::LargeInput,
            );
        });
    };
    add("add a host with the same users", &read(&bytes));
    add(
        "add a host with other users",
        &read(&written(&all, &host(USERS))),
    );
    group.finish();
}

/// The messages of a host that publishes all its counts.
fn published(snapshot: &Snapshot, run: u128) -> Vec<Vec<u8>> {
    let host = format!("mail{run}");
    let rules = PublisherRules::default();
    let mut session = Session::new(b"mail", host.as_bytes(), run, rules);
    session.connected(Duration::ZERO);
    let taken = session.take(vec![counts(snapshot)], Duration::ZERO);
    debug_assert!(taken.is_ok(), "the first counts");
    let orders = session.parts(Duration::ZERO);
    let batches = session.write(&orders, Duration::ZERO).into_iter();
    let messages = batches.flat_map(|batch| batch.messages);
    messages.map(|message| message.bytes).collect()
}

fn counts(snapshot: &Snapshot) -> WorkerCounts {
    WorkerCounts {
        snapshot: snapshot.clone(),
        filters: Arc::new(|_| b"event=login".to_vec()),
    }
}

fn taken(aggregator: &mut Aggregator, messages: &[Vec<u8>]) {
    for bytes in messages {
        if let Ok(message) = Message::read(bytes, usize::MAX) {
            aggregator.take(message, Arrival::default());
        }
    }
}

/// The counts of hosts over a stream. The baseline copies the bytes of a host's messages.
fn stream(criterion: &mut Criterion) {
    let snapshot = host(0);
    let messages = published(&snapshot, 1);
    let mut group = group(criterion, "counts over a stream", USERS);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| black_box(messages.clone()));
    });
    group.bench_function("publish all", |bencher| {
        bencher.iter(|| published(&snapshot, 1));
    });
    group.bench_function("find no change", |bencher| {
        let rules = PublisherRules::default();
        let mut session = Session::new(b"mail", b"mail1", 1, rules);
        session.connected(Duration::ZERO);
        let _ = session.take(vec![counts(&snapshot)], Duration::ZERO);
        let orders = session.parts(Duration::ZERO);
        session.write(&orders, Duration::ZERO);
        bencher.iter(|| session.take(vec![counts(&snapshot)], Duration::ZERO));
    });
    group.bench_function("take all", |bencher| {
        bencher.iter(|| {
            let mut aggregator = Aggregator::default();
            taken(&mut aggregator, &messages);
            aggregator
        });
    });
    group.bench_function("add up three hosts", |bencher| {
        let mut aggregator = Aggregator::default();
        for run in 1..=3 {
            taken(&mut aggregator, &published(&snapshot, run));
        }
        bencher.iter(|| aggregator.totals());
    });
    group.finish();
}

criterion_group!(benches, fleet, stream);
criterion_main!(benches);
