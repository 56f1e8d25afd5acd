//! A target of exports, and the server's statistics of its exporter.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    os::unix::net::UnixListener,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    Target,
    clients::{ANSWER_TIMEOUT, Writer},
};
use crate::error::Error;

/// An exporter of `spooled` events with a spool in `FOLDER/disk/spool` and a target
/// that does not exist yet.
pub(super) const SPOOLED: &str = "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
    metric honest {\n  filter = event=honest AND category=imap\n}\n\
    event_exporter out {\n  format = json\n  driver = unix\n  unix_path = FOLDER/target\n  \
    delivery = spool\n  spool_path = FOLDER/disk/spool\n  spool_size = 64M\n  \
    retry_first = 50 milliseconds\n  retry_longest = 200 milliseconds\n  max_age = 1 hours\n}\n\
    metric spooled {\n  filter = event=spooled\n  exporter = out\n  \
    exporter_include = fields\n  fields = n pad\n}\n";

/// Sends events with the numbers in `from..to`.
pub(super) fn send(target: &Target, from: usize, to: usize, pad: &str) -> Result<(), Error> {
    let mut client = Writer::connect(&target.writer())?;
    for number in from..to {
        client.send(&format!(
            "EVENT\t0\t0\t1\t100\t0\tnspooled\tIn\t{number}\tSpad\t{pad}\n"
        ));
    }
    client.finish()
}

/// Returns a number from the exporter's statistics.
fn number(target: &Target, name: &str) -> Result<u64, Error> {
    let answer = target.get("/api/v1/exporters")?;
    let json: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let number = json.pointer(&format!("/exporters/0/{name}"));
    let number = number.and_then(Value::as_u64);
    number.ok_or_else(|| Error::new(format!("no {name} in {}", answer.body)))
}

/// Waits until a number in the statistics has the wanted value.
pub(super) fn wait_for(target: &Target, name: &str, wanted: u64) -> Result<(), Error> {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    loop {
        let found = number(target, name)?;
        if found == wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            let why = format!("{name} of the exporter is {found}, not {wanted}");
            return Err(Error::new(why));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The event numbers that a target has received.
#[derive(Debug)]
pub(super) struct Received {
    numbers: Arc<Mutex<BTreeSet<u64>>>,
}

impl Received {
    pub(super) fn listen(path: &Path) -> Result<Self, Error> {
        let listener = UnixListener::bind(path).map_err(Error::at("bind", path))?;
        let numbers = Arc::<Mutex<BTreeSet<u64>>>::default();
        let received = Arc::clone(&numbers);
        // The thread runs until this program ends.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let json: Value = serde_json::from_str(&line).unwrap_or_default();
                    let number = json.pointer("/fields/n").or_else(|| json.get("n"));
                    // A line that no client sent has no number; it must not go unnoticed.
                    let number = number.and_then(Value::as_u64).unwrap_or(u64::MAX);
                    let mut all = received.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(number);
                }
            }
        });
        Ok(Self { numbers })
    }

    pub(super) fn numbers(&self) -> BTreeSet<u64> {
        let numbers = self.numbers.lock();
        numbers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until exactly the numbers below `below` have arrived.
    pub(super) fn wait_for_all(&self, below: u64) -> Result<(), Error> {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        loop {
            let numbers = self.numbers();
            let known = numbers.iter().filter(|number| **number < below).count();
            if known < numbers.len() {
                return Err(Error::new("an export was never sent"));
            }
            if known as u64 == below {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::new(format!("{known} of {below} exports have come")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
