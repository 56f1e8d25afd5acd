//! One exporter: Dovecot's settings of it, and those that only fantail has.

use std::time::Duration;

use fantail::{
    config::{Exporter, OwnSetting, OwnValue, Transport},
    format::TimeStyle,
};
use serde_json::{Map, Value, json};

use super::text;

/// `settings` says what counts, by the names of the settings; `changed` names
/// those of them that are not at their defaults.
pub(super) fn exporter(one: &Exporter) -> Value {
    let time = match one.time_style {
        TimeStyle::Rfc3339 => "rfc3339",
        TimeStyle::Unix => "unix",
    };
    let own = one.own_settings();
    let changed = own.iter().filter(|setting| !setting.is_default);
    let changed: Vec<&str> = changed.map(|setting| setting.name).collect();
    json!({
        "name": text(&one.name),
        "format": one.format.name(),
        "time_format": time,
        "transport": transport(&one.transport),
        "settings": own.iter().map(named).collect::<Map<String, Value>>(),
        "changed": changed,
    })
}

fn transport(transport: &Transport) -> Value {
    let driver = transport.name();
    match transport {
        Transport::HttpPost { url, timeout, .. } => json!({
            "driver": driver, "url": text(url), "timeout_ms": timeout.map(milliseconds),
        }),
        Transport::File { path, .. } => json!({ "driver": driver, "path": text(path) }),
        Transport::Unix { path, timeout, .. } => json!({
            "driver": driver, "path": text(path), "timeout_ms": timeout.map(milliseconds),
        }),
        _ => json!({ "driver": driver }),
    }
}

fn named(setting: &OwnSetting) -> (String, Value) {
    (setting.name.to_owned(), value(&setting.value))
}

fn value(value: &OwnValue) -> Value {
    match value {
        OwnValue::Switch(on) => (*on).into(),
        OwnValue::Number(number) | OwnValue::Size(number) => (*number).into(),
        OwnValue::Interval(interval) => milliseconds(*interval).into(),
        OwnValue::Word(word) => (*word).into(),
        OwnValue::Text(bytes) | OwnValue::ContentsOf(bytes) => text(bytes).into(),
        OwnValue::List(words) => words.iter().map(|word| text(word)).collect(),
        _ => Value::Null,
    }
}

fn milliseconds(interval: Duration) -> u64 {
    u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)
}
