//! Clients of a shard.

use std::sync::Arc;

use fantail_config::{LoadOptions, load_text};
use fantail_engine::{Engine, Plan};
use fantail_event::Dialect;

use super::{Client, Shard};
use crate::{
    Limits, Log,
    exporters::{Exporters, Site},
    memory::{Memory, Part},
    process::{log::Complaints, turn::Turns},
    worker::outbox::Outbox,
    worker::recent::{RecentEvents, RecentLimits},
};

const SESSIONS: &str = "metric s {\n  filter = event=fantail_session_finished\n}\n";

fn shard(memory: &Memory) -> Shard {
    let options = LoadOptions {
        dialect: Some(Dialect::V2_3),
        ..LoadOptions::default()
    };
    let settings = load_text("x", SESSIONS, &options)
        .accept()
        .unwrap()
        .settings;
    let log = Log::new(|_| {});
    let recent = RecentLimits::of_worker(&Limits::default(), 4);
    let exporters = Exporters::open(&settings, Site::new(Vec::new(), log.clone())).unwrap();
    Shard::new(
        Engine::with_plan(Arc::new(Plan::new(&settings).unwrap())),
        Outbox::new(exporters),
        Complaints::new(log),
        Arc::new([]),
        memory,
        usize::MAX,
        RecentEvents::reserved(recent, &memory.budget(Part::Recent)),
    )
}

fn finished(shard: &Shard) -> u64 {
    shard.engine.snapshot().metrics()[0]
        .series()
        .iter()
        .next()
        .map_or(0, |root| root.duration().count())
}

/// A client with very many sessions makes no other client wait until all have ended.
#[test]
fn the_sessions_of_a_client_end_in_turns() {
    const CLIENT_SESSIONS: u64 = 100;
    let memory = Memory::new(64 << 20);
    let mut shard = shard(&memory);
    let idle = shard.held();
    let mut client = Client::new(
        "client".to_owned(),
        Dialect::V2_3,
        fantail_wire::Limits::default(),
    );
    shard.admit(&mut client).unwrap();
    let begins = (1..=CLIENT_SESSIONS).map(|id| format!("BEGIN\t{id}\t0\t1\t1\t0\tcimap\n"));
    let lines = format!(
        "VERSION\tstats-client\t4\t0\nCATEGORY\timap\n{}",
        begins.collect::<String>()
    );
    let turns = Turns::new(Arc::default());
    shard
        .take(&mut client, lines.as_bytes(), &turns.begin())
        .unwrap();
    while client.has_unhandled() {
        shard.resume(&mut client, &turns.begin()).unwrap();
    }
    shard.begin_close(&mut client);
    let (mut ended, mut held) = (0, shard.held());
    let mut number = 0;
    // Each turn is over at once.
    while !shard.close(&mut client, || true) {
        number += 1;
        let now = (finished(&shard), shard.held());
        assert!(
            now.0 > ended && now.1 < held,
            "{now:?} after {ended}, {held}"
        );
        (ended, held) = now;
    }
    assert!(number > 10, "{number} turns");
    assert_eq!(finished(&shard), CLIENT_SESSIONS);
    let kept = shard.held() - idle;
    assert!(kept < 60_000, "{kept} bytes are kept");
    assert!(memory.budget(Part::Connections).used() < 1 << 20);
}
