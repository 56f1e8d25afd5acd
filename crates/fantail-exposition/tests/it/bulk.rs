//! Samples that are written in runs, compared with separately written ones.

use fantail_event::{Dialect, Timestamp, ValueRef};
use fantail_exposition::{ExpositionOptions, Format};
use fantail_metrics::{Registry, Snapshot};

use crate::{
    exposition::{all_options, answer},
    hostile::{discrete, event, hostile_values, metric, observed},
};

/// Returns counts of an event for each user, with this size and duration in
/// microseconds.
fn played(events: impl Iterator<Item = (Vec<u8>, i64)>) -> Snapshot {
    played_below(&[], events)
}

/// Returns the same counts below a level with each of these commands.
fn played_below(commands: &[&str], events: impl Iterator<Item = (Vec<u8>, i64)>) -> Snapshot {
    let mut levels = vec![("user", discrete())];
    if !commands.is_empty() {
        levels.insert(0, ("command", discrete()));
    }
    let mut registry = Registry::new(Dialect::V2_4);
    let id = registry.add(metric("logins", &["size"], &levels)).unwrap();
    let events: Vec<_> = events.collect();
    let command = |at: usize| commands.get(at).copied().unwrap_or_default();
    let each = (0..commands.len().max(1)).flat_map(|at| events.iter().map(move |it| (at, it)));
    for (at, (user, size)) in each {
        let times = [1_000_000, 1_000_000 + size].map(Timestamp::from_unix_micros);
        let fields = vec![
            ("command", ValueRef::from(command(at))),
            ("user", ValueRef::from(user)),
            ("size", ValueRef::Int(*size)),
        ];
        observed(&mut registry, &[id], &event(times, fields));
    }
    registry.snapshot()
}

/// Checks that the samples of these users are equal in all formats, although
/// those with a `_created` are written separately. Every third user has three
/// events.
fn check(users: Vec<Vec<u8>>) {
    let events = (1_i64..).zip(users).flat_map(|(number, user)| {
        let times = if number % 3 == 0 { 3 } else { 1 };
        std::iter::repeat_n((user, number.pow(5) * 7), times)
    });
    let snapshot = played(events.clone());
    let mut merged = snapshot.clone();
    assert_eq!(merged.merge(&played(std::iter::empty())), 0);
    for snapshot in [
        snapshot,
        merged,
        played_below(&["SELECT", "a \"FETCH\"", "NOOP"], events),
    ] {
        check_snapshot(&snapshot);
    }
}

fn check_snapshot(snapshot: &Snapshot) {
    let with_created = |options: &ExpositionOptions| {
        options.format == Format::OpenMetrics && options.created.is_some()
    };
    let (text, _) = answer(snapshot, all_options().find(with_created).unwrap());
    let one_by_one = samples(&text);
    assert_eq!(text.contains("_created"), !one_by_one.is_empty());
    for options in all_options() {
        let (text, left_out) = answer(snapshot, options);
        assert_eq!(samples(&text), one_by_one);
        assert!(left_out.is_empty());
    }
}

/// Returns the samples except `_created`.
fn samples(text: &str) -> Vec<&str> {
    let is_created = |line: &str| {
        let name = line.split(['{', ' ']).next();
        name.is_some_and(|name| name.ends_with("_created"))
    };
    text.lines()
        .filter(|line| !line.starts_with('#') && !is_created(line))
        .collect()
}

fn usual(count: usize) -> Vec<Vec<u8>> {
    let user = |at: usize| format!("{}{at}@example.com", "user".repeat(at % 11));
    (0..count).map(|at| user(at).into_bytes()).collect()
}

#[test]
fn as_many_as_there_are() {
    for count in [0, 1, 62, 63, 64, 65, 127, 128, 300] {
        check(usual(count));
    }
    check((0..=300).map(|length| vec![b'x'; length]).collect());
}

#[test]
fn odd_values_among_others() {
    for value in hostile_values() {
        for place in [0, 62, 63, 100] {
            let mut users = usual(150);
            users[place].clone_from(&value);
            check(users);
        }
    }
}

/// Checks the text, not only that both ways agree.
#[test]
fn samples_of_usual_values() {
    let user = |at: i64| format!("user{at}").into_bytes();
    let events = (0..70).flat_map(|at| [(user(at), at), (user(at), at * 1_000_000)]);
    let snapshot = played(events);
    for options in all_options().filter(|options| options.created.is_none()) {
        let (text, _) = answer(&snapshot, options);
        let samples = samples(&text);
        let family = |name: &str, number: &dyn Fn(i64) -> String| -> Vec<String> {
            (0..70)
                .map(|at| {
                    format!(
                        "dovecot_logins{name}_total{{user=\"user{at}\"}} {}",
                        number(at)
                    )
                })
                .collect()
        };
        let expected = [
            family("", &|_| "2".to_owned()),
            family("_duration_seconds", &|at| format!("{at}.{at:06}")),
            family("_size", &|at| (at * 1_000_001).to_string()),
        ];
        assert_eq!(samples, expected.concat());
    }
}
