//! Counts events of a program in a registry and prints them as OpenMetrics.

use std::{error::Error, io};

use fantail::{
    event::{Dialect, EventView, ValueRef},
    exposition::{Exposition, ExpositionOptions, Format},
    metrics::{Exponential, GroupBy, Instruments, Method, MetricSettings, Registry},
};

/// A job that the program has done.
struct Job {
    queue: &'static str,
    micros: i64,
    bytes: i64,
}

impl EventView for Job {
    fn name(&self) -> Option<&[u8]> {
        Some(b"job_done")
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        match key {
            b"queue" => Some(self.queue.into()),
            b"bytes" => Some(self.bytes.into()),
            _ => None,
        }
    }

    fn duration_micros(&self) -> Option<i64> {
        Some(self.micros)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::new(Dialect::V2_4);
    let jobs = registry.add(MetricSettings {
        name: b"jobs".to_vec(),
        description: b"jobs of all queues".to_vec(),
        fields: vec![b"bytes".to_vec()],
        group_by: vec![
            GroupBy::new("queue", Method::Discrete(Vec::new())),
            GroupBy::new("duration", Method::Exponential(Exponential::new(3, 6, 10)?)),
        ],
        ..MetricSettings::default()
    })?;
    for (queue, micros, bytes) in [
        ("mail", 800, 10),
        ("mail", 70_000, 20),
        ("index", 2_000_000, 30),
    ] {
        let job = Job {
            queue,
            micros,
            bytes,
        };
        registry.observe(jobs, &job);
    }
    // Numbers that are no events.
    let instruments = Instruments::new();
    instruments
        .gauge("queue_length", &[("queue", "mail")])
        .set(3.0);

    let mut options = ExpositionOptions::new(Format::OpenMetrics);
    options.prefix = "app_".to_owned();
    let mut answer = Exposition::new(io::stdout().lock(), options);
    answer.snapshot(&registry.snapshot())?;
    answer.instruments(&instruments.snapshot())?;
    let (_stdout, left_out) = answer.finish()?;
    assert!(left_out.is_empty(), "{left_out:?}");
    Ok(())
}
