//! fantail and the oracle, fed with the same lines.

use fantail_config::{LoadOptions, Settings, load_text};
use fantail_engine::{ExporterId, SESSION_FINISHED};
use fantail_event::{Dialect, Level};
use fantail_exposition::dump;
use fantail_filter::{Filter, Mentions};
use fantail_oracle::{Categories, Connection, Effective, Event, Refusal, Value, holding, matching};
use fantail_wire::Limits;

use crate::server::Server;

/// The results of one line.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) sent: Option<Seen>,
    /// Whether the sent event is live.
    pub(crate) begun: bool,
    pub(crate) update: Option<Event>,
    pub(crate) ended: Option<Event>,
    pub(crate) refused: Option<Refusal>,
    /// The exporters that get the event.
    pub(crate) exporters: Vec<ExporterId>,
    /// The observers that see the event, and the event that they see; without
    /// level and source.
    pub(crate) observed: Vec<(usize, Effective)>,
    pub(crate) live_events: usize,
}

/// An event that is sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) effective: Effective,
    /// The result of a look-up of each of its fields; for a list, all elements.
    pub(crate) lookups: Vec<Option<Value>>,
}

/// A server with metrics, twice: the oracle and fantail. fantail has a second
/// engine for sent events as events of another type.
#[derive(Debug)]
pub struct SideBySide {
    dialect: Dialect,
    limits: Limits,
    filters: Vec<Filter>,
    /// The exporter of each filter's metric.
    exporters: Vec<Option<ExporterId>>,
    /// The number of matching events of each filter.
    matched: Vec<u64>,
    categories: Categories,
    connections: Vec<Connection>,
    server: Server,
}

impl SideBySide {
    /// Creates servers with two metrics for each filter: one exports and, for
    /// some filters, groups; one only counts. Each filter is also that of an
    /// observer. Filters with a syntax error are omitted, as are those that
    /// require sessions, which the oracle does not have.
    ///
    /// # Panics
    /// Panics if the settings with the filters are invalid.
    pub fn new<'a>(
        filters: impl Iterator<Item = &'a [u8]>,
        dialect: Dialect,
        limits: &Limits,
    ) -> Self {
        let mut settings = settings(filters, dialect);
        settings
            .metrics
            .retain(|metric| !asks_for_sessions(&metric.filter));
        let exporter = |metric: &fantail_config::Metric| {
            let name = metric.exporters.first()?;
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
            server: Server::new(&settings, observers(&filters), limits),
            filters,
            exporters: metrics.map(exporter).collect(),
            categories: Categories::default(),
            connections: Vec::new(),
        }
    }

    /// Returns the number of used filters.
    pub fn filters(&self) -> usize {
        self.filters.len() / 2
    }

    /// Passes one line of a client, without its LF, to both; returns whether it
    /// is accepted. A refused line ends the connection, and the client's next
    /// line is the first one of a new connection.
    ///
    /// # Panics
    /// Panics if the two disagree about the line, or about the events that it
    /// sends.
    pub fn line(&mut self, client: usize, line: &[u8]) -> bool {
        while self.connections.len() <= client {
            let new = Connection::new(self.dialect, self.limits.clone());
            self.connections.push(new);
        }
        let expected = self.expected(client, line);
        let outcome = self.server.line(client, line);
        assert_eq!(outcome, expected, "{}", line.escape_ascii());
        let accepted = expected.refused.is_none();
        if !accepted {
            self.close(client);
        }
        accepted
    }

    /// Ends a client's connection; its next line is the first one of a new
    /// connection.
    ///
    /// # Panics
    /// Panics if the two disagree about the events that end with it.
    pub fn close(&mut self, client: usize) {
        let ended = self.server.close(client);
        let expected = match self.connections.get_mut(client) {
            Some(connection) => {
                let new = Connection::new(self.dialect, self.limits.clone());
                std::mem::replace(connection, new).close()
            }
            None => Vec::new(),
        };
        assert_eq!(ended, expected);
    }

    /// Ends all connections, and compares counts and exports.
    ///
    /// # Panics
    /// Panics if a metric has another count than the oracle's filter, or if the
    /// two engines differ in counts, exports or observed events.
    pub fn finish(mut self) {
        for client in 0..self.connections.len() {
            self.close(client);
        }
        let [activities, by_key] = self.server.finish();
        let exports = activities.recorded.exports.iter();
        for (one, other) in exports.zip(&by_key.recorded.exports) {
            let text = |payload: &[u8]| payload.escape_ascii().to_string();
            assert_eq!(text(&one.1), text(&other.1));
        }
        assert_eq!(activities.recorded, by_key.recorded);
        let count = |metric: &fantail_metrics::MetricSnapshot| {
            let all = metric.series().iter().next();
            all.map_or(0, |series| series.duration().count())
        };
        let table = |snapshot: &fantail_metrics::Snapshot| {
            let mut table = Vec::new();
            dump::write_table(snapshot, &dump::default_columns(), &mut table);
            String::from_utf8_lossy(&table).into_owned()
        };
        assert_eq!(table(&activities.counted), table(&by_key.counted));
        let metrics = activities.counted.metrics();
        let counts: Vec<u64> = metrics.iter().map(count).collect();
        assert_eq!(counts, self.matched);
    }

    /// Returns the oracle's answer.
    fn expected(&mut self, client: usize, line: &[u8]) -> Outcome {
        let connection = &mut self.connections[client];
        let answer = connection.line(line, &mut self.categories);
        let mut outcome = Outcome {
            live_events: connection.live_events(),
            refused: answer.refused,
            update: answer.update,
            ended: answer.ended,
            ..Outcome::default()
        };
        let Some(sent) = &answer.sent else {
            return outcome;
        };
        let matching = matching(&self.filters, self.dialect, sent, &self.categories);
        for at in &matching {
            self.matched[*at] += 1;
        }
        let effective = sent.effective(&self.categories);
        let observed = Effective {
            level: Level::default(),
            source: None,
            ..effective.clone()
        };
        let watched: Vec<Filter> = observers(&self.filters).cloned().collect();
        let observers = holding(&watched, sent, &self.categories).into_iter();
        let exporters = matching.iter().filter_map(|at| self.exporters[*at]);
        let keys = effective.fields.iter().map(|(key, _)| key);
        let lookups = keys.map(|key| match sent.field(key) {
            Some(Value::List(_)) => Some(Value::List(sent.elements(key))),
            other => other.cloned(),
        });
        outcome.begun = answer.begun;
        outcome.exporters = exporters.collect();
        outcome.observed = observers.map(|at| (at, observed.clone())).collect();
        outcome.sent = Some(Seen {
            lookups: lookups.collect(),
            effective,
        });
        outcome
    }
}

/// Returns one of two metrics with the same filter.
fn observers(filters: &[Filter]) -> impl Iterator<Item = &Filter> + Clone {
    filters.iter().step_by(2)
}

fn asks_for_sessions(filter: &Filter) -> bool {
    let mentions = Mentions::of(filter);
    let mut names = mentions.names().iter();
    names.any(|name| name.literal() == Some(SESSION_FINISHED))
}

/// Returns two metrics for each filter; invalid filters are omitted.
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
    let options = LoadOptions {
        dialect: Some(dialect),
        ..LoadOptions::default()
    };
    load_text("fuzz.conf", text, &options).settings
}
