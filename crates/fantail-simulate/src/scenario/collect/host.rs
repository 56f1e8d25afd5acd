//! A host and its queue. Several of its batches are under way together.

use fantail_fleet::events::{BatchHead, EventSubject};

use super::{Stored, is_planted, ledger::Ledger};
use crate::{
    fault::Fault,
    world::{World, with},
};

/// The most batches that are under way.
const UNDER_WAY: usize = 5;

/// A host with one exporter.
#[derive(Debug)]
pub(super) struct Host {
    number: usize,
    run: u64,
    /// The number of the first event that is not settled.
    settled: u64,
    dropped: u64,
}

impl Host {
    pub(super) const fn new(number: usize) -> Self {
        Self {
            number,
            run: 1,
            settled: 0,
            dropped: 0,
        }
    }

    /// Tries to publish some batches; or drops events, or starts again.
    pub(super) fn publish(&mut self, stream: &mut Vec<Stored>, ledger: &mut Ledger) {
        match with(|world| world.random.u32(..16)) {
            0 => {
                let dropped = with(|world| world.random.u64(1..5));
                self.settled += dropped;
                self.dropped += dropped;
            }
            // The file of a spool is full, or the process ends: what was under way is lost,
            // or not.
            1 => {
                self.run += 1;
            }
            _ => self.attempt(stream, ledger),
        }
    }

    /// Publishes until all is settled.
    pub(super) fn finish(&mut self, stream: &mut Vec<Stored>, ledger: &mut Ledger) {
        self.store(&[(self.settled, 1)], stream, ledger);
    }

    /// One attempt: each batch may be stored, in any order, and its answer may be lost.
    fn attempt(&mut self, stream: &mut Vec<Stored>, ledger: &mut Ledger) {
        let batches = with(|world| world.random.usize(1..=UNDER_WAY));
        let mut at = self.settled;
        let mut under_way = Vec::new();
        for _ in 0..batches {
            let count = with(|world| world.random.u64(1..4));
            under_way.push((at, count));
            at += count;
        }
        let mut answered: Vec<(u64, u64)> = Vec::new();
        let mut order = under_way.clone();
        with(|world| world.random.shuffle(&mut order));
        for batch in order {
            let (is_stored, is_answered) =
                with(|world: &mut World| (!world.one_in(4), !world.one_in(4)));
            if is_stored {
                self.store(&[batch], stream, ledger);
                if is_answered {
                    answered.push(batch);
                }
            }
        }
        for batch in under_way {
            if !answered.contains(&batch) {
                return;
            }
            self.settled = batch.0 + batch.1;
        }
    }

    fn store(&self, batches: &[(u64, u64)], stream: &mut Vec<Stored>, ledger: &mut Ledger) {
        for (first, count) in batches.iter().copied() {
            let run = match is_planted(Fault::EventIdsChange) {
                true => with(|world| world.random.u64(..)),
                false => self.run,
            };
            let head = BatchHead {
                run,
                first,
                count,
                queue: 1,
                dropped: self.dropped,
            };
            let host = format!("host{}", self.number);
            let subject = EventSubject {
                cluster: b"mail",
                host: host.as_bytes(),
                exporter: b"audit",
            };
            let lines: Vec<String> = (first..first + count)
                .map(|number| format!("{host}/{}/{number}", self.run))
                .collect();
            ledger.stored(&lines);
            stream.push(Stored {
                stored_at: ledger.now(),
                subject: subject.to_string(),
                head: head.to_string(),
                lines: lines.join("\n") + "\n",
            });
        }
    }
}
