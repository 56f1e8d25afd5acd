//! Saved states: they are restored unchanged, and other files are errors.

use fantail_event::{Dialect, Event, Timestamp, ValueRef};
use fantail_metrics::{
    Exponential, Limits, Linear, Method, MetricSettings, Modifier, Registry, Snapshot, Top,
    state::{self, State, StateErrorKind},
};
use proptest::prelude::*;

use crate::{
    fixture::{
        counts, discrete, event, event_between, random, settings, table, text, with_sent, words,
    },
    snapshots::contents,
};

fn metrics() -> Vec<MetricSettings> {
    let linear = Method::Linear(Linear::new(0, 1_000, 100).unwrap());
    let exponential = Method::Exponential(Exponential::new(0, 9, 10).unwrap());
    let modified = Method::Discrete(vec![Modifier::Domain, Modifier::Upper]);
    let mut described = settings("plain", "x y", &[]);
    described.description = b"a \xff\n".to_vec();
    vec![
        described,
        settings("by", "x", &[("g", discrete()), ("x", linear)]),
        settings("mixed", "", &[("x", exponential), ("g", modified)]),
        MetricSettings {
            top: Some(Top::new("g").modified(vec![Modifier::Username])),
            ..settings("top", "", &[])
        },
        MetricSettings {
            top: Some(small_top()),
            ..settings("weighted", "x", &[])
        },
    ]
}

/// Heavy hitters with more values than counters.
fn small_top() -> Top {
    let top = Top::new("x").weighted(Some(b"duration".to_vec()));
    top.sized(3, 64).unwrap()
}

fn registry(dialect: Dialect) -> Registry {
    let mut registry = Registry::new(dialect);
    registry.replace_all(metrics(), |_| true).unwrap();
    registry
}

fn observe(registry: &mut Registry, event: &Event) {
    let ids: Vec<_> = registry.ids().collect();
    with_sent(event, |sent| {
        assert!(ids.iter().all(|id| registry.observe(*id, sent)));
    });
}

/// Returns an event of any kind, chosen by a number.
fn any_event(seed: u64) -> Event {
    let number = (seed >> 8).cast_signed() >> (seed & 63);
    let (long, bytes) = ([b'l'; 300], number.to_be_bytes());
    let user = format!("u{}@example", seed % 11);
    let mut fields = vec![("y", ValueRef::Int(number.wrapping_mul(7)))];
    match seed % 11 {
        0 => fields.push(("g", ValueRef::from(&long))),
        1 => fields.push(("g", ValueRef::from(&bytes))),
        2 => fields.push(("g", words("a@b c@b"))),
        3 => fields.push(("g", words(""))),
        4 => {}
        _ => fields.push(("g", ValueRef::from(&user))),
    }
    match seed % 7 {
        0 => fields.push(("x", ValueRef::Time(Timestamp::from_unix_micros(number)))),
        1 => {}
        2 => fields.push(("x", ValueRef::Int(number))),
        _ => fields.push(("x", ValueRef::Int(number % 2_000))),
    }
    event_between([1_000_000, 1_000_000 + (number & 0xF_FFFF)], fields)
}

fn played(dialect: Dialect, events: usize, seed: u64) -> Registry {
    let mut registry = registry(dialect);
    let numbers = random(seed).take(events);
    numbers.for_each(|n| observe(&mut registry, &any_event(n)));
    registry
}

fn save(snapshot: &Snapshot) -> Vec<u8> {
    state::write(snapshot, |settings| settings.name.clone())
}

/// Compares a restarted registry with one that kept running, before and after
/// more events.
#[track_caller]
fn check_restart(dialect: Dialect, before: usize, after: usize, seed: u64) {
    let mut steady = played(dialect, before, seed);
    let saved = save(&steady.snapshot());
    let mut restarted = registry(dialect);
    let state = state::read(&saved).unwrap();
    let outcome = restarted.restore(&state, |settings, note| settings.name == note);
    assert_eq!((outcome.metrics, outcome.left_out), (5, 0));
    assert_eq!(restarted.series(), steady.series());
    // The bytes are equal: nothing is lost.
    assert_eq!(save(&restarted.snapshot()), saved);
    for number in random(seed ^ 1).take(after) {
        observe(&mut steady, &any_event(number));
        observe(&mut restarted, &any_event(number));
    }
    let (steady, restarted) = (steady.snapshot(), restarted.snapshot());
    assert_eq!(contents(&restarted), contents(&steady));
    assert_eq!(table(&restarted), table(&steady));
}

#[test]
fn a_restart_forgets_nothing() {
    check_restart(Dialect::V2_4, 0, 10, 1);
    check_restart(Dialect::V2_3, 479, 2, 2);
    check_restart(Dialect::V2_4, 480, 1, 3);
    check_restart(Dialect::V2_4, 20_000, 3_000, 4);
    check_restart(Dialect::V2_3, 20_000, 3_000, 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_restart_forgets_nothing(before in 0_usize..1_500, seed: u64) {
        check_restart(Dialect::V2_4, before, 50, seed);
    }

    /// A snapshot with a restored state equals one of all counts.
    #[test]
    fn a_snapshot_takes_what_was_before(before in 0_usize..300, after in 0_usize..300, seed: u64) {
        let old = played(Dialect::V2_4, before, seed);
        let state = state::read(&save(&old.snapshot())).unwrap();
        let mut by_registry = registry(Dialect::V2_4);
        by_registry.restore(&state, |_, _| true);
        let mut fresh = registry(Dialect::V2_4);
        for number in random(!seed).take(after) {
            observe(&mut by_registry, &any_event(number));
            observe(&mut fresh, &any_event(number));
        }
        let mut by_snapshot = fresh.snapshot();
        by_snapshot.restore(state, |_, _| true);
        prop_assert_eq!(table(&by_snapshot), table(&by_registry.snapshot()));
    }
}

#[test]
fn only_unchanged_metrics_come_back() {
    let one = event(vec![("x", ValueRef::Int(1))]);
    let saved = {
        let mut registry = Registry::new(Dialect::V2_4);
        for name in ["same", "fields", "levels", "filter", "gone"] {
            registry.add(settings(name, "", &[])).unwrap();
        }
        observe(&mut registry, &one);
        state::write(&registry.snapshot(), |_| b"event=a".to_vec())
    };
    let new = vec![
        settings("new", "", &[]),
        settings("filter", "", &[]),
        settings("levels", "", &[("x", discrete())]),
        settings("fields", "x", &[]),
        settings("same", "", &[]),
    ];
    let filter = |name: &[u8]| {
        if name == b"filter" {
            "event=b"
        } else {
            "event=a"
        }
    };
    let keep = |settings: &MetricSettings, note: &[u8]| note == filter(&settings.name).as_bytes();
    let all = |snapshot: &Snapshot| {
        let names = snapshot.metrics().iter().enumerate().map(|(at, metric)| {
            let name = String::from_utf8_lossy(&metric.settings().name).into_owned();
            name + &counts(snapshot, at)
        });
        names.collect::<Vec<_>>().join(" ")
    };
    let expected = "new=0 filter=0 levels=0 fields=0 same=1";

    let mut registry = Registry::new(Dialect::V2_4);
    registry.replace_all(new.clone(), |_| true).unwrap();
    let mut snapshot = registry.snapshot();
    let state = state::read(&saved).unwrap();
    let restored = registry.restore(&state, keep);
    assert_eq!((restored.metrics, restored.left_out), (1, 4));
    assert_eq!(all(&registry.snapshot()), expected);
    let restored = snapshot.restore(state.clone(), keep);
    assert_eq!((restored.metrics, restored.left_out), (1, 4));
    assert_eq!(all(&snapshot), expected);

    // The other dialect groups events differently.
    let mut other = Registry::new(Dialect::V2_3);
    other.replace_all(new, |_| true).unwrap();
    assert_eq!(other.restore(&state, keep).left_out, 5);
    assert_eq!(other.snapshot().restore(state, keep).left_out, 5);
}

#[test]
fn less_room_than_before() {
    let by = settings("m", "", &[("g", discrete())]);
    let mut registry = Registry::new(Dialect::V2_4);
    registry.add(by.clone()).unwrap();
    for value in ["a", "b", "b", "c", "c", "c"] {
        observe(&mut registry, &event(vec![("g", text(value))]));
    }
    let state = state::read(&save(&registry.snapshot())).unwrap();
    let limits = Limits {
        series_per_metric: 4,
        ..Limits::default()
    };
    let mut smaller = Registry::with_limits(Dialect::V2_4, limits);
    smaller.add(by).unwrap();
    smaller.restore(&state, |_, _| true);
    let snapshot = smaller.snapshot();
    assert_eq!(counts(&snapshot, 0), "=6 a=1 other=5");
    assert_eq!(snapshot.metrics()[0].overflowed(), 5);
}

#[track_caller]
fn check_error(bytes: &[u8], expected: StateErrorKind) {
    let error = state::read(bytes).map_err(|error| error.kind());
    assert_eq!(error.err(), Some(expected), "{}", bytes.len());
}

/// Damaged files are not read as a state.
#[test]
fn damaged_states_are_errors() {
    let saved = save(&played(Dialect::V2_4, 60, 6).snapshot());
    for length in 0..saved.len() {
        check_error(&saved[..length], StateErrorKind::CutOff);
    }
    check_error(&[&saved[..], b"x"].concat(), StateErrorKind::Malformed);
    check_error(b"something else", StateErrorKind::NotAState);
    check_error(&[0; 1_000], StateErrorKind::NotAState);
    for at in 0..saved.len() {
        for bit in [1, 0x80] {
            let mut damaged = saved.clone();
            damaged[at] ^= bit;
            assert!(state::read(&damaged).is_err(), "{at}");
        }
    }
    let mut later = saved;
    later[14] = 3;
    check_error(&later, StateErrorKind::UnknownVersion);
}

/// Adds a head and a checksum, so that only the contents can be wrong.
fn framed(body: &[u8]) -> Vec<u8> {
    framed_as(1, body)
}

/// As [`framed`], for a version; metrics of version 2 may have heavy hitters.
fn framed_as(version: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = [b"fantail state\n", &[version, 0, 0, 0][..]].concat();
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(body);
    // FNV-1a with 128 bits.
    let sum = bytes.iter().fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128,
        |sum, byte| (sum ^ u128::from(*byte)).wrapping_mul((1 << 88) + 0x13b),
    );
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

fn body(saved: &[u8]) -> &[u8] {
    &saved[26..saved.len() - 16]
}

/// Runs every operation on a state of any bytes.
fn exercise(state: &State, length: usize) {
    let distributions = state
        .metrics()
        .flat_map(|(metric, _)| metric.series().iter());
    let distributions: usize = distributions.map(|series| 1 + series.fields().len()).sum();
    assert!(distributions <= length, "{distributions} of {length} bytes");
    let mut registry = Registry::new(state.dialect());
    for (metric, _) in state.metrics() {
        registry.add(metric.settings().clone()).unwrap();
    }
    let mut snapshot = registry.snapshot();
    registry.restore(state, |_, _| true);
    snapshot.restore(state.clone(), |_, _| true);
    assert_eq!(table(&snapshot), table(&registry.snapshot()));
    // Restored twice: the sums become as large as possible.
    registry.restore(state, |_, _| true);
    contents(&registry.snapshot());
}

#[test]
fn hostile_states_do_no_harm() {
    let saved = save(&played(Dialect::V2_4, 700, 7).snapshot());
    let body = body(&saved);
    assert_eq!(framed_as(2, body), saved);
    let mut read = 0;
    let mut numbers = random(8);
    for _ in 0..2_000 {
        let mut changed = body.to_vec();
        for _ in 0..numbers.next().unwrap() % 3 + 1 {
            // Mostly near the beginning, where the structure is.
            let number = numbers.next().unwrap();
            let reach = if number & 1 == 0 { 400 } else { changed.len() };
            let at = (number >> 8) as usize % reach.min(changed.len());
            match number >> 1 & 3 {
                0 => changed[at] = (number >> 40) as u8,
                1 => changed[at] ^= 1 << (number >> 40 & 7),
                2 => changed.truncate(at),
                _ => _ = changed.splice(at..at, [0xFF; 9].into_iter().chain([1])),
            }
            if changed.is_empty() {
                break;
            }
        }
        if let Ok(state) = state::read(&framed_as(2, &changed)) {
            read += 1;
            exercise(&state, changed.len());
        }
    }
    // Some values of the right form in the right position are valid.
    assert!(read > 30, "{read}");
}

/// 2.4, one metric "a" without description, field, level and note, with no
/// overflowed and no dropped series.
const PLAIN: &[u8] = b"\x04\x01\x01a\0\0\0\0\0\0";

/// The metric itself; its duration follows.
const ROOT: &[u8] = b"\0\0\0";

#[track_caller]
fn check_malformed(body: &[&[u8]]) {
    check_error(&framed(&body.concat()), StateErrorKind::Malformed);
}

#[test]
fn states_that_no_registry_writes() {
    /// 2^64 − 1 as a number.
    const MANY: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    let empty = framed(&[PLAIN, b"\x01", ROOT, b"\0"].concat());
    assert_eq!(state::read(&empty).unwrap().metrics().count(), 1);
    // Another dialect; too many metrics, series, values; too long strings.
    check_malformed(&[b"\x05\0"]);
    check_malformed(&[b"\x04", MANY]);
    check_malformed(&[b"\x04\x01", MANY, b"a"]);
    check_malformed(&[PLAIN, MANY, ROOT, b"\0"]);
    check_malformed(&[PLAIN, b"\x01", ROOT, MANY]);
    check_malformed(&[PLAIN, b"\x01", ROOT, b"\xc2\x07"]);
    // No series; two metrics themselves; a series below the last level; a label
    // of the metric itself; more bytes than announced.
    check_malformed(&[PLAIN, b"\0"]);
    check_malformed(&[PLAIN, b"\x02", ROOT, b"\0", ROOT, b"\0"]);
    check_malformed(&[PLAIN, b"\x02", ROOT, b"\0", b"\x01\0\0\0"]);
    check_malformed(&[PLAIN, b"\x01", b"\0\0\x01x\0"]);
    check_malformed(&[PLAIN, b"\x01", ROOT, b"\0\0"]);
    // A number of more than 64 bits.
    check_malformed(&[b"\x04", &[0xFF; 9], b"\x02"]);
    // Two sub-metrics with one label; an invalid bucket; a series below events
    // without a value.
    let by: &[u8] = b"\x04\x01\x01a\0\0\x01\x01g\0\0\0\0\0";
    check_malformed(&[by, b"\x03", ROOT, b"\0", b"\x01\0\x01x\0", b"\x01\0\x01x\0"]);
    check_malformed(&[by, b"\x02", ROOT, b"\0", b"\x01\x01\0\0"]);
    let deep: &[u8] = b"\x04\x01\x01a\0\0\x02\x01g\0\0\x01h\0\0\0\0\0";
    check_malformed(&[deep, b"\x03", ROOT, b"\0", b"\x01\x03\0", b"\x02\0\x01x\0"]);
    check_malformed(&[deep, b"\x02", ROOT, b"\0", b"\x02\0\x01x\0"]);
    // An invalid method; 65 levels.
    check_malformed(&[b"\x04\x01\x01a\0\0\x01\x01g\x01\x03\x01\x02\0\0\0\0"]);
    let levels = b"\x01g\0\0".repeat(65);
    check_malformed(&[
        b"\x04\x01\x01a\0\0\x41",
        &levels,
        b"\0\0\0\x01",
        ROOT,
        b"\0",
    ]);
    // Two metrics with one name.
    let again: &[u8] = b"\x01a\0\0\0\0\0\0\x01\0\0\0\0";
    check_malformed(&[b"\x04\x02", again, again]);
}

#[test]
fn heavy_hitters_that_no_registry_writes() {
    let read = |top: &[&[u8]]| {
        let body = [PLAIN, b"\x01", ROOT, b"\0", &top.concat()].concat();
        state::read(&framed_as(2, &body)).map_err(|error| error.kind())
    };
    // The field g, without modifiers and weight; 3 of 64 counters.
    let settings: &[u8] = b"\x01\x01g\0\0\0\x03\x40";
    // Ten in all, a threshold of 1, and two values.
    let two: &[u8] = b"\x0a\x01\x02\x01a\x06\x00\x01b\x03\x01";
    for good in [&[&b"\0"[..]][..], &[settings, two]] {
        assert!(read(good).is_ok(), "{good:?}");
    }
    let long = [b"\x0a\x01\x01\x91\x02", &[b'a'; 273][..], b"\x06\0"].concat();
    for bad in [
        // A flag; no field; an unknown modifier; a weight; counters; shown.
        &[&b"\x02"[..]][..],
        &[b"\x01"],
        &[b"\x01\x01g\x01\x09\0\0\x03\x40", two],
        &[b"\x01\x01g\0\x02\0\x03\x40", two],
        &[b"\x01\x01g\0\0\0\x03\x3f", two],
        &[b"\x01\x01g\0\0\0\0\x40", two],
        // More than all; more error than the threshold; below it; not counted; twice;
        // empty; too long.
        &[settings, b"\x0a\x01\x02\x01a\x08\x00\x01b\x03\x01"],
        &[settings, b"\x0a\x01\x02\x01a\x06\x02\x01b\x03\x01"],
        &[settings, b"\x0a\x02\x02\x01a\x01\x00\x01b\x03\x01"],
        &[settings, b"\x0a\x00\x01\x01a\x00\x00"],
        &[settings, b"\x0a\x01\x02\x01a\x06\x00\x01a\x03\x01"],
        &[settings, b"\x0a\x01\x01\0\x06\x00"],
        &[settings, &long],
        // More values than counters.
        &[
            settings,
            b"\x64\0\x41",
            &(0..65).flat_map(|n| [1, n, 1, 0]).collect::<Vec<u8>>(),
        ],
    ] {
        assert_eq!(read(bad).err(), Some(StateErrorKind::Malformed), "{bad:?}");
    }
}

#[test]
fn sketches_that_no_values_make() {
    // A sketch without values; one of ten values; one with its minimum above
    // its maximum.
    check_malformed(&[PLAIN, b"\x01", ROOT, b"\x01\0\0\0\0\0\0\0\0\0"]);
    let sketch = |moments: &[u8], ends: &[u8], bins: &[u8]| {
        framed(&[PLAIN, b"\x01", ROOT, b"\x01", moments, ends, bins].concat())
    };
    // 500 values of 1.
    let ones: &[u8] = b"\xf4\x03\xf4\x03\0\xf4\x03\0\0";
    assert!(state::read(&sketch(ones, b"\x01\x01", b"\x01\x01\xf4\x03")).is_ok());
    for (moments, ends, bins) in [
        (
            &b"\x0a\x0a\0\x0a\0\0"[..],
            &b"\x01\x01"[..],
            &b"\x01\x01\x0a"[..],
        ),
        (ones, b"\x02\x01", b"\x01\x01\xf4\x03"),
        (ones, b"\x01\x02", b"\x01\x01\xf4\x03"),
        (ones, b"\x01\x01", b"\x01\x01\xf3\x03"),
        (ones, b"\x01\x01", b"\x01\x02\xf4\x03"),
        (ones, b"\x01\x01", b"\x02\x01\xf4\x03\0\0"),
        // After the last bin.
        (ones, b"\x01\x01", b"\x02\x01\xf3\x03\xff\xff\x03\x01"),
        // A sum, and a sum of squares, that such values cannot have.
        (
            b"\xf4\x03\xf5\x03\0\xf4\x03\0\0",
            b"\x01\x01",
            b"\x01\x01\xf4\x03",
        ),
        (
            b"\xf4\x03\xf4\x03\0\xf3\x03\0\0",
            b"\x01\x01",
            b"\x01\x01\xf4\x03",
        ),
    ] {
        check_error(&sketch(moments, ends, bins), StateErrorKind::Malformed);
    }
}
