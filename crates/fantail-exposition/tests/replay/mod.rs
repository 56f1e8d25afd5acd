//! Plays recorded events into a registry with a configuration.
//!
//! The parser of configurations handles only the files of the tests: metrics
//! with a filter, fields and the one-line `group_by` of 2.3.

use fantail_event::{Activity, Dialect, EventView as _};
use fantail_filter::Filter;
use fantail_metrics::{
    Exponential, GroupBy, Linear, Method, MetricId, MetricSettings, Modifier, Registry,
};
use fantail_syntax::ParseOptions;
use fantail_wire::{Connection, Intake, Limits, capture::Capture};

/// A registry and the filters of its metrics.
#[derive(Debug)]
pub(crate) struct Player {
    /// The counts.
    pub(crate) registry: Registry,
    filters: Vec<(MetricId, Filter)>,
    intake: Intake,
    dialect: Dialect,
}

impl Player {
    /// Creates a player with the metrics of a configuration.
    pub(crate) fn new(config: &str, dialect: Dialect) -> Self {
        let mut registry = Registry::new(dialect);
        let filters = metrics(config)
            .into_iter()
            .map(|(filter, settings)| {
                let options = ParseOptions::new(dialect);
                let filter = Filter::parse(filter.as_bytes(), &options).unwrap();
                (registry.add(settings).unwrap(), filter)
            })
            .collect();
        Self {
            registry,
            filters,
            intake: Intake::new(),
            dialect,
        }
    }

    /// Plays one connection, beginning with its handshake.
    pub(crate) fn play<'a>(&mut self, lines: impl IntoIterator<Item = &'a [u8]>) {
        let mut connection = Connection::new(self.dialect, Limits::default());
        // 2.3 ignores unnamed events; 2.4 does so unless a filter may match
        // them.
        let named_only =
            self.dialect == Dialect::V2_3 || self.filters.iter().all(|(_, f)| f.requires_name());
        let (registry, filters) = (&mut self.registry, &self.filters);
        for line in lines {
            let observe = |activity: Activity<'_>| {
                let Activity::Sent { event, .. } = activity else {
                    return;
                };
                if named_only && event.name().is_none() {
                    return;
                }
                for (metric, filter) in filters {
                    if filter.evaluate(&event) {
                        assert!(registry.observe(*metric, &event));
                    }
                }
            };
            let outcome = connection.handle(line, &mut self.intake, observe);
            assert_eq!(outcome, Ok(()), "{}", line.escape_ascii());
        }
        connection.close(&mut self.intake, |_| {});
    }

    /// Plays a file of escaped events as one connection.
    pub(crate) fn play_events(&mut self, events: &str) {
        let lines: Vec<Vec<u8>> = events.lines().map(unescape).collect();
        let greeting: &[u8] = b"VERSION\tstats-client\t4\t0";
        self.play(std::iter::once(greeting).chain(lines.iter().map(Vec::as_slice)));
    }

    /// Plays the connections of a capture in order.
    pub(crate) fn play_capture(&mut self, capture: &[u8]) {
        let capture = Capture::parse(capture);
        assert!(capture.errors.is_empty());
        for connection in capture.connections {
            let lines = connection.lines.iter().map(|line| line.line);
            self.play(lines.filter(|line| *line != b"<close>"));
        }
    }
}

/// Replaces `\t`, `\xNN` and `\\` by their bytes.
fn unescape(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other.unwrap(),
        });
    }
    bytes
}

/// Returns the metrics of a configuration with their filters.
fn metrics(config: &str) -> Vec<(String, MetricSettings)> {
    let joined = config.replace("\\\n", " ");
    let mut metrics = Vec::new();
    let mut current: Option<(String, MetricSettings)> = None;
    for line in joined.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("metric ") {
            let name = name.trim_end_matches('{').trim();
            let settings = MetricSettings {
                name: name.into(),
                ..MetricSettings::default()
            };
            current = Some((String::new(), settings));
        } else if line == "}" {
            metrics.extend(current.take());
        } else if let (Some((filter, settings)), Some((key, value))) =
            (&mut current, line.split_once('='))
        {
            let words = || value.split_whitespace();
            match key.trim() {
                "filter" => *filter = value.trim().to_owned(),
                "description" => settings.description = value.trim().into(),
                "fields" => settings.fields = words().map(Into::into).collect(),
                "group_by" => settings.group_by = words().map(group_by).collect(),
                _ => {}
            }
        }
    }
    metrics
}

fn group_by(text: &str) -> GroupBy {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |at: usize| parts[at].parse::<u32>().unwrap();
    let long = |at: usize| parts[at].parse::<u64>().unwrap();
    let method = match parts.get(1) {
        None => Method::Discrete(Vec::new()),
        Some(&"discrete") => Method::Discrete(parts[2].split('|').map(modifier).collect()),
        Some(&"exponential") => {
            Method::Exponential(Exponential::new(number(2), number(3), number(4)).unwrap())
        }
        Some(&"linear") => Method::Linear(Linear::new(long(2), long(3), long(4)).unwrap()),
        Some(other) => panic!("{other}"),
    };
    GroupBy {
        field: parts[0].into(),
        method,
    }
}

fn modifier(name: &str) -> Modifier {
    match name {
        "domain" => Modifier::Domain,
        "username" => Modifier::Username,
        "lower" => Modifier::Lower,
        "upper" => Modifier::Upper,
        other => panic!("{other}"),
    }
}
