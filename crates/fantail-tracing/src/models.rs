//! Models of threads, run by `cargo xtask models`; not part of the interface.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a model that cannot go on has failed"
)]

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use fantail_engine::internal::SlotPlan as _;
use fantail_event::{Event, Timestamp};
use shuttle::thread;
use tracing_core::{
    Kind, Level, Metadata,
    callsite::{Callsite, Identifier},
    field::FieldSet,
    subscriber::Interest,
};

use crate::{
    callsite::counted::{Counted, Own},
    client::buffer::{Buffer, Link, Wake},
    config::{compiled::Compiled, exporters::Exporters},
    layer::shared::Shared,
    record::{clock::Clock, open_span::SpanEvent, slot_values::SlotValues},
};

/// Lines of a producer, and events of a thread.
const EACH: u64 = 3;

/// Two producers, a writer whose connection ends once, and one that waits for the end:
/// all lines arrive, those of a producer in order, and each wait ends.
pub fn lines_pass_the_buffer_of_a_client() {
    let buffer = Arc::new(Buffer::new(1024));
    buffer.set_link(Link::Ready);
    let writer = {
        let buffer = Arc::clone(&buffer);
        thread::spawn(move || {
            let (mut arrived, mut lines) = (Vec::new(), Vec::new());
            loop {
                match buffer.take(&mut lines) {
                    Wake::Lines => {
                        arrived.append(&mut lines);
                        buffer.left(0);
                    }
                    Wake::Broken => buffer.set_link(Link::Ready),
                    Wake::Closed => return arrived,
                }
            }
        })
    };
    let producers = [b'a', b'b'].map(|name| {
        let buffer = Arc::clone(&buffer);
        thread::spawn(move || {
            for number in 0..EACH {
                assert!(buffer.push(&[name, b'0' + u8::try_from(number).unwrap()]));
            }
        })
    });
    buffer.set_link(Link::Down);
    for producer in producers {
        producer.join().unwrap();
    }
    // shuttle has no time: a wait without a signal never ends.
    assert!(buffer.wait_until_empty(Instant::now() + Duration::from_secs(86_400)));
    buffer.close();
    let arrived = String::from_utf8(writer.join().unwrap()).unwrap();
    for name in ["a", "b"] {
        let lines = arrived.lines().filter(|line| line.starts_with(name));
        assert!(
            lines.eq((0..EACH).map(|number| format!("{name}{number}"))),
            "{arrived}"
        );
    }
}

struct Request;

static CALLSITE: Request = Request;

static METADATA: Metadata<'static> = Metadata::new(
    "request",
    "models",
    Level::INFO,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&CALLSITE)),
    Kind::EVENT,
);

impl Callsite for Request {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

const CONFIG: &str = "metric requests {\n filter = event=request\n}\n";

/// As the layer does for each event.
fn send(shared: &Shared) {
    let compiled = shared.compiled.load();
    let counted = compiled.counted.as_ref().expect("nothing is exported");
    let callsite = counted
        .get(&compiled.plan, &METADATA)
        .expect("the only one");
    let counted: Counted<'_, NoSpan> = Counted {
        slots: compiled.plan.slots(),
        callsite,
        own: Own::Values(&SlotValues::default()),
        spans: &[],
        micros: 0,
    };
    if !shared.count(&compiled.plan, &counted) {
        let mut event = Event::default();
        event.restart(Timestamp::default());
        event.set_name(b"request").unwrap();
        shared.handle(&METADATA, &event, &[]);
    }
}

/// No span is around the events.
enum NoSpan {}

impl Deref for NoSpan {
    type Target = SpanEvent;

    fn deref(&self) -> &SpanEvent {
        match *self {}
    }
}

/// Two threads send events while two others change the configuration and a snapshot is
/// taken: the metric that stays counts all events, and all shards have the last plan.
pub fn a_reload_under_load_loses_no_event() {
    let compiled = Compiled::new(CONFIG, &Exporters::default(), b"").unwrap();
    let clock = Clock::Given(Arc::new(Timestamp::default));
    let shared = Arc::new(Shared::new(compiled, clock, Vec::new(), None));
    let senders = [(); 2].map(|()| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || (0..EACH).for_each(|_| send(&shared)))
    });
    let changes = ["other", "another"].map(|name| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            let more = format!("{CONFIG}metric {name} {{\n filter = event=*\n}}\n");
            shared.reload(&more).unwrap();
        })
    });
    let _ = shared.shards.snapshot();
    for thread in senders.into_iter().chain(changes) {
        thread.join().unwrap();
    }
    let counters = shared.shards.counters();
    assert_eq!((counters.events, counters.matched), (2 * EACH, 2 * EACH));
    let plan = &shared.compiled.load().plan;
    for shard in 0..shared.shards.len() {
        assert!(Arc::ptr_eq(shared.shards.shard(shard).plan(), plan));
    }
    let snapshot = shared.shards.snapshot();
    let metrics = snapshot.metrics();
    let requests = metrics
        .iter()
        .find(|metric| metric.settings().name == b"requests");
    let series = requests.and_then(|metric| metric.series().get(0));
    assert_eq!(series.expect("it stays").duration().count(), 2 * EACH);
}
