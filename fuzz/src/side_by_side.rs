//! Both routes of fantail and the oracle, fed with the same lines.

use fantail_config::{Options, Settings, load_text};
use fantail_engine::ExporterId;
use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_metrics::dump;
use fantail_oracle::{Categories, Connection, Effective, Refusal, Value, matching};
use fantail_wire::Limits;

use crate::route::{Route, Way};

/// What one line leads to.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) sent: Option<Seen>,
    pub(crate) refused: Option<Refusal>,
    /// The exporters that get the event.
    pub(crate) exporters: Vec<ExporterId>,
    pub(crate) live_events: usize,
}

/// An event that is sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) effective: Effective,
    /// What a look-up of each of its fields gives; of a list, all elements.
    pub(crate) lookups: Vec<Option<Value>>,
}

/// A server with metrics, three times: the oracle, fantail by way of events as
/// values, and fantail by way of events as they were read.
#[derive(Debug)]
pub struct SideBySide {
    dialect: Dialect,
    limits: Limits,
    filters: Vec<Filter>,
    /// By filter: the exporter of its metric.
    exporters: Vec<Option<ExporterId>>,
    /// By filter: how many events matched.
    matched: Vec<u64>,
    categories: Categories,
    connections: Vec<Connection>,
    plain: Route,
    raw: Route,
}

impl SideBySide {
    /// Creates servers with two metrics for each filter: one exports and, for
    /// some, groups; one only counts. Filters with a syntax error are left out.
    ///
    /// # Panics
    /// The settings that are made of the filters cannot be used.
    pub fn new<'a>(
        filters: impl Iterator<Item = &'a [u8]>,
        dialect: Dialect,
        limits: &Limits,
    ) -> Self {
        let settings = settings(filters, dialect);
        let exporter = |metric: &fantail_config::Metric| {
            let name = metric.exporter.as_ref()?;
            let mut exporters = settings.exporters.iter();
            let at = exporters.position(|exporter| *exporter.name == *name.value);
            Some(ExporterId(at.expect("an exporter of these settings")))
        };
        let metrics = settings.metrics.iter();
        let filters: Vec<Filter> = metrics.clone().map(|it| it.filter.clone()).collect();
        Self {
            dialect,
            limits: limits.clone(),
            matched: vec![0; filters.len()],
            filters,
            exporters: metrics.map(exporter).collect(),
            categories: Categories::default(),
            connections: Vec::new(),
            plain: Route::new(&settings, limits, Way::Plain),
            raw: Route::new(&settings, limits, Way::Raw),
        }
    }

    /// How many filters are used.
    pub fn filters(&self) -> usize {
        self.filters.len() / 2
    }

    /// Hands over one line of a client without its LF; returns whether it is
    /// accepted. A refused line ends the connection, and the client's next
    /// line is the first one of a new connection.
    ///
    /// # Panics
    /// The three disagree about the line, or about what it sends.
    pub fn line(&mut self, client: usize, line: &[u8]) -> bool {
        while self.connections.len() <= client {
            let new = Connection::new(self.dialect, self.limits.clone());
            self.connections.push(new);
        }
        let expected = self.expected(client, line);
        for route in [&mut self.plain, &mut self.raw] {
            let outcome = route.line(client, line);
            assert_eq!(
                outcome,
                expected,
                "{:?} of {}",
                route.way(),
                line.escape_ascii()
            );
        }
        let accepted = expected.refused.is_none();
        if !accepted {
            self.connections[client] = Connection::new(self.dialect, self.limits.clone());
        }
        accepted
    }

    /// Compares what was counted and exported.
    ///
    /// # Panics
    /// A metric has not counted what the oracle says its filter matched, or the
    /// two routes differ in what they counted or exported.
    pub fn finish(self) {
        let [plain, raw] = [self.plain.finish(), self.raw.finish()];
        assert_eq!(raw.exports, plain.exports);
        let count = |metric: &fantail_metrics::MetricSnapshot| {
            let all = metric.series().iter().next();
            all.map_or(0, |series| series.duration().count())
        };
        let table = |snapshot: &fantail_metrics::Snapshot| {
            let mut table = Vec::new();
            dump::write_table(snapshot, &dump::default_columns(), &mut table);
            String::from_utf8_lossy(&table).into_owned()
        };
        assert_eq!(table(&raw.counted), table(&plain.counted));
        let counts: Vec<u64> = raw.counted.metrics().iter().map(count).collect();
        assert_eq!(counts, self.matched);
    }

    /// The oracle's answer.
    fn expected(&mut self, client: usize, line: &[u8]) -> Outcome {
        let connection = &mut self.connections[client];
        let answer = connection.line(line, &mut self.categories);
        let live_events = connection.live_events();
        let sent = answer.sent.as_ref();
        let matching = sent.map_or_else(Vec::new, |sent| {
            matching(&self.filters, self.dialect, sent, &self.categories)
        });
        for at in &matching {
            self.matched[*at] += 1;
        }
        Outcome {
            sent: sent.map(|sent| {
                let effective = sent.effective(&self.categories);
                let keys = effective.fields.iter().map(|(key, _)| key);
                let lookups = keys.map(|key| match sent.field(key) {
                    Some(Value::List(_)) => Some(Value::List(sent.elements(key))),
                    other => other.cloned(),
                });
                Seen {
                    lookups: lookups.collect(),
                    effective,
                }
            }),
            refused: answer.refused,
            exporters: matching
                .iter()
                .filter_map(|at| self.exporters[*at])
                .collect(),
            live_events,
        }
    }
}

/// Two metrics for each filter; those whose filter is wrong are left out.
fn settings<'a>(filters: impl Iterator<Item = &'a [u8]>, dialect: Dialect) -> Settings {
    let (transport, time) = match dialect {
        Dialect::V2_3 => ("transport = drop", "format_args = time-unix"),
        Dialect::V2_4 => ("driver = drop", "time_format = unix"),
    };
    let level = |key: &str| match dialect {
        Dialect::V2_3 => format!("group_by = {key}"),
        Dialect::V2_4 => format!("group_by {key} {{\n }}"),
    };
    let mut text = Vec::new();
    for (at, filter) in filters.enumerate() {
        let format = ["json", "tab-text"][at % 2];
        let kind = match at % 4 {
            0 => String::new(),
            1 => level("k"),
            2 => "fields = k n duration".to_owned(),
            _ => level("duration"),
        };
        let exporter =
            format!("event_exporter e{at} {{\n {transport}\n format = {format}\n {time}\n}}\n");
        text.extend_from_slice(exporter.as_bytes());
        for (name, body) in [
            ("m", format!("{kind}\n exporter = e{at}")),
            ("p", String::new()),
        ] {
            let start = format!("metric {name}{at} {{\n {body}\n filter = ");
            text.extend_from_slice(start.as_bytes());
            text.extend_from_slice(filter);
            text.extend_from_slice(b"\n}\n");
        }
    }
    let options = Options {
        dialect: Some(dialect),
        ..Options::default()
    };
    load_text("fuzz.conf", text, &options).settings
}
