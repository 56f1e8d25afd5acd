//! Heavy hitters of 10 million events beside exact counts: what is found, how exact it is,
//! and how much memory and time it takes, beside a plain `group_by`.

#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program whose output is the result"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use fantail_event::{Dialect, ValueRef};
use fantail_metrics::{
    GroupBy, HeavyHitter, Limits, Method, MetricId, MetricSettings, Registry, Snapshot, Top,
    internal::MetricView,
};
use fantail_testkit::allocator::{CountingAllocator, live_bytes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const EVENTS: usize = 10_000_000;
const USERS: usize = 1_000_000;
const SHOWN: usize = 10;
/// The events that are counted at once, so that the time of making them is not measured.
const CHUNK: usize = 10_000;

/// An event with a user.
struct Login<'a>(&'a [u8]);

impl MetricView for Login<'_> {
    fn duration(&self) -> Option<ValueRef<'_>> {
        Some(ValueRef::Int(1_000))
    }

    fn field(&self, _at: usize) -> Option<ValueRef<'_>> {
        None
    }

    fn level(&self, _at: usize) -> Option<ValueRef<'_>> {
        Some(ValueRef::Str(self.0))
    }

    fn top(&self) -> Option<ValueRef<'_>> {
        Some(ValueRef::Str(self.0))
    }

    fn top_weight(&self) -> Option<ValueRef<'_>> {
        None
    }
}

/// Random numbers, the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Returns the number of a user.
type Stream = Box<dyn FnMut(&mut Random) -> usize>;

/// Ten users with 0.11 % each among 1,000,000 others.
fn ten() -> Stream {
    Box::new(|random| match random.next() % 10_000 {
        heavy @ 0..110 => heavy as usize % 10,
        _ => 10 + random.next() as usize % USERS,
    })
}

/// User n has a share in proportion to n to the power of −`exponent`.
fn zipf(exponent: f64) -> Stream {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=USERS)
        .map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        })
        .collect();
    Box::new(move |random| {
        let wanted = random.fraction() * sum;
        sums.partition_point(|sum| *sum < wanted)
    })
}

/// A registry with one metric, and what it took.
struct Subject {
    registry: Registry,
    metric: MetricId,
    took: Duration,
    bytes: isize,
}

impl Subject {
    fn new(settings: MetricSettings) -> Option<Self> {
        let limits = Limits {
            series_per_metric: 2 * USERS,
            series: 2 * USERS,
            ..Limits::default()
        };
        let mut registry = Registry::with_limits(Dialect::V2_4, limits);
        let metric = registry.add(settings).ok()?;
        Some(Self {
            registry,
            metric,
            took: Duration::ZERO,
            bytes: 0,
        })
    }

    fn top() -> Option<Self> {
        Self::new(MetricSettings {
            name: b"logins".to_vec(),
            top: Some(Top::new("user")),
            ..MetricSettings::default()
        })
    }

    fn grouped() -> Option<Self> {
        Self::new(MetricSettings {
            name: b"logins".to_vec(),
            group_by: vec![GroupBy::new("user", Method::Discrete(Vec::new()))],
            ..MetricSettings::default()
        })
    }

    fn observe(&mut self, users: &[(usize, usize)], texts: &[u8]) {
        let before = live_bytes();
        let start = Instant::now();
        for &(from, to) in users {
            let user = texts.get(from..to).unwrap_or_default();
            let event = std::iter::once((self.metric, Login(user)));
            self.registry.observe_views(event);
        }
        self.took += start.elapsed();
        self.bytes += live_bytes() - before;
    }

    fn nanoseconds(&self) -> f64 {
        self.took.as_nanos() as f64 / EVENTS as f64
    }
}

/// The exact number of events of each user, those with the most first.
struct Exact {
    counts: Vec<u64>,
    order: Vec<usize>,
}

impl Exact {
    fn new(counts: Vec<u64>) -> Self {
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|user| std::cmp::Reverse(counts.get(*user)));
        Self { counts, order }
    }

    fn of(&self, one: &HeavyHitter<'_>) -> Option<(usize, u64)> {
        let label = one.label.plain_text()?;
        let user = label
            .strip_prefix("user")?
            .split('@')
            .next()?
            .parse()
            .ok()?;
        Some((user, *self.counts.get(user)?))
    }

    /// The number of events of the tenth user.
    fn tenth(&self) -> u64 {
        let tenth = self.order.get(SHOWN - 1);
        tenth
            .and_then(|user| self.counts.get(*user))
            .map_or(0, |count| *count)
    }
}

/// How exact an answer is.
struct Accuracy {
    /// How many of the ten users with the most events are shown.
    found: usize,
    /// The greatest error that is stated with a shown value, and the greatest real one.
    stated: u64,
    real: u64,
    others: u64,
    /// Whether all stated bounds are right.
    is_right: bool,
}

impl Accuracy {
    fn of(snapshot: &Snapshot, exact: &Exact) -> Option<Self> {
        let all = snapshot.metrics().first()?.top()?;
        let shown = all.shown();
        let users: Vec<(usize, u64)> = shown.iter().filter_map(|one| exact.of(one)).collect();
        let is_shown = |user: &&usize| users.iter().any(|(shown, _)| shown == *user);
        let others = all.others_at_most();
        let within = |one: HeavyHitter<'_>| {
            let count = exact.of(&one);
            count.is_some_and(|(_, count)| (one.counted..=one.at_most()).contains(&count))
        };
        let rest = exact.order.iter().find(|user| !is_shown(user));
        let rest = rest.and_then(|user| exact.counts.get(*user));
        let real = shown.iter().zip(&users);
        Some(Self {
            found: exact.order.iter().take(SHOWN).filter(is_shown).count(),
            stated: shown.iter().map(|one| one.error).max().unwrap_or(0),
            real: real
                .map(|(one, (_, count))| count - one.counted)
                .max()
                .unwrap_or(0),
            others,
            is_right: all.iter().all(within)
                && all.total() == EVENTS as u64
                && rest.is_none_or(|count| *count <= others),
        })
    }
}

/// Counts a stream as one, and divided among four registries that are merged. Returns
/// whether all bounds are right, the memory is below 1 MB, and the ten users with the most
/// events are found if they must be.
fn run(name: &str, mut stream: Stream, must_find: bool) -> Option<bool> {
    let mut top = Subject::top()?;
    let mut grouped = Subject::grouped()?;
    let mut shards = Vec::new();
    for _ in 0..4 {
        shards.push(Subject::top()?);
    }
    let mut exact = vec![0_u64; USERS + SHOWN];
    let mut random = Random(1);
    let (mut texts, mut users) = (Vec::new(), Vec::new());
    for chunk in 0..EVENTS / CHUNK {
        texts.clear();
        users.clear();
        for _ in 0..CHUNK {
            let user = stream(&mut random);
            *exact.get_mut(user)? += 1;
            let from = texts.len();
            texts.extend_from_slice(format!("user{user}@example.org").as_bytes());
            users.push((from, texts.len()));
        }
        // Both take turns in being first.
        if chunk % 2 == 0 {
            top.observe(&users, &texts);
            grouped.observe(&users, &texts);
        } else {
            grouped.observe(&users, &texts);
            top.observe(&users, &texts);
        }
        shards.get_mut(chunk % 4)?.observe(&users, &texts);
    }
    let exact = Exact::new(exact);
    let one = Accuracy::of(&top.registry.snapshot(), &exact)?;
    let snapshots: Vec<_> = shards
        .iter()
        .map(|shard| shard.registry.snapshot())
        .collect();
    let merged = Snapshot::merged(&snapshots, &Limits::default())?;
    let merged = Accuracy::of(&merged, &exact)?;
    for (of, accuracy) in [("one", &one), ("four, merged", &merged)] {
        println!(
            "| {name} | {of} | {} | {} | {} | {} | {} |",
            accuracy.found,
            exact.tenth(),
            accuracy.stated,
            accuracy.real,
            accuracy.others,
        );
    }
    println!(
        "{name}: {} bytes, {:.0} ns an event; group_by: {} bytes, {:.0} ns",
        top.bytes,
        top.nanoseconds(),
        grouped.bytes,
        grouped.nanoseconds(),
    );
    let is_small = shards.iter().chain([&top]).all(|one| one.bytes <= 1 << 20);
    let is_found = [&one, &merged]
        .iter()
        .all(|answer| answer.found == SHOWN && answer.others < exact.tenth());
    Some(one.is_right && merged.is_right && is_small && (is_found || !must_find))
}

fn main() -> ExitCode {
    println!(
        "| stream | registries | found | the tenth has | stated error | real error | others at most |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    let streams = [
        ("ten of 0.11 %", ten(), true),
        ("Zipf 0.8", zipf(0.8), false),
        ("Zipf 1.0", zipf(1.0), false),
        ("Zipf 1.2", zipf(1.2), false),
    ];
    let mut is_right = true;
    for (name, stream, must_find) in streams {
        is_right &= run(name, stream, must_find) == Some(true);
    }
    if is_right {
        ExitCode::SUCCESS
    } else {
        println!("a bound is wrong, a user is missing, or more than 1 MB were used");
        ExitCode::FAILURE
    }
}
