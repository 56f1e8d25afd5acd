//! Typed settings back to the text of a configuration.
//!
//! The text says what counts, and nothing else: no comments, no settings that
//! are at their defaults, no blocks of other services. Read again, it gives
//! the same settings. It does not translate: what only the other series of
//! Dovecot can express is written all the same.

mod exporter;

use std::time::Duration;

use bstr::ByteSlice;
use fantail_event::Dialect;
use fantail_format::Parts;
use fantail_metrics::{GroupBy, Method};

use crate::{
    modifier,
    settings::{Metric, Settings, StatsService},
};

pub use self::exporter::write_exporter;

/// Dovecot's default for all timeouts of exporters.
const TIMEOUT: Duration = Duration::from_millis(250);

/// What a configuration of 2.4 begins with.
pub const VERSION_LINES: &[u8] =
    b"dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n";

/// Writes settings in the syntax of their own dialect; for 2.4 with the lines
/// that such a configuration begins with.
#[must_use]
pub fn write(settings: &Settings) -> Vec<u8> {
    let mut text = Vec::new();
    if settings.dialect == Dialect::V2_4 {
        text.extend_from_slice(VERSION_LINES);
    }
    for exporter in &settings.exporters {
        write_exporter(exporter, settings.dialect, &mut text);
    }
    for metric in &settings.metrics {
        write_metric(metric, settings.dialect, &mut text);
    }
    write_stats(settings, &mut text);
    text
}

/// Writes one `metric` block.
pub fn write_metric(metric: &Metric, dialect: Dialect, text: &mut Vec<u8>) {
    let mut block = Block { text, depth: 0 };
    let settings = &metric.settings;
    block.open(b"metric", &settings.name);
    if !settings.description.is_empty() {
        block.set("description", &settings.description);
    }
    block.set("filter", metric.filter_text.bytes());
    if !settings.fields.is_empty() {
        block.set("fields", &bstr::join(" ", &settings.fields));
    }
    match dialect {
        Dialect::V2_3 if settings.group_by.is_empty() => {}
        Dialect::V2_3 => {
            let levels: Vec<Vec<u8>> = settings.group_by.iter().map(level_word).collect();
            block.set("group_by", &bstr::join(" ", levels));
        }
        Dialect::V2_4 => {
            for level in &settings.group_by {
                block.level(level);
            }
        }
    }
    if let Some(exporter) = &metric.exporter {
        block.set("exporter", &exporter.value);
    }
    if metric.include != Parts::ALL {
        block.set("exporter_include", &words(metric.include));
    }
    block.close();
}

/// Writes `service stats`, if anything listens there.
pub fn write_stats(settings: &Settings, text: &mut Vec<u8>) {
    let StatsService {
        unix_listeners,
        inet_listeners,
    } = &settings.stats;
    if unix_listeners.is_empty() && inet_listeners.is_empty() {
        return;
    }
    let mut block = Block { text, depth: 0 };
    block.open(b"service", b"stats");
    for listener in unix_listeners {
        block.open(b"unix_listener", &listener.path.value);
        if let Some(mode) = &listener.mode {
            block.set("mode", format!("{:04o}", mode.value).as_bytes());
        }
        for (key, value) in [("user", &listener.user), ("group", &listener.group)] {
            if let Some(value) = value {
                block.set(key, &value.value);
            }
        }
        block.close();
    }
    for listener in inet_listeners {
        block.open(b"inet_listener", &listener.name.value);
        if let Some(port) = &listener.port {
            block.set("port", port.value.to_string().as_bytes());
        }
        let key = match settings.dialect {
            Dialect::V2_3 => "address",
            Dialect::V2_4 => "listen",
        };
        let addresses: Vec<&[u8]> = listener
            .addresses
            .iter()
            .map(|address| address.value.as_slice())
            .collect();
        if !addresses.is_empty() {
            block.set(key, &bstr::join(" ", addresses));
        }
        if listener.ssl {
            block.set("ssl", b"yes");
        }
        block.close();
    }
    block.close();
}

/// 2.3: `field:linear:0:100:10`
fn level_word(level: &GroupBy) -> Vec<u8> {
    let method = match &level.method {
        Method::Discrete(modifiers) => match modifiers.as_slice() {
            [] => String::new(),
            // There is room for one.
            [one, ..] => format!(":discrete:%{{{}}}", modifier::name(*one)),
        },
        Method::Exponential(method) => format!(
            ":exponential:{}:{}:{}",
            method.min_magnitude(),
            method.max_magnitude(),
            method.base()
        ),
        Method::Linear(method) => {
            format!(
                ":linear:{}:{}:{}",
                method.min(),
                method.max(),
                method.step()
            )
        }
    };
    [&level.field, method.as_bytes()].concat()
}

/// The words of `exporter_include`.
fn words(parts: Parts) -> Vec<u8> {
    let switches = [
        parts.name,
        parts.hostname,
        parts.timestamps,
        parts.categories,
        parts.fields,
    ];
    let words = Parts::WORDS.iter().zip(switches);
    let words: Vec<&str> = words.filter(|(_, on)| *on).map(|(word, _)| *word).collect();
    words.join(" ").into_bytes()
}

/// A text with blocks open.
struct Block<'a> {
    text: &'a mut Vec<u8>,
    depth: usize,
}

impl Block<'_> {
    fn indent(&mut self) {
        self.text
            .extend_from_slice("  ".repeat(self.depth).as_bytes());
    }

    fn open(&mut self, kind: &[u8], name: &[u8]) {
        if self.depth == 0 && !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.indent();
        self.text.extend_from_slice(kind);
        self.text.push(b' ');
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:@+".contains(byte);
        if !name.is_empty() && name.iter().all(plain) {
            self.text.extend_from_slice(name);
        } else {
            quote(name, self.text);
        }
        self.text.extend_from_slice(b" {\n");
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        self.text.extend_from_slice(b"}\n");
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        self.indent();
        self.text.extend_from_slice(key.as_bytes());
        self.text.extend_from_slice(b" = ");
        if is_plain(value) {
            self.text.extend_from_slice(value);
        } else {
            quote(value, self.text);
        }
        self.text.push(b'\n');
    }

    /// A value that is read from a file.
    fn file_value(&mut self, key: &str, path: &[u8]) {
        self.indent();
        for part in [key.as_bytes(), b" = <", path, b"\n"] {
            self.text.extend_from_slice(part);
        }
    }

    fn timeout(&mut self, key: &str, timeout: Option<Duration>) {
        match timeout {
            Some(TIMEOUT) => {}
            Some(timeout) => self.set(key, format!("{} ms", timeout.as_millis()).as_bytes()),
            // To Dovecot's clients 0 means no timeout.
            None => self.set(key, b"0"),
        }
    }

    /// 2.4: `group_by field { method exponential { … } }`
    fn level(&mut self, level: &GroupBy) {
        self.open(b"group_by", &level.field);
        let numbers = |block: &mut Self, name: &[u8], numbers: [(&str, u64); 3]| {
            block.open(b"method", name);
            for (key, number) in numbers {
                block.set(key, number.to_string().as_bytes());
            }
            block.close();
        };
        match &level.method {
            Method::Discrete(modifiers) if modifiers.is_empty() => {}
            Method::Discrete(modifiers) => {
                let names = modifiers.iter().map(|one| modifier::name(*one));
                let names: Vec<&str> = std::iter::once("value").chain(names).collect();
                self.open(b"method", b"discrete");
                self.set("modifier", format!("%{{{}}}", names.join(" | ")).as_bytes());
                self.close();
            }
            Method::Exponential(method) => {
                let values = [
                    ("min_magnitude", method.min_magnitude().into()),
                    ("max_magnitude", method.max_magnitude().into()),
                    ("base", method.base().into()),
                ];
                numbers(self, b"exponential", values);
            }
            Method::Linear(method) => {
                let values = [
                    ("min", method.min()),
                    ("max", method.max()),
                    ("step", method.step()),
                ];
                numbers(self, b"linear", values);
            }
        }
        self.close();
    }
}

/// Whether a value means itself without quotes.
fn is_plain(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or_default();
    let last = value.last().copied().unwrap_or_default();
    !value.is_empty()
        && !matches!(first, b'"' | b'\'' | b'<' | b' ' | b'\t')
        && !matches!(last, b'\\' | b' ' | b'\t')
        && !value.iter().any(|byte| matches!(byte, b'#' | b'$'))
        && !value.contains_str("\n")
        && !value.contains_str("\r")
}

fn quote(value: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
}
