//! A class: the filters that events of one kind can match, specialised for
//! what these events have in common, and hung on comparisons.

use alloc::vec::Vec;

use hashbrown::{DefaultHashBuilder, HashMap};

use super::{
    FilterSet, anchor,
    checks::CheckId,
    code::{Folded, Folder, Op},
    lane::{AccessId, Lane},
    narrow,
    slots::Slot,
};

/// What events of a class are matched against; the filters are named by their
/// places in the set.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// Filters that match every event of the class.
    pub(super) certain: Vec<u32>,
    /// Filters that hang on nothing, and are looked at for every event.
    pub(super) unhung: Vec<Rest>,
    pub(super) lanes: Vec<Lane>,
    accesses: Vec<Access>,
    postings: Vec<Posting>,
    ops: Vec<Op>,
}

/// What is left of a filter to be evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) filter: u32,
    first: u32,
    len: u32,
}

/// A comparison that filters hang on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) check: CheckId,
    first: u32,
    len: u32,
}

/// A filter that hangs on a comparison.
#[derive(Debug, Clone, Copy)]
pub(super) enum Posting {
    /// It matches.
    Match(u32),
    /// It has to be evaluated; it hangs on nothing else.
    Run(Rest),
    /// It has to be evaluated unless it was: it hangs on others, too.
    RunOnce(Rest),
}

impl Class {
    /// A class of these filters, for events of which `known` tells the results
    /// of some comparisons.
    pub(super) fn build(
        set: &FilterSet,
        filters: impl Iterator<Item = u32>,
        known: impl Fn(CheckId) -> Option<bool>,
        builder: &mut Builder,
        state: &DefaultHashBuilder,
    ) -> Self {
        let mut class = Self::default();
        builder.rests.clear();
        builder.uses.clear();
        for filter in filters {
            class.add(set, filter, &known, builder);
        }
        class.choose(set, builder);
        class.hang(set, builder, state);
        class
    }

    /// Keeps what is left of a filter, and notes on which fields it would hang
    /// if it were alone.
    fn add(
        &mut self,
        set: &FilterSet,
        filter: u32,
        known: &impl Fn(CheckId) -> Option<bool>,
        builder: &mut Builder,
    ) {
        let first = self.ops.len();
        let len = match builder.folder.fold(set.ops(filter), known, &mut self.ops) {
            Folded::True => {
                self.certain.push(filter);
                return;
            }
            Folded::False => return,
            Folded::Ops(len) => len,
        };
        let rest = Rest {
            filter,
            first: narrow(first),
            len: narrow(len),
        };
        let cost = |check| anchor::cost(set.checks(), check);
        if !builder
            .folder
            .cover(self.ops(rest), cost, &mut builder.cover)
        {
            self.unhung.push(rest);
            return;
        }
        builder.rests.push(rest);
        for check in &builder.cover {
            if let Some((slot, _)) = set.checks().field(*check) {
                *builder.uses.entry(slot).or_insert(0) += 1;
            }
        }
    }

    /// Chooses what filters hang on: rather fields on which others hang, too,
    /// because each field more is one more to look up for each event.
    fn choose(&mut self, set: &FilterSet, builder: &mut Builder) {
        builder.hung.clear();
        for rest in &builder.rests {
            let ops = self.ops(*rest);
            let cost = |check| {
                let (slot, _) = set.checks().field(check)?;
                let uses = builder.uses.get(&slot).copied().unwrap_or_default();
                let own = anchor::cost(set.checks(), check)?;
                Some(own + anchor::LANE / (uses + 1))
            };
            builder.folder.cover(ops, cost, &mut builder.cover);
            let posting = match ops {
                [only] if only.is_all() => Posting::Match(rest.filter),
                _ if builder.cover.len() > 1 => Posting::RunOnce(*rest),
                _ => Posting::Run(*rest),
            };
            let hung = builder.cover.iter().map(|check| (*check, posting));
            builder.hung.extend(hung);
        }
    }

    /// Makes the index of what was gathered.
    fn hang(&mut self, set: &FilterSet, builder: &mut Builder, state: &DefaultHashBuilder) {
        // Stable: filters stay in order.
        builder.hung.sort_by_key(|(check, _)| *check);
        let mut lane_of_slot = HashMap::new();
        for hung in builder.hung.chunk_by(|a, b| a.0 == b.0) {
            let Some((slot, test, check)) = hung
                .first()
                .and_then(|(check, _)| set.checks().field(*check).map(|(s, t)| (s, t, *check)))
            else {
                continue;
            };
            let access = narrow(self.accesses.len());
            self.accesses.push(Access {
                check,
                first: narrow(self.postings.len()),
                len: narrow(hung.len()),
            });
            self.postings
                .extend(hung.iter().map(|(_, posting)| *posting));
            let at = *lane_of_slot.entry(slot).or_insert_with(|| {
                self.lanes.push(Lane::new(slot));
                self.lanes.len() - 1
            });
            if let Some(lane) = self.lanes.get_mut(at) {
                lane.add(access, test, state);
            }
        }
        for lane in &mut self.lanes {
            lane.finish();
        }
        self.ops.shrink_to_fit();
        self.postings.shrink_to_fit();
    }

    pub(super) fn access(&self, id: AccessId) -> Option<(CheckId, &[Posting])> {
        let access = self.accesses.get(id as usize)?;
        let first = access.first as usize;
        let postings = self.postings.get(first..first + access.len as usize)?;
        Some((access.check, postings))
    }

    pub(super) fn ops(&self, rest: Rest) -> &[Op] {
        let first = rest.first as usize;
        self.ops
            .get(first..first + rest.len as usize)
            .unwrap_or_default()
    }

    /// How much it holds, in filters.
    pub(super) fn weight(&self) -> usize {
        self.certain.len() + self.unhung.len() + self.postings.len()
    }
}

/// Work space for building classes.
#[derive(Debug, Default)]
pub(super) struct Builder {
    folder: Folder,
    cover: Vec<CheckId>,
    /// Filters that hang on something, and how many of them on which fields.
    rests: Vec<Rest>,
    uses: HashMap<Slot, u32>,
    hung: Vec<(CheckId, Posting)>,
}

impl Builder {
    /// Writes to `left` what is left of a filter; whether that is something,
    /// and hangs on nothing.
    pub(super) fn is_unhung(
        &mut self,
        set: &FilterSet,
        filter: u32,
        known: impl Fn(CheckId) -> Option<bool>,
        left: &mut Vec<Op>,
    ) -> bool {
        let cost = |check| anchor::cost(set.checks(), check);
        matches!(
            self.folder.fold(set.ops(filter), known, left),
            Folded::Ops(_)
        ) && !self.folder.cover(left, cost, &mut self.cover)
    }
}
