//! What is folded: the sum of ended runs, whose own messages leave the stream.
//!
//! A fold process writes the sum of all that is folded under a new attempt, and then a head
//! that names the attempt and the runs in it. Only the head counts: from then on, the runs
//! are in the fold and nowhere else, so that the total stays. An attempt without a head has
//! no effect, and messages of a run in the fold are ignored.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Aggregator, Behind, ClaimMessage, FoldHead, Part, PartId, PartMessage, PartRange, RunId, Values,
};
use crate::counts::Subject;

/// What the stream does not need any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removable {
    /// The values and the head of a run that is folded.
    Run {
        /// The host.
        host: Vec<u8>,
        /// The run.
        run: RunId,
    },
    /// The claim of a run that was folded long ago.
    Claim {
        /// The host.
        host: Vec<u8>,
        /// The run.
        run: RunId,
    },
    /// An attempt to fold that failed, or was replaced.
    Attempt(RunId),
}

impl Removable {
    /// Returns the subjects, with wildcards.
    #[must_use]
    pub fn subjects(&self, cluster: &[u8]) -> Vec<String> {
        match self {
            Self::Attempt(attempt) => vec![Subject::of_run(cluster, &[], *attempt)],
            Self::Claim { host, run } => vec![Subject::of_run(cluster, host, *run)],
            // A host that comes back finds the claim.
            Self::Run { host, run } => {
                let all = Subject::of_run(cluster, host, *run);
                let all = all.trim_end_matches('>');
                vec![format!("{all}h"), format!("{all}*.*.>")]
            }
        }
    }
}

/// What is folded.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded {
    /// The head that counts, and its sequence.
    head: FoldHead,
    sequence: u64,
    /// The sequences of the last heads with an even and with an odd version.
    slots: [u64; 2],
    /// The time of the newest head by the clock of the reader.
    since: Duration,
    /// A newer head, whose parts are not all here.
    next: Option<(FoldHead, u64)>,
    /// The runs of the head.
    runs: BTreeSet<RunId>,
    attempts: BTreeMap<RunId, Attempt>,
    /// What a fold process needs to know besides.
    duties: Option<Duties>,
}

/// What a fold process has to remove.
#[derive(Debug, Clone, Default)]
struct Duties {
    removable: BTreeSet<Removable>,
    /// The hosts of runs that were claimed.
    claims: BTreeMap<RunId, Vec<u8>>,
}

/// The parts that a fold process wrote.
#[derive(Debug, Clone, Default)]
struct Attempt {
    parts: BTreeMap<PartId, Part>,
    /// The sequence of the last message.
    last: u64,
}

impl Attempt {
    fn has(&self, part: PartId) -> bool {
        let part = self.parts.get(&part);
        part.is_some_and(|part| part.progress.held > 0)
    }

    fn series(&self) -> usize {
        self.parts.values().map(|part| part.values.series()).sum()
    }
}

/// What a fold begins with.
#[derive(Debug)]
pub(in crate::counts) struct FoldBasis {
    pub(in crate::counts) head: FoldHead,
    /// The sequence of the head that the next one replaces.
    pub(in crate::counts) replaced: u64,
    /// The runs to fold.
    pub(in crate::counts) runs: Vec<RunId>,
    /// How many of them have lost messages.
    pub(in crate::counts) incomplete: u64,
    /// The values of each part: those of the fold first.
    pub(in crate::counts) parts: BTreeMap<PartId, (Option<Values>, Vec<Values>)>,
}

impl Folded {
    pub(super) fn anew(&self) -> Self {
        Self {
            duties: self.duties.as_ref().map(|_| Duties::default()),
            ..Self::default()
        }
    }

    pub(super) fn has(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    pub(super) fn part(&self, number: PartId) -> Option<&Part> {
        self.attempts.get(&self.head.attempt)?.parts.get(&number)
    }

    pub(super) fn note_claim(&mut self, claim: &ClaimMessage) {
        if let Some(duties) = &mut self.duties {
            duties.claims.insert(claim.run, claim.host.clone());
        }
    }

    /// Notes a message of a run that is folded.
    pub(super) fn note_left_over(&mut self, run: RunId, host: &[u8]) {
        let host = host.to_vec();
        self.remove(Removable::Run { host, run });
    }

    fn remove(&mut self, what: Removable) {
        if let Some(duties) = &mut self.duties {
            duties.removable.insert(what);
        }
    }

    /// Returns the parts of the newest head that are not here.
    pub(super) fn behind(&self, range: PartRange) -> impl Iterator<Item = Behind> {
        let next = self.next.iter();
        let parts = next.flat_map(|(head, _)| head.parts.iter().map(|part| (head.attempt, *part)));
        let missing = parts.filter(move |(attempt, part)| {
            let attempt = self.attempts.get(attempt);
            range.contains(*part) && !attempt.is_some_and(|attempt| attempt.has(*part))
        });
        missing.map(|(run, part)| Behind {
            host: b"_fold".to_vec(),
            run,
            part,
            held: 0,
            wanted: 1,
        })
    }

    /// Returns the newest head with its sequence, whether it counts or not.
    fn newest(&self) -> (&FoldHead, u64) {
        match &self.next {
            Some((head, sequence)) => (head, *sequence),
            None => (&self.head, self.sequence),
        }
    }
}

impl Aggregator {
    /// Has the aggregator note what a fold process may remove. The aggregator must have all
    /// parts, and have seen nothing yet.
    pub fn note_removable(&mut self) {
        self.folded.duties = Some(Duties::default());
    }

    /// Returns what the stream does not need any more.
    pub fn removable(&self) -> impl Iterator<Item = &Removable> {
        let duties = self.folded.duties.iter();
        duties.flat_map(|duties| &duties.removable)
    }

    /// Notes that something was removed from the stream.
    pub fn removed(&mut self, what: &Removable) {
        if let Some(duties) = &mut self.folded.duties {
            duties.removable.remove(what);
            if let Removable::Claim { run, .. } = what {
                duties.claims.remove(run);
            }
        }
    }

    /// Returns how many runs are folded, and how many of them had lost messages.
    #[must_use]
    pub const fn folded_runs(&self) -> (u64, u64) {
        (self.folded.head.folded, self.folded.head.incomplete)
    }

    /// Returns the subjects of the fold, with a wildcard, and the number of those that must
    /// have a message; `None` before the first fold.
    #[must_use]
    pub fn folded_subjects(&self, cluster: &[u8]) -> Option<(String, usize)> {
        let attempt = self.folded.attempts.get(&self.folded.head.attempt)?;
        let parts = attempt.parts.values();
        let chunks: usize = parts.map(|part| part.progress.chunks()).sum();
        let subjects = Subject::of_run(cluster, &[], self.folded.head.attempt);
        Some((subjects, chunks))
    }

    /// Takes the head of the fold.
    pub(super) fn fold(&mut self, head: FoldHead, sequence: u64, now: Duration) {
        let [even, odd] = &mut self.folded.slots;
        let slot = if head.version.is_multiple_of(2) {
            even
        } else {
            odd
        };
        *slot = sequence.max(*slot);
        if head.version > self.folded.newest().0.version {
            self.folded.next = Some((head, sequence));
            self.folded.since = now;
            self.apply_fold();
        }
    }

    /// Takes a part of an attempt to fold. Fold processes are trusted: their series count,
    /// and none is refused.
    pub(super) fn folded_part(&mut self, message: PartMessage, sequence: u64) {
        let attempt = message.run;
        let (newest, decided) = self.folded.newest();
        let is_named = attempt == newest.attempt || attempt == self.folded.head.attempt;
        if !is_named && sequence < decided {
            // It was begun before the newest head, and will have none.
            self.folded.remove(Removable::Attempt(attempt));
            return;
        }
        if !self.range.contains(message.part.part) {
            return;
        }
        let mut values = message.values;
        values.intern(&mut self.schemas);
        let attempt = self.folded.attempts.entry(attempt).or_default();
        attempt.last = attempt.last.max(sequence);
        let part = attempt.parts.entry(message.part.part).or_default();
        let (grown, _) = part.values.join(values, usize::MAX);
        part.progress.note(&message.part);
        self.series += grown;
        self.apply_fold();
    }

    /// Lets the newest head count, if all its parts are here.
    fn apply_fold(&mut self) {
        if self.folded.next.is_none() || self.folded.behind(self.range).next().is_some() {
            return;
        }
        let Some((head, sequence)) = self.folded.next.take() else {
            return;
        };
        let runs: BTreeSet<RunId> = head.runs.iter().copied().collect();
        for run in &runs {
            if let Some(host) = self.forget(*run) {
                self.folded.note_left_over(*run, &host);
            }
        }
        if let Some(duties) = &mut self.folded.duties {
            for run in self.folded.runs.difference(&runs) {
                let host = duties.claims.get(run).cloned();
                let claim = host.map(|host| Removable::Claim { host, run: *run });
                duties.removable.extend(claim);
            }
        }
        let attempts = std::mem::take(&mut self.folded.attempts);
        for (id, attempt) in attempts {
            if id == head.attempt || attempt.last > sequence {
                self.folded.attempts.insert(id, attempt);
            } else {
                self.series -= attempt.series();
                self.folded.remove(Removable::Attempt(id));
            }
        }
        self.folded.runs = runs;
        (self.folded.head, self.folded.sequence) = (head, sequence);
    }

    /// Returns what to fold: runs that have ended and are complete, and those that were
    /// claimed, and silent since, for a time. Runs of hosts that exceed a limit stay.
    pub(in crate::counts) fn fold_basis(
        &self,
        silence: Duration,
        now: Duration,
    ) -> Option<FoldBasis> {
        // The last head must be on the disk before the one before it is replaced.
        let is_fresh = now.saturating_sub(self.folded.since) < silence;
        let is_first = self.folded.head.version == 0;
        if self.folded.next.is_some() || self.range != PartRange::ALL || is_fresh && !is_first {
            return None;
        }
        let [even, odd] = self.folded.slots;
        let mut basis = FoldBasis {
            head: self.folded.head.clone(),
            replaced: if self.folded.head.version.is_multiple_of(2) {
                odd
            } else {
                even
            },
            runs: Vec::new(),
            incomplete: 0,
            parts: BTreeMap::new(),
        };
        for (id, run) in &self.runs {
            let is_whole = run.behind(*id, self.range).next().is_none();
            let is_silent = now.saturating_sub(run.heard) >= silence;
            let has_ended = run.is_claimed && is_silent || run.is_closed() && is_whole;
            let is_limited = self
                .hosts
                .get(&run.host)
                .is_none_or(|host| host.refused > 0);
            if !has_ended || is_limited {
                continue;
            }
            basis.runs.push(*id);
            basis.incomplete += u64::from(!is_whole || !run.is_closed());
            for (number, part) in &run.parts {
                let entry = basis.parts.entry(*number).or_default();
                entry.1.push(part.values.clone());
            }
        }
        if basis.runs.is_empty() {
            return None;
        }
        let before = self.folded.attempts.get(&basis.head.attempt);
        for (number, part) in before.iter().flat_map(|attempt| &attempt.parts) {
            basis.parts.entry(*number).or_default().0 = Some(part.values.clone());
        }
        Some(basis)
    }

    /// Returns the runs, with their hosts, that have published nothing for this long by the
    /// broker's clock, and are not claimed.
    pub(in crate::counts) fn silent(
        &self,
        retire_after: Duration,
    ) -> impl Iterator<Item = (&[u8], RunId)> {
        let silent = self.runs.iter().filter(move |(id, run)| {
            let silence = self.stored.saturating_sub(run.stored);
            let is_done = run.is_closed() && run.behind(**id, self.range).next().is_none();
            !run.is_claimed && !is_done && silence >= retire_after
        });
        silent.map(|(id, run)| (run.host.as_slice(), *id))
    }
}
