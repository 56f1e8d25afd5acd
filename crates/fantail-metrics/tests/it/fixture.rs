//! Metrics and events for the tests.

use fantail_event::{Elements, Event, EventBuilder, SentEvent, Timestamp, ValueRef};
use fantail_metrics::{
    GroupBy, Method, MetricSettings, Snapshot,
    dump::{self, Names},
};

pub(crate) fn settings(name: &str, fields: &str, group_by: &[(&str, Method)]) -> MetricSettings {
    MetricSettings {
        name: name.into(),
        description: Vec::new(),
        fields: fields.split_whitespace().map(Into::into).collect(),
        group_by: group_by
            .iter()
            .map(|(field, method)| GroupBy {
                field: (*field).into(),
                method: method.clone(),
            })
            .collect(),
    }
}

pub(crate) fn discrete() -> Method {
    Method::Discrete(Vec::new())
}

pub(crate) fn event(fields: Vec<(&str, ValueRef<'_>)>) -> Event {
    event_between([0, 0], fields)
}

/// The event with its creation and its sending, in microseconds; 0 for never.
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

/// A list that lives as long as the tests do.
pub(crate) fn list(elements: Vec<String>) -> ValueRef<'static> {
    ValueRef::List(Elements::of(Box::leak(Box::new(elements)), 0))
}

pub(crate) fn words(elements: &str) -> ValueRef<'static> {
    list(elements.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn with_sent<T>(event: &Event, f: impl FnOnce(&SentEvent<'_>) -> T) -> T {
    f(&SentEvent::alone(event))
}

/// `name=count` of each series, the full names without the metric's.
pub(crate) fn counts(snapshot: &Snapshot, metric: usize) -> String {
    let metric = &snapshot.metrics()[metric];
    dump::rows(metric, snapshot.dialect(), Names::Full)
        .map(|row| {
            let name = String::from_utf8_lossy(&row.name);
            let own = name.split_once('_').map_or("", |(_, rest)| rest);
            format!("{own}={}", row.fields[0].1.count())
        })
        .collect::<Vec<_>>()
        .join(" ")
}
