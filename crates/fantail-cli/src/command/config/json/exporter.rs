//! An exporter: Dovecot's settings, and extension settings.

use std::{os::unix::ffi::OsStrExt as _, path::Path, time::Duration};

use fantail::{
    config::{
        Exporter, TransportSettings,
        internal::{ExtensionSetting, ExtensionValue},
    },
    format::TimeStyle,
};
use serde_json::{Map, Value, json};

use super::text;

/// Returns the object of an exporter. `settings` contains the effective values
/// by the names of the settings; `changed` contains the names of those that are
/// not at their defaults.
pub(super) fn exporter(one: &Exporter) -> Value {
    let time = match one.time_style {
        TimeStyle::Rfc3339 => "rfc3339",
        TimeStyle::Unix => "unix",
    };
    let own = one.extension_settings();
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

fn transport(transport: &TransportSettings) -> Value {
    let driver = transport.name();
    match transport {
        TransportSettings::HttpPost(http) | TransportSettings::Otlp(http) => json!({
            "driver": driver, "url": http.url, "timeout_ms": http.timeout.map(milliseconds),
        }),
        TransportSettings::File(file) => json!({ "driver": driver, "path": path(&file.path) }),
        TransportSettings::Unix(unix) => json!({
            "driver": driver,
            "path": path(&unix.path),
            "timeout_ms": unix.connect_timeout.map(milliseconds),
        }),
        _ => json!({ "driver": driver }),
    }
}

fn named(setting: &ExtensionSetting) -> (String, Value) {
    (setting.name.to_owned(), value(&setting.value))
}

fn value(value: &ExtensionValue) -> Value {
    match value {
        ExtensionValue::Switch(on) => (*on).into(),
        ExtensionValue::Number(number) | ExtensionValue::Size(number) => (*number).into(),
        ExtensionValue::Interval(interval) => milliseconds(*interval).into(),
        ExtensionValue::Word(word) => (*word).into(),
        ExtensionValue::Text(bytes) | ExtensionValue::ContentsOf(bytes) => text(bytes).into(),
        ExtensionValue::List(words) => words.iter().map(|word| text(word)).collect(),
        _ => Value::Null,
    }
}

fn path(path: &Path) -> String {
    text(path.as_os_str().as_bytes())
}

fn milliseconds(interval: Duration) -> u64 {
    u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)
}
