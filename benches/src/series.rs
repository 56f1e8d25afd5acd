//! A metric with two levels of `group_by`, in fantail and in other libraries.
//!
//! All of them get the same events, as `SentEvent`s: the cost of finding the
//! labels in an event is part of an update. The peers count each event in a
//! histogram of its innermost labels; fantail keeps a distribution, with
//! quantiles, for these, for the level above and for the metric itself.

use fantail_event::{Dialect, Event, EventView, SentEvent, Timestamp, ValueRef};
use fantail_metrics::{GroupBy, Limits, Method, MetricId, MetricSettings, Registry, Snapshot};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry as PeerRegistry,
};

/// The fields of the two levels.
pub const LEVELS: [&str; 2] = ["cmd_name", "user"];

/// The creation time of all events, in microseconds since 1970.
const START: i64 = 1_700_000_000_000_000;

/// Returns events of `users` users, four commands for each, in a mixed order.
#[must_use]
pub fn events(users: u32) -> Vec<Event> {
    let commands = ["SELECT", "FETCH", "APPEND", "LOGOUT"];
    // A prime that divides no number of events here, so each comes once.
    let order = (0..u64::from(users) * 4).map(|n| n * 7_919 % (u64::from(users) * 4));
    let order = order.filter_map(|n| u32::try_from(n).ok());
    let one = |number: u32| {
        let sent = START + 100 + i64::from(number % 977);
        let event = Event::builder(Timestamp::from_unix_micros(START))
            .sent(Timestamp::from_unix_micros(sent))
            .field("cmd_name", commands[number as usize % 4])
            .field("user", &format!("user{:06}@example.com", number / 4));
        // The event is within all limits.
        event.build().ok()
    };
    order.filter_map(one).collect()
}

/// Calls `run` with an event in the form of a connection.
pub fn with<R>(event: &Event, run: impl FnOnce(&SentEvent<'_>) -> R) -> R {
    run(&SentEvent::alone(event))
}

fn text(event: &SentEvent<'_>, field: &str) -> String {
    match event.field(field.as_bytes()) {
        Some(ValueRef::Str(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "durations are short")]
fn seconds(event: &SentEvent<'_>) -> f64 {
    event.duration_micros().unwrap_or(0) as f64 / 1e6
}

/// A registry under test.
pub trait Subject {
    /// Counts an event.
    fn observe(&mut self, event: &SentEvent<'_>);
    /// Returns all series as text for a scrape.
    fn expose(&self) -> Vec<u8>;
}

/// fantail's registry.
#[derive(Debug)]
pub struct Fantail {
    registry: Registry,
    metric: MetricId,
}

impl Fantail {
    /// Returns a registry with these levels, and limits above the number of
    /// series here.
    #[must_use]
    #[allow(clippy::expect_used, reason = "the settings are known to be right")]
    pub fn new(levels: &[&str]) -> Self {
        let limits = Limits {
            series_per_metric: usize::MAX / 2,
            series: usize::MAX / 2,
            ..Limits::default()
        };
        let mut registry = Registry::with_limits(Dialect::V2_4, limits);
        let level = |field: &&str| GroupBy {
            field: field.as_bytes().to_vec(),
            method: Method::Discrete(Vec::new()),
        };
        let settings = MetricSettings {
            name: b"commands".to_vec(),
            group_by: levels.iter().map(level).collect(),
            ..MetricSettings::default()
        };
        let metric = registry.add(settings).expect("the first metric");
        Self { registry, metric }
    }

    /// Returns all series at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }

    /// Returns a snapshot as OpenMetrics.
    #[must_use]
    pub fn write(snapshot: &Snapshot) -> Vec<u8> {
        use fantail_exposition::{Exposition, ExpositionOptions, Format};
        let mut answer = Exposition::new(Vec::new(), ExpositionOptions::new(Format::OpenMetrics));
        let written = answer.snapshot(snapshot).and_then(|()| answer.finish());
        // Writing to a vector cannot fail.
        written.map(|(text, _)| text).unwrap_or_default()
    }
}

impl Subject for Fantail {
    fn observe(&mut self, event: &SentEvent<'_>) {
        self.registry.observe(self.metric, event);
    }

    fn expose(&self) -> Vec<u8> {
        Self::write(&self.snapshot())
    }
}

type Labels = Vec<(&'static str, String)>;

/// prometheus-client, either with a histogram of ten buckets for a series, or
/// with the numbers of fantail's exposition: a count and a sum.
#[derive(Debug)]
pub struct PrometheusClient {
    levels: Vec<&'static str>,
    registry: PeerRegistry,
    family: PeerFamily,
}

#[derive(Debug)]
enum PeerFamily {
    Histogram(Family<Labels, Histogram>),
    Counters(Family<Labels, Counter>, Family<Labels, Counter<f64>>),
}

impl PrometheusClient {
    /// Returns a registry with a histogram for each series.
    #[must_use]
    pub fn with_histogram(levels: &[&'static str]) -> Self {
        let make: fn() -> Histogram = || Histogram::new((0..10).map(|n| 0.001 * f64::from(1 << n)));
        let family = Family::new_with_constructor(make);
        let mut registry = PeerRegistry::default();
        registry.register("commands", "Commands", family.clone());
        Self {
            levels: levels.to_vec(),
            registry,
            family: PeerFamily::Histogram(family),
        }
    }

    /// Returns a registry with two counters for each series.
    #[must_use]
    pub fn with_counters(levels: &[&'static str]) -> Self {
        let (count, duration) = (Family::default(), Family::default());
        let mut registry = PeerRegistry::default();
        registry.register("commands", "Commands", count.clone());
        registry.register("commands_duration_seconds", "Durations", duration.clone());
        Self {
            levels: levels.to_vec(),
            registry,
            family: PeerFamily::Counters(count, duration),
        }
    }
}

impl Subject for PrometheusClient {
    fn observe(&mut self, event: &SentEvent<'_>) {
        let labels = self.levels.iter().map(|level| (*level, text(event, level)));
        let labels: Labels = labels.collect();
        match &self.family {
            PeerFamily::Histogram(family) => family.get_or_create(&labels).observe(seconds(event)),
            PeerFamily::Counters(count, duration) => {
                count.get_or_create(&labels).inc();
                duration.get_or_create(&labels).inc_by(seconds(event));
            }
        }
    }

    fn expose(&self) -> Vec<u8> {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text.into_bytes()
    }
}
