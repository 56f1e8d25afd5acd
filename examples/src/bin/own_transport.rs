//! A transport of the program, behind a queue that keeps events in a spool on disk.
//!
//! `own_transport FOLDER`: the target refuses the first attempt, and the queue tries
//! again.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people"
)]

use std::{env, error::Error, io, time::Duration};

use fantail::transport::{
    Batch, DeliveryLevel, Queue, QueueSettings, SpoolSettings, Transport, TransportError,
    TransportErrorKind,
};

/// Prints payloads; at first it is not ready.
struct Printer {
    is_ready: bool,
}

impl Transport for Printer {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        if !self.is_ready {
            self.is_ready = true;
            let error = io::Error::other("the printer warms up");
            // A connection that failed is tried again.
            return Err(TransportError::new(TransportErrorKind::Connect, error));
        }
        println!("{}", String::from_utf8_lossy(payload));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: own_transport FOLDER")?;
    let settings = QueueSettings {
        level: DeliveryLevel::Spool(SpoolSettings::new(folder)),
        ..QueueSettings::default()
    };
    let queue = Queue::builder("printer", Box::new(Printer { is_ready: false }))
        .settings(settings)
        .on_trouble(|trouble| eprintln!("{trouble:?}"))
        .start()?;
    let mut batch = Batch::new();
    for number in 1..=3 {
        batch.push(format!("event {number}").as_bytes());
        // It never waits for the target.
        queue.offer(&mut batch);
    }
    let all = queue.close(Duration::from_secs(60));
    let counters = queue.counters();
    println!("all sent: {all}; failed attempts: {}", counters.failures);
    Ok(())
}
