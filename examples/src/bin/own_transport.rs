//! A transport of the program, behind a queue that keeps events in a spool on disk.
//!
//! `own_transport FOLDER down` leaves three events in the spool, since the target does not
//! accept them; `own_transport FOLDER up` prints them.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::{env, error::Error, io, time::Duration};

use fantail::transport::{
    Batch, DeliveryLevel, Queue, QueueSettings, SpoolSettings, Transport, TransportError,
    TransportErrorKind,
};

/// Prints payloads if it is up.
struct Printer {
    is_up: bool,
}

impl Transport for Printer {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        if !self.is_up {
            let error = io::Error::other("the printer is off");
            // The queue tries again after such an error.
            return Err(TransportError::new(TransportErrorKind::Connect, error));
        }
        println!("{}", String::from_utf8_lossy(payload));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(folder), Some(state)) = (arguments.next(), arguments.next()) else {
        return Err("usage: own_transport FOLDER up|down".into());
    };
    let is_up = state == "up";
    let settings = QueueSettings {
        level: DeliveryLevel::Spool(SpoolSettings::new(folder)),
        ..QueueSettings::default()
    };
    let queue = Queue::start("printer", Box::new(Printer { is_up }), settings)?;
    if !is_up {
        let mut batch = Batch::new();
        for number in 1..=3 {
            batch.push(format!("event {number}").as_bytes());
        }
        // It never waits for the target.
        queue.offer(&mut batch);
        println!("in the spool: {}", queue.flush(Duration::from_secs(60)));
    }
    let none_lost = queue.close(Duration::from_secs(60));
    let sent = queue.counters().sent;
    println!("none lost: {none_lost}; sent: {sent}");
    Ok(())
}
