//! Metrics and events for the tests.

use fantail_event::{Elements, Event, EventBuilder, SentEvent, Timestamp, ValueRef};
use fantail_metrics::{
    Distribution, GroupBy, Label, Method, MetricSettings, MetricSnapshot, Percentile, Snapshot,
};

pub(crate) fn settings(name: &str, fields: &str, group_by: &[(&str, Method)]) -> MetricSettings {
    MetricSettings {
        name: name.into(),
        description: Vec::new(),
        fields: fields.split_whitespace().map(Into::into).collect(),
        group_by: group_by
            .iter()
            .map(|(field, method)| GroupBy::new(*field, method.clone()))
            .collect(),
        top: None,
    }
}

pub(crate) fn discrete() -> Method {
    Method::Discrete(Vec::new())
}

pub(crate) fn event(fields: Vec<(&str, ValueRef<'_>)>) -> Event {
    event_between([0, 0], fields)
}

/// Returns an event with its times of creation and sending in microseconds; 0
/// is none.
pub(crate) fn event_between([created, sent]: [i64; 2], fields: Vec<(&str, ValueRef<'_>)>) -> Event {
    let set = |event: EventBuilder, (key, value): (&str, ValueRef<'_>)| event.field(key, value);
    let begun = Event::builder(Timestamp::from_unix_micros(created));
    let event = fields.into_iter().fold(begun, set);
    let sent = (sent != 0).then(|| Timestamp::from_unix_micros(sent));
    let event = match sent {
        Some(sent) => event.sent(sent),
        None => event,
    };
    event.build().unwrap()
}

pub(crate) fn text(value: &'static str) -> ValueRef<'static> {
    ValueRef::from(value)
}

/// Returns a list that lives as long as the tests.
pub(crate) fn list(elements: Vec<String>) -> ValueRef<'static> {
    ValueRef::List(Elements::of(Box::leak(Box::new(elements)), 0))
}

pub(crate) fn words(elements: &str) -> ValueRef<'static> {
    list(elements.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn with_sent<T>(event: &Event, f: impl FnOnce(&SentEvent<'_>) -> T) -> T {
    f(&SentEvent::alone(event))
}

/// Returns the labels of a series from the metric down, joined by `_`, with `_`
/// for blanks; `None` if Dovecot has no such sub-metric.
fn names(metric: &MetricSnapshot) -> Vec<Option<String>> {
    let mut path: Vec<Option<String>> = Vec::new();
    let series = metric.series().iter().map(|series| {
        path.truncate(series.depth());
        let name = match (path.last(), series.level(metric.settings())) {
            (None, _) => Some(String::new()),
            (Some(_), _) if series.label() == Label::Missing => None,
            (Some(None), _) | (_, None) => None,
            (Some(Some(above)), Some(level)) => {
                let label = series.label().text(level).replace(' ', "_");
                let between = if series.depth() == 1 { "" } else { "_" };
                Some([above, between, &label].concat())
            }
        };
        path.push(name.clone());
        name
    });
    series.collect()
}

/// Returns `name=count` of each series, with full names without the metric's.
pub(crate) fn counts(snapshot: &Snapshot, metric: usize) -> String {
    let metric = &snapshot.metrics()[metric];
    let named = names(metric).into_iter().zip(metric.series().iter());
    let counts = named.filter_map(|(name, series)| {
        let count = series.duration().count();
        Some(format!("{}={count}", name?))
    });
    counts.collect::<Vec<_>>().join(" ")
}

/// Returns a line with all statistics for each distribution of each series.
pub(crate) fn table(snapshot: &Snapshot) -> String {
    let mut table = String::new();
    for metric in snapshot.metrics() {
        let name = String::from_utf8_lossy(&metric.settings().name);
        for (below, series) in names(metric).into_iter().zip(metric.series().iter()) {
            for distribution in series.distributions() {
                let numbers = numbers(distribution);
                table.push_str(&format!("{name} {below:?} {numbers}\n"));
            }
        }
    }
    table
}

fn numbers(all: &Distribution) -> String {
    let (count, sum, min, max) = (all.count(), all.sum(), all.min(), all.max());
    let (mean, median, variance) = (all.mean(), all.median(), all.variance());
    let percentile = all.percentile(Percentile::P95);
    format!("{count} {sum} {min} {max} {mean:.2} {median} {variance:.2} {percentile}")
}

/// Returns random numbers, the same in every run.
pub(crate) fn random(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        // SplitMix64, as published by Steele, Lea and Flood.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Some(mixed ^ (mixed >> 31))
    })
}
