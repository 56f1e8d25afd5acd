//! Engines of several threads, which count together.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::{error::Error, num::NonZeroUsize, sync::Arc, thread};

use fantail::{
    config::{LoadOptions, load_text},
    engine::{Exported, Plan, Sharded},
    event::{Dialect, Event, SentEvent, Timestamp},
    exposition::dump,
    format::ExportContext,
};

const CONFIG: &str = "
metric jobs {
  filter = event=job_done
  fields = bytes
  group_by worker {
  }
}
metric large_jobs {
  filter = event=job_done AND bytes>=1k
}
";

fn main() -> Result<(), Box<dyn Error>> {
    let options = LoadOptions {
        dialect: Some(Dialect::V2_4),
        ..LoadOptions::default()
    };
    let settings = load_text("threads.conf", CONFIG, &options)
        .accept()?
        .settings;
    let plan = Arc::new(Plan::new(&settings)?);
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let engines = Sharded::new(plan, threads);
    thread::scope(|scope| {
        for worker in 0..4 {
            let engines = &engines;
            scope.spawn(move || work(engines, worker));
        }
    });
    let mut table = Vec::new();
    dump::write_table(&engines.snapshot(), &dump::default_columns(), &mut table);
    print!("{}", String::from_utf8_lossy(&table));
    println!("{} events", engines.counters().events);
    Ok(())
}

fn work(engines: &Sharded, worker: usize) {
    // The uncontended lock of its own shard, for a batch of events.
    let mut engine = engines.shard(worker);
    for number in 0..1_000 {
        let received_at = Timestamp::from_unix_micros(number);
        let event = Event::builder(received_at)
            .name("job_done")
            .field("worker", &*format!("w{worker}"))
            .field("bytes", number * 2)
            .build();
        // Only an event beyond a gigabyte is too large.
        let Ok(event) = event else { continue };
        let context = ExportContext {
            host: b"host1",
            received_at,
        };
        engine.handle(&SentEvent::alone(&event), context, &mut |_: Exported<
            '_,
        >| {});
    }
}
