//! The records of a snapshot in bodies of bounded size.

use std::{io, time::Instant};

use super::{
    PushProtocol, otlp,
    remembered::Remembered,
    remote_write::take_record,
    target::{GivenUp, Target},
    waiting::Waiting,
};
use crate::push_counters::{PushCounters, add};

/// The largest body before compression, except for one with a larger record.
const MAX_BODY_BYTES: usize = 512 << 10;

/// The bytes that a push takes: a body, the same one compressed, and chunks of the writer.
pub(super) const PUSH_BYTES: usize = 2 << 20;

/// Where bodies go.
#[derive(Debug)]
pub(super) struct Way<'p> {
    pub(super) target: &'p mut Target,
    pub(super) counters: &'p PushCounters,
    pub(super) waiting: &'p mut Waiting,
    /// When the snapshot is given up.
    pub(super) until: Instant,
}

/// Takes records, and sends each body that they fill.
#[derive(Debug)]
pub(super) struct Bodies<'p> {
    way: Way<'p>,
    protocol: PushProtocol,
    /// The beginning of a body of OTLP.
    start: &'p [u8],
    /// Notes the series of remote write.
    remembered: Option<&'p mut Remembered>,
    body: Vec<u8>,
    samples: usize,
    is_whole: bool,
}

impl<'p> Bodies<'p> {
    pub(super) const fn new(
        way: Way<'p>,
        (protocol, start): (PushProtocol, &'p [u8]),
        remembered: Option<&'p mut Remembered>,
    ) -> Self {
        Self {
            way,
            protocol,
            start,
            remembered,
            body: Vec::new(),
            samples: 0,
            is_whole: true,
        }
    }

    /// Sends the last body; returns whether the target accepted everything.
    pub(super) fn finish(mut self) -> io::Result<bool> {
        self.send()?;
        Ok(self.is_whole)
    }

    /// Adds a record with its number of samples.
    fn push(&mut self, record: &[u8], samples: usize) -> io::Result<()> {
        if self.samples > 0 && self.body.len() + record.len() > MAX_BODY_BYTES {
            self.send()?;
        }
        if self.protocol == PushProtocol::Otlp {
            let before: &[u8] = if self.samples == 0 { self.start } else { b"," };
            self.body.extend_from_slice(before);
        }
        self.body.extend_from_slice(record);
        self.samples += samples;
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        if self.samples == 0 {
            return Ok(());
        }
        if self.protocol == PushProtocol::Otlp {
            self.body.extend_from_slice(otlp::END);
        }
        let Way {
            target,
            counters,
            waiting,
            until,
        } = &mut self.way;
        let sent = target.send((&self.body, self.samples), counters, waiting, *until);
        let is_whole = sent.map_err(|GivenUp| io::Error::from(io::ErrorKind::TimedOut))?;
        self.is_whole &= is_whole;
        self.body.clear();
        self.samples = 0;
        Ok(())
    }

    fn write_series(&mut self, mut records: &[u8]) -> io::Result<()> {
        while !records.is_empty() {
            let Some(record) = take_record(&mut records) else {
                debug_assert!(false, "a part of a record");
                return Err(io::ErrorKind::InvalidData.into());
            };
            if let (Some(labels), Some(remembered)) = (record.labels, &mut self.remembered)
                && !remembered.note(labels)
            {
                add(&self.way.counters.unmarked_series, 1);
            }
            self.push(record.bytes, usize::from(record.labels.is_some()))?;
        }
        Ok(())
    }
}

/// Each write has whole records.
impl io::Write for Bodies<'_> {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        match self.protocol {
            PushProtocol::RemoteWrite => self.write_series(records)?,
            PushProtocol::Otlp => {
                let lines = records.split(|byte| *byte == b'\n');
                for metric in lines.filter(|line| !line.is_empty()) {
                    self.push(metric, otlp::points(metric))?;
                }
            }
        }
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
