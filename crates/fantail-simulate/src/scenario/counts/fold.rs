//! A process that folds ended runs, order by order, so that it can end between any two.

use std::{collections::VecDeque, time::Duration};

use fantail_fleet::counts::{FoldOrder, FoldRules, Folder, Message, Outgoing};

use super::{
    host::CLUSTER,
    is_planted,
    ledger::Ledger,
    now,
    reader::Reader,
    stream::{Outcome, Stream},
};
use crate::{fault::Fault, world::with};

/// The time without messages after which a run is claimed.
const RETIRE_AFTER: Duration = Duration::from_secs(600);

/// The time from a fold to the removal of what it replaces.
const REMOVE_AFTER: Duration = Duration::from_secs(300);

/// A running fold process.
#[derive(Debug)]
pub(super) struct FoldProcess {
    reader: Reader,
    folder: Folder,
    is_in_turn: bool,
    /// Messages that a planted fault sends after the head.
    late: VecDeque<(Outgoing, u64)>,
}

impl FoldProcess {
    pub(super) fn start() -> Self {
        let rules = FoldRules {
            retire_after: RETIRE_AFTER,
            remove_after: match is_planted(Fault::FoldedRunsAreRemovedAtOnce) {
                true => Duration::ZERO,
                false => REMOVE_AFTER,
            },
        };
        Self {
            reader: Reader::of_fold(),
            folder: Folder::new(CLUSTER.to_vec(), rules),
            is_in_turn: false,
            late: VecDeque::new(),
        }
    }

    /// Begins a turn, or carries out the next order of it; returns whether there was any.
    pub(super) fn step(&mut self, stream: &mut Stream, ledger: &mut Ledger) -> bool {
        if !std::mem::replace(&mut self.is_in_turn, true) {
            self.reader.read(stream);
            ledger.runs += 1;
            let aggregator = &self.reader.aggregator;
            self.folder.begin(aggregator, ledger.runs, now());
        }
        if let Some((message, expected)) = self.late.pop_front() {
            stream.send(&message, expected);
            return true;
        }
        let Some(order) = self.folder.next_order() else {
            self.is_in_turn = false;
            return false;
        };
        let is_done = match order {
            FoldOrder::Publish { message, expected } => self.publish(message, expected, stream),
            FoldOrder::Remove { what, subjects } => {
                let aggregator = &self.reader.aggregator;
                let fold = aggregator.folded_subjects(CLUSTER);
                let has_fold = fold.is_none_or(|(subject, all)| stream.subjects(&subject) >= all);
                let is_done = has_fold && subjects.iter().all(|subject| stream.purge(subject));
                if is_done {
                    self.reader.aggregator.removed(&what);
                }
                is_done
            }
        };
        self.folder.answered(is_done);
        true
    }

    fn publish(&mut self, message: Outgoing, expected: u64, stream: &mut Stream) -> bool {
        let mut message = message;
        match Message::read(&message.bytes, 0) {
            Ok(Message::Fold(mut fold)) => {
                if is_planted(Fault::RunsAreRemovedBeforeTheFold) {
                    for run in &fold.head.runs {
                        stream.purge(&format!("fantail.c1.site.*.{run:032x}.>"));
                    }
                }
                if is_planted(Fault::FoldedRunsAreForgotten) {
                    let before = fold.head.runs.len().saturating_sub(1);
                    fold.head.runs.drain(..before);
                    message.bytes = fold.to_bytes();
                }
            }
            Ok(Message::Claim(_)) => {}
            // Values.
            _ if is_planted(Fault::TheHeadOfTheFoldIsFirst) => {
                self.late.push_back((message, expected));
                return true;
            }
            _ => {}
        }
        if is_planted(Fault::TheHeadOfTheFoldIsFirst) && message.part.is_none() {
            self.late.push_front((message, expected));
            return true;
        }
        match stream.send(&message, expected) {
            Outcome::Stored(_) => true,
            Outcome::Refused(actual) if is_planted(Fault::FoldsHaveNoFence) => {
                matches!(stream.send(&message, actual), Outcome::Stored(_))
            }
            Outcome::Refused(_) | Outcome::Unknown => false,
        }
    }

    /// Folds and removes until there is nothing more to do.
    pub(super) fn finish(&mut self, stream: &mut Stream, ledger: &mut Ledger) {
        for _ in 0..6 {
            with(|world| world.pass(RETIRE_AFTER));
            while self.step(stream, ledger) {}
        }
    }
}
