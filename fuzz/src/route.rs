//! One of the two ways on which events go through fantail.

use fantail_config::Settings;
use fantail_engine::{Engine, ExporterId};
use fantail_event::{
    CategoryTree, Dialect, Event, EventView as _, Flat, FlatValue, Gather, Level, RawSending, Scan,
    SentEvent, Timestamp, ValueRef,
};
use fantail_format::{FieldRules, Format, Formatter, FormatterSettings, Moment, Parts, TimeStyle};
use fantail_metrics::Snapshot;
use fantail_oracle::{Effective, Value};
use fantail_wire::{Connection, Limits};

use crate::side_by_side::{Outcome, Seen};

const MOMENT: Moment<'_> = Moment {
    hostname: b"host",
    now: Timestamp::from_unix_micros(1_795_328_191_000_000),
};

/// Which of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `Connection::handle` and `Engine::handle`.
    Plain,
    /// `Connection::handle_raw` and `Engine::handle_raw`.
    Raw,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Route {
    way: Way,
    dialect: Dialect,
    limits: Limits,
    engine: Engine,
    categories: CategoryTree,
    scan: Scan,
    connections: Vec<Connection>,
    exports: Vec<(ExporterId, Vec<u8>)>,
}

/// What a server has done.
pub(crate) struct Done {
    pub(crate) exports: Vec<(ExporterId, Vec<u8>)>,
    pub(crate) counted: Snapshot,
}

impl Route {
    pub(crate) fn new(settings: &Settings, limits: &Limits, way: Way) -> Self {
        Self {
            way,
            dialect: settings.dialect,
            limits: limits.clone(),
            engine: Engine::new(settings).expect("settings that were read"),
            categories: CategoryTree::default(),
            scan: Scan::new(),
            connections: Vec::new(),
            exports: Vec::new(),
        }
    }

    pub(crate) fn way(&self) -> Way {
        self.way
    }

    pub(crate) fn line(&mut self, client: usize, line: &[u8]) -> Outcome {
        while self.connections.len() <= client {
            let new = Connection::new(self.dialect, self.limits.clone());
            self.connections.push(new);
        }
        let connection = &mut self.connections[client];
        let (engine, exports, mut seen) = (&mut self.engine, &mut self.exports, None);
        let before = exports.len();
        let mut sink = |id, payload: &[u8]| exports.push((id, payload.to_vec()));
        let handled = match self.way {
            Way::Plain => connection.handle(line, &mut self.categories, |sent| {
                let effective = effective_of_event(&sent.flatten(), sent.level);
                seen = Some(seen_of(effective, sent));
                engine.handle(sent, MOMENT, &mut sink);
            }),
            Way::Raw => {
                let (categories, scan) = (&mut self.categories, &mut self.scan);
                connection.handle_raw(line, categories, scan, |sending| {
                    written_alike(sending, self.dialect);
                    let mut gather = Gather::new();
                    let flat = gather.gather(sending);
                    let effective = effective_of_flat(&flat, sending);
                    sending.with_sent(|sent| seen = Some(seen_of(effective, sent)));
                    engine.handle_raw(sending, MOMENT, &mut sink);
                })
            }
        };
        let outcome = Outcome {
            sent: seen,
            refused: handled.err().map(|error| error.kind().clone().into()),
            exporters: self.exports[before..].iter().map(|(id, _)| *id).collect(),
            live_events: connection.live_events(),
        };
        if outcome.refused.is_some() {
            *connection = Connection::new(self.dialect, self.limits.clone());
        }
        outcome
    }

    pub(crate) fn finish(self) -> Done {
        Done {
            exports: self.exports,
            counted: self.engine.snapshot(),
        }
    }
}

fn effective_of_event(event: &Event<'_>, level: Level) -> Effective {
    let own = oracle_event(event);
    Effective {
        level,
        name: own.name,
        created: own.created,
        sent: own.sent,
        source: own.source,
        categories: own.categories,
        fields: own.fields,
    }
}

fn effective_of_flat(flat: &Flat<'_>, sending: &RawSending<'_>) -> Effective {
    let mut fields = Vec::new();
    flat.each_field(|key, value| {
        let value = match value {
            FlatValue::Str(text) => Value::Str(text.to_vec()),
            FlatValue::Int(number) => Value::Int(number),
            FlatValue::Time(time) => Value::Time(time),
            FlatValue::Ip(ip) => Value::Ip(ip.address().expect("an address that was read")),
            FlatValue::List(list) => Value::List(list.iter().map(<[u8]>::to_vec).collect()),
        };
        fields.push((key.to_vec(), value));
    });
    let source = sending.event.source();
    Effective {
        level: sending.level,
        name: flat.name().map(<[u8]>::to_vec),
        created: flat.created(),
        sent: flat.sent(),
        source: source.map(|source| (source.file.into_owned(), source.line)),
        categories: flat.categories().iter().map(<[u8]>::to_vec).collect(),
        fields,
    }
}

/// A look-up of each field.
fn seen_of(effective: Effective, sent: &SentEvent<'_>) -> Seen {
    let lookup = |key: &Vec<u8>| {
        Some(match sent.field(key)? {
            ValueRef::Str(text) => Value::Str(text.to_vec()),
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Time(time) => Value::Time(time),
            ValueRef::Ip(ip) => Value::Ip(ip),
            ValueRef::List => {
                let mut elements = Vec::new();
                sent.any_element(key, &mut |element| {
                    elements.push(element.to_vec());
                    false
                });
                Value::List(elements)
            }
        })
    };
    let lookups = effective.fields.iter().map(|(key, _)| lookup(key));
    Seen {
        lookups: lookups.collect(),
        effective,
    }
}

/// An event in the oracle's form.
pub(crate) fn oracle_event(event: &Event<'_>) -> fantail_oracle::Event {
    let value = |value: &fantail_event::Value<'_>| match value {
        fantail_event::Value::Str(text) => Value::Str(text.to_vec()),
        fantail_event::Value::Int(number) => Value::Int(*number),
        fantail_event::Value::Time(time) => Value::Time(*time),
        fantail_event::Value::Ip(ip) => Value::Ip(*ip),
        fantail_event::Value::List(list) => {
            Value::List(list.iter().map(|element| element.to_vec()).collect())
        }
    };
    let fields = event.fields().iter();
    let source = event.source.as_ref();
    fantail_oracle::Event {
        name: event.name.as_ref().map(|name| name.to_vec()),
        created: event.created,
        sent: event.sent,
        source: source.map(|source| (source.file.to_vec(), source.line)),
        always_log_source: event.always_log_source,
        categories: event.categories.iter().map(|it| it.to_vec()).collect(),
        fields: fields
            .map(|field| (field.key.to_vec(), value(&field.value)))
            .collect(),
    }
}

/// In tab-text, which neither replaces nor leaves out anything.
fn written_alike(sending: &RawSending<'_>, dialect: Dialect) {
    let formatter = Formatter::new(FormatterSettings {
        format: Format::TabText,
        time_style: TimeStyle::Unix,
        parts: Parts::ALL,
        fields: Vec::new(),
        rules: FieldRules::default(),
        event_id: false,
        cut_long_strings: false,
        dialect,
    });
    let (mut raw, mut plain) = (Vec::new(), Vec::new());
    let mut gather = Gather::new();
    formatter.write_view(&gather.gather(sending), MOMENT, &mut raw);
    sending.with_sent(|sent| formatter.write(sent, MOMENT, &mut plain));
    assert_eq!(
        raw.escape_ascii().to_string(),
        plain.escape_ascii().to_string()
    );
}
