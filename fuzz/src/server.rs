//! fantail: one intake, its connections, and two engines: one for activities,
//! and one for sent events as events of another type.

use fantail_config::Settings;
use fantail_engine::{Engine, ExportSink, Exported, ExporterId, ObserverId};
use fantail_event::{
    Activity, Dialect, EffectiveBuffers, EffectiveEvent, EventRef, EventView as _, Level, LiveId,
    SentEvent, Timestamp, ValueRef,
};
use fantail_filter::Filter;
use fantail_format::ExportContext;
use fantail_metrics::Snapshot;
use fantail_oracle::{Effective, Value};
use fantail_wire::{Connection, Intake, Limits};

use crate::{
    ByKey,
    side_by_side::{Outcome, Seen},
};

const CONTEXT: ExportContext<'_> = ExportContext {
    host: b"host",
    received_at: Timestamp::from_unix_micros(1_795_328_191_000_000),
};

/// The number of fields of an event that are looked up by key: looking up all
/// of them would take too long for another type's event with many.
const LOOKED_UP_FIELDS: usize = 2;

#[derive(Debug)]
pub(crate) struct Server {
    dialect: Dialect,
    limits: Limits,
    intake: Intake,
    clients: Vec<Client>,
    engine: Engine,
    recorded: Recorded,
    by_key: Engine,
    recorded_by_key: Recorded,
    buffers: EffectiveBuffers,
}

#[derive(Debug)]
struct Client {
    connection: Connection,
    /// The live events, and ended ones with live children.
    live: Vec<LiveId>,
}

/// The exports of an engine, and the events that it showed to observers.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) exports: Vec<(ExporterId, Vec<u8>)>,
    pub(crate) observed: Vec<(usize, Effective)>,
}

impl ExportSink for Recorded {
    fn export(&mut self, exported: Exported<'_>) {
        self.exports
            .push((exported.exporter, exported.payload.to_vec()));
    }

    fn observed(
        &mut self,
        observer: ObserverId,
        event: &EffectiveEvent<'_>,
        _context: ExportContext<'_>,
    ) {
        self.observed
            .push((observer.0, effective(event, Level::default(), None)));
    }
}

/// The results of an engine.
pub(crate) struct Done {
    pub(crate) recorded: Recorded,
    pub(crate) counted: Snapshot,
}

impl Server {
    pub(crate) fn new<'f>(
        settings: &Settings,
        observers: impl Iterator<Item = &'f Filter> + Clone,
        limits: &Limits,
    ) -> Self {
        let engine = || {
            let mut engine = Engine::new(settings).expect("settings that were read");
            engine.observe(observers.clone().cloned());
            engine
        };
        Self {
            dialect: settings.dialect,
            limits: limits.clone(),
            intake: Intake::new(),
            clients: Vec::new(),
            engine: engine(),
            recorded: Recorded::default(),
            by_key: engine(),
            recorded_by_key: Recorded::default(),
            buffers: EffectiveBuffers::new(),
        }
    }

    pub(crate) fn line(&mut self, client: usize, line: &[u8]) -> Outcome {
        while self.clients.len() <= client {
            self.clients.push(Client::new(self.dialect, &self.limits));
        }
        let mut outcome = Outcome::default();
        let exported = self.recorded.exports.len();
        let observed = self.recorded.observed.len();
        let Self {
            intake,
            clients,
            engine,
            recorded,
            by_key,
            recorded_by_key,
            buffers,
            ..
        } = self;
        let Client { connection, live } = &mut clients[client];
        let handled = connection.handle(line, intake, |activity| {
            match activity {
                Activity::Sent { event, begun } => {
                    live.extend(begun);
                    outcome.begun = begun.is_some();
                    outcome.sent = Some(seen(&event, buffers));
                    by_key.handle(&ByKey(&event), CONTEXT, recorded_by_key);
                }
                Activity::Updated { id, update } => {
                    let mut known = live.iter_mut();
                    let known = known.find(|known| known.position() == id.position());
                    *known.expect("a live event") = id;
                    outcome.update = Some(oracle_event(update));
                }
                Activity::Ended { event, .. } => outcome.ended = Some(oracle_event(event)),
            }
            engine.step(&activity, CONTEXT, recorded);
        });
        outcome.refused = handled.err().map(|error| error.kind().clone().into());
        outcome.exporters = recorded.exports[exported..].iter().map(|it| it.0).collect();
        outcome.observed = recorded.observed[observed..].to_vec();
        outcome.live_events = connection.live_events();
        if outcome.refused.is_none() {
            self.clients[client].check_live(&self.intake);
        }
        outcome
    }

    /// Ends a client's connection; returns the events that ended with it.
    pub(crate) fn close(&mut self, client: usize) -> Vec<fantail_oracle::Event> {
        let Some(known) = self.clients.get_mut(client) else {
            return Vec::new();
        };
        let closed = std::mem::replace(known, Client::new(self.dialect, &self.limits));
        let others = self.intake.live_events().len() - closed.connection.live_events();
        let mut ended = Vec::new();
        closed.connection.close(&mut self.intake, |activity| {
            match activity {
                Activity::Ended { event, .. } => ended.push(oracle_event(event)),
                other => panic!("{other:?} at the end of a connection"),
            }
            self.engine.step(&activity, CONTEXT, &mut self.recorded);
        });
        let live = self.intake.live_events();
        assert!(closed.live.iter().all(|id| live.get(*id).is_none()));
        assert_eq!(live.len(), others);
        ended
    }

    /// Ends all connections; returns the results of both engines.
    pub(crate) fn finish(mut self) -> [Done; 2] {
        for client in 0..self.clients.len() {
            self.close(client);
        }
        assert!(self.intake.live_events().is_empty());
        [
            Done {
                recorded: self.recorded,
                counted: self.engine.snapshot(),
            },
            Done {
                recorded: self.recorded_by_key,
                counted: self.by_key.snapshot(),
            },
        ]
    }
}

impl Client {
    fn new(dialect: Dialect, limits: &Limits) -> Self {
        Self {
            connection: Connection::new(dialect, limits.clone()),
            live: Vec::new(),
        }
    }

    /// Checks that the connection's counts are those of its events.
    fn check_live(&mut self, intake: &Intake) {
        let live = intake.live_events();
        self.live.retain(|id| live.get(*id).is_some());
        assert_eq!(self.connection.live_events(), self.live.len());
        let sizes = self.live.iter().map(|id| live.size(*id));
        assert_eq!(self.connection.live_bytes(), sizes.sum::<usize>());
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Str(text) => Value::Str(text.to_vec()),
        ValueRef::Int(number) => Value::Int(number),
        ValueRef::Time(time) => Value::Time(time),
        ValueRef::Ip(ip) => Value::Ip(ip.address()),
        ValueRef::List(list) => Value::List(list.to_vec()),
        other => panic!("no client sends {other:?}"),
    }
}

fn effective(
    event: &EffectiveEvent<'_>,
    level: Level,
    source: Option<(Vec<u8>, u32)>,
) -> Effective {
    let mut fields = Vec::new();
    event.each_field(|key, found| {
        if fields.len() < LOOKED_UP_FIELDS {
            let mut again = None;
            event.with_field(key, |value| again = Some(value == found));
            assert_eq!(again, Some(true), "{}", key.escape_ascii());
        }
        fields.push((key.to_vec(), value(found)));
    });
    Effective {
        level,
        name: event.name().map(<[u8]>::to_vec),
        created: event.created(),
        sent: event.sent(),
        source,
        categories: event.categories().to_vec(),
        fields,
    }
}

/// Returns the effective event, and a look-up of each field.
fn seen(sent: &SentEvent<'_>, buffers: &mut EffectiveBuffers) -> Seen {
    let source = sent.source();
    let source = source.map(|source| (source.file.to_vec(), source.line));
    let whole = buffers.gather(sent);
    let effective = effective(&whole, sent.level, source);
    for (key, expected) in &effective.fields {
        assert_eq!(whole.field(key).map(value).as_ref(), Some(expected));
    }
    for category in &effective.categories {
        assert!(sent.in_category(category), "{}", category.escape_ascii());
    }
    let keys = effective.fields.iter().map(|(key, _)| key);
    let lookups = keys.map(|key| {
        assert_eq!(sent.field_origin(key).is_some(), sent.field(key).is_some());
        sent.field(key).map(value)
    });
    Seen {
        lookups: lookups.collect(),
        effective,
    }
}

/// Converts an event to the oracle's form.
pub fn oracle_event(event: EventRef<'_>) -> fantail_oracle::Event {
    let source = event.source();
    let fields = event.fields();
    fantail_oracle::Event {
        name: event.name().map(<[u8]>::to_vec),
        created: event.created(),
        sent: event.sent(),
        source: source.map(|source| (source.file.to_vec(), source.line)),
        always_log_source: event.always_log_source(),
        categories: event.categories().map(<[u8]>::to_vec).collect(),
        fields: fields
            .map(|(key, found)| (key.to_vec(), value(found)))
            .collect(),
    }
}
