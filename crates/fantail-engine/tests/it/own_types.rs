//! Types of other programs: counted, exported and observed without an event being
//! built of them; formats and sinks of other programs.

use std::sync::Arc;

use fantail_engine::{Engine, ExportSink, Exported, ExporterId, ObserverId, Plan};
use fantail_event::{
    Dialect, EffectiveEvent, ElementSource, Elements, Event, EventView, ExportView, Ip, Level,
    SentEvent, Timestamp, ValueRef,
};
use fantail_format::{EventFormatter, ExportContext};

use super::{CONTEXT, described, settings, table};

/// A request as some program has it.
struct Request {
    at: Timestamp,
    path: String,
    status: i64,
    bytes: u64,
    seconds: f64,
    is_cached: bool,
    tags: Vec<&'static str>,
    from: Ip,
}

impl Request {
    fn new(path: &str, status: i64, tags: &[&'static str]) -> Self {
        Self {
            at: Timestamp::from_unix_micros(1_795_328_190_000_000),
            path: path.to_owned(),
            status,
            bytes: 1_000,
            seconds: 0.25,
            is_cached: false,
            tags: tags.to_vec(),
            from: Ip::parse(b"192.0.2.7").unwrap(),
        }
    }
}

impl ElementSource for Request {
    fn any_element(&self, _list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.tags.iter().any(|tag| test(tag.as_bytes()))
    }
}

impl EventView for Request {
    fn name(&self) -> Option<&[u8]> {
        Some(b"request")
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        Some(match key {
            b"path" => ValueRef::from(&self.path),
            b"status" => ValueRef::Int(self.status),
            b"bytes" => ValueRef::from(self.bytes),
            b"seconds" => ValueRef::Float(self.seconds),
            b"cached" => ValueRef::Bool(self.is_cached),
            b"tags" => ValueRef::List(Elements::of(self, 0)),
            b"from" => ValueRef::from(self.from),
            _ => return None,
        })
    }

    fn in_category(&self, category: &[u8]) -> bool {
        matches!(category, b"http" | b"network")
    }

    fn level(&self) -> Option<Level> {
        Some(Level::Warning)
    }
}

impl ExportView for Request {
    fn created(&self) -> Timestamp {
        self.at
    }

    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        each(b"http");
        each(b"network");
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        for key in [
            "path", "status", "bytes", "seconds", "cached", "tags", "from",
        ] {
            if let Some(value) = self.field(key.as_bytes()) {
                each(key.as_bytes(), value);
            }
        }
    }
}

const METRICS: &str = "
event_exporter json {
  driver = drop
  format = json
  time_format = unix
}
event_exporter tab {
  driver = drop
  format = tab-text
  time_format = unix
}
metric requests {
  filter = event=request AND category=network
  exporter = json
}
metric errors {
  filter = event=request AND status>=500 AND category=warning
  exporter = tab
  fields = path status tags
}
metric tagged {
  filter = tags=* AND from=192.0.2.0/24 AND NOT cached=yes
  fields = status bytes
  group_by tags {
  }
  group_by path {
  }
}
";

/// What a sink sees.
#[derive(Default)]
struct Seen {
    exports: Vec<(usize, String, String)>,
    observed: Vec<(usize, String)>,
    refused: Option<usize>,
}

impl ExportSink for Seen {
    fn wants(&mut self, exporter: ExporterId, _: usize) -> bool {
        self.refused != Some(exporter.0)
    }

    fn export(&mut self, exported: Exported<'_>) {
        assert_eq!(exported.event.name(), Some(&b"request"[..]));
        assert!(exported.event.field(b"path").is_some());
        self.exports.push((
            exported.exporter.0,
            String::from_utf8_lossy(exported.metric).into_owned(),
            String::from_utf8_lossy(exported.payload).into_owned(),
        ));
    }

    fn observed(&mut self, observer: ObserverId, event: &EffectiveEvent<'_>, _: ExportContext<'_>) {
        self.observed.push((observer.0, described(event)));
    }
}

fn engine() -> Engine {
    let mut engine = Engine::new(&settings(METRICS.as_bytes(), Dialect::V2_4)).unwrap();
    let observers = ["status>=500", "tags=slow"];
    engine.observe(observers.map(|filter| filter.parse().unwrap()));
    engine
}

#[test]
fn own_types_are_counted() {
    let (mut engine, mut seen) = (engine(), Seen::default());
    engine.handle(
        &Request::new("/a", 200, &["new", "slow"]),
        CONTEXT,
        &mut seen,
    );
    engine.handle(&Request::new("/b", 503, &["new"]), CONTEXT, &mut seen);
    engine.handle(&Request::new("/c", 500, &[]), CONTEXT, &mut seen);
    let dump = table(&engine.snapshot());
    for line in [
        "\nrequests\tduration\t3",
        "\nerrors\tduration\t2",
        "\nerrors\tstatus\t2\t1003",
        "\ntagged\tstatus\t2\t703",
        "\ntagged\tbytes\t2\t2000",
        "\ntagged_new\tduration\t2",
        "\ntagged_new_/a\tduration\t1",
        "\ntagged_slow_/a\tbytes\t1\t1000",
    ] {
        assert!(dump.contains(line), "{line}\n{dump}");
    }
    assert!(!dump.contains("tagged_slow_/b"), "{dump}");
    let counters = engine.counters();
    assert_eq!((counters.events, counters.matched), (3, 3));
    assert_eq!((counters.exported, counters.unwanted), (5, 0));
}

#[test]
fn own_types_are_exported() {
    let (mut engine, mut seen) = (engine(), Seen::default());
    engine.handle(&Request::new("/b", 503, &["new", "x"]), CONTEXT, &mut seen);
    let json = "{\"event\":\"request\",\"hostname\":\"vm\",\"start_time\":1795328190.000000,\
                \"end_time\":1795328191.000000,\"categories\":[\"http\",\"network\"],\
                \"fields\":{\"path\":\"/b\",\"status\":503,\"bytes\":1000,\"seconds\":0.25,\
                \"cached\":false,\"tags\":[\"new\",\"x\"],\"from\":\"192.0.2.7\"}}";
    let tab = "event:request\thostname:vm\tstart_time:1795328190.000000\tend_time:1795328191.000000\t\
               category:http\tcategory:network\tfield:path=/b\tfield:status=503\tfield:tags=new\x01tx";
    assert_eq!(seen.exports[0], (0, "requests".to_owned(), json.to_owned()));
    assert_eq!(seen.exports[1], (1, "errors".to_owned(), tab.to_owned()));
    assert_eq!(seen.exports.len(), 2);
}

#[test]
fn own_types_are_observed() {
    let (mut engine, mut seen) = (engine(), Seen::default());
    engine.handle(&Request::new("/a", 200, &["slow"]), CONTEXT, &mut seen);
    engine.handle(&Request::new("/b", 503, &["slow"]), CONTEXT, &mut seen);
    let observers: Vec<usize> = seen.observed.iter().map(|it| it.0).collect();
    assert_eq!(observers, [1, 0, 1]);
    let text = &seen.observed[2].1;
    for part in [
        "request",
        "[\"http\", \"network\"]",
        "status=Int(503)",
        "tags=List",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_sink_says_what_it_wants() {
    let mut engine = engine();
    let mut seen = Seen {
        refused: Some(0),
        ..Seen::default()
    };
    engine.handle(&Request::new("/b", 503, &[]), CONTEXT, &mut seen);
    let metrics: Vec<&str> = seen.exports.iter().map(|it| &*it.1).collect();
    assert_eq!(metrics, ["errors"]);
    let counters = engine.counters();
    assert_eq!((counters.exported, counters.unwanted), (1, 1));
}

/// An own format.
#[derive(Debug)]
struct Brief;

impl EventFormatter for Brief {
    fn write(
        &self,
        metric: &[u8],
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    ) {
        let mut fields = 0;
        event.each_field(|_, _| fields += 1);
        let text = format!(
            "{}@{}: {} with {fields} fields",
            metric.escape_ascii(),
            context.host.escape_ascii(),
            event.name().unwrap_or(b"-").escape_ascii()
        );
        out.extend_from_slice(text.as_bytes());
    }
}

#[test]
fn an_own_format_writes_for_its_exporter_alone() {
    let settings = settings(METRICS.as_bytes(), Dialect::V2_4);
    let mut plan = Plan::new(&settings).unwrap();
    let brief: Arc<dyn EventFormatter> = Arc::new(Brief);
    plan.use_formatter(ExporterId(1), &brief);
    let mut engine = Engine::with_plan(Arc::new(plan));
    let mut seen = Seen::default();
    engine.handle(&Request::new("/b", 503, &[]), CONTEXT, &mut seen);
    assert!(seen.exports[0].2.starts_with('{'), "{:?}", seen.exports);
    let expected = "errors@vm: request with 7 fields".to_owned();
    assert_eq!(seen.exports[1], (1, "errors".to_owned(), expected));

    // And a sent event.
    let event = Event::builder(Timestamp::default())
        .name("request")
        .field("path", "/c")
        .field("status", 500)
        .build()
        .unwrap();
    let filter = METRICS.replace(" AND category=warning", "");
    let mut plan = Plan::new(&super::settings(filter.as_bytes(), Dialect::V2_4)).unwrap();
    plan.use_formatter(ExporterId(1), &brief);
    let mut engine = Engine::with_plan(Arc::new(plan));
    let mut payloads = Vec::new();
    let mut sink = |exported: Exported<'_>| {
        assert!(exported.event.as_sent().is_some());
        payloads.push(String::from_utf8_lossy(exported.payload).into_owned());
    };
    engine.handle(&SentEvent::alone(&event), CONTEXT, &mut sink);
    assert_eq!(payloads, ["errors@vm: request with 3 fields"]);
}

/// A type that says no more than it must.
struct Least;

impl EventView for Least {
    fn name(&self) -> Option<&[u8]> {
        None
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        (key == b"k").then_some(ValueRef::Str(b"v"))
    }
}

impl ExportView for Least {
    fn created(&self) -> Timestamp {
        Timestamp::default()
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        each(b"k", ValueRef::Str(b"v"));
    }
}

/// One without a name is counted by the rules for Dovecot's.
#[test]
fn an_own_type_without_a_name() {
    let metric = "metric m {\n  filter = k=v\n}\n";
    for (dialect, expected) in [(Dialect::V2_3, 0), (Dialect::V2_4, 1)] {
        let mut engine = Engine::new(&settings(metric.as_bytes(), dialect)).unwrap();
        engine.handle(&Least, CONTEXT, &mut |_: Exported<'_>| {});
        assert_eq!(engine.counters().matched, expected, "{dialect}");
    }
}
