//! Filters as short jump programs over shared comparisons: folding what is
//! known, and choosing what to hang a filter on.
//!
//! Both walk a program once, without recursion: jumps only go forward.

use alloc::vec::Vec;

use super::{checks::CheckId, narrow};
use crate::program::{Program, Target};

/// A jump: the filter matches.
pub(super) const ACCEPT: u32 = u32::MAX;
/// A jump: the filter does not match.
pub(super) const REJECT: u32 = u32::MAX - 1;

/// One comparison, and where to go on from it: to a later operation of the
/// same program, by its place in it, or to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Op {
    pub(super) check: CheckId,
    pub(super) holds: u32,
    pub(super) fails: u32,
}

impl Op {
    /// Whether the program is but this comparison.
    pub(super) fn is_all(self) -> bool {
        (self.holds, self.fails) == (ACCEPT, REJECT)
    }
}

/// The program of a filter; none for the empty one.
pub(super) fn compile(
    program: &Program,
    mut check: impl FnMut(usize) -> CheckId,
) -> impl Iterator<Item = Op> {
    let target = |target| match target {
        Target::Step(index) => narrow(index),
        Target::Accept => ACCEPT,
        Target::Reject => REJECT,
    };
    let steps = program.steps().iter().enumerate();
    steps.map(move |(index, step)| Op {
        check: check(index),
        holds: target(step.holds),
        fails: target(step.fails),
    })
}

/// Runs a program; `test` gives a comparison's result.
pub(super) fn run(ops: &[Op], mut test: impl FnMut(CheckId) -> bool) -> bool {
    let mut at = 0;
    while let Some(op) = ops.get(at as usize) {
        at = if test(op.check) { op.holds } else { op.fails };
    }
    at == ACCEPT
}

/// What is left of a program once some of its comparisons are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folded {
    /// It always matches.
    True,
    /// It never matches.
    False,
    /// This many operations, written to the end of the output.
    Ops(usize),
}

/// Work space for folding and choosing.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    /// For each operation where a jump to it really leads.
    leads: Vec<u32>,
    /// For each operation its new place; `REJECT` if it is not reached.
    places: Vec<u32>,
    costs: Vec<Choice>,
    reached: Vec<bool>,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    cost: u64,
    is_own: bool,
}

impl Folder {
    /// Writes the program to `out` without the comparisons that are known.
    pub(super) fn fold(
        &mut self,
        ops: &[Op],
        known: impl Fn(CheckId) -> Option<bool>,
        out: &mut Vec<Op>,
    ) -> Folded {
        self.resolve(ops, known);
        let lead = |leads: &[u32], at: u32| leads.get(at as usize).copied().unwrap_or(at);
        // An empty program has no operation 0.
        let start = self.leads.first().copied().unwrap_or(REJECT);
        match start {
            ACCEPT => return Folded::True,
            REJECT => return Folded::False,
            _ => {}
        }
        self.places.clear();
        self.places.resize(ops.len(), REJECT);
        self.reach(start);
        let mut count = 0;
        for (at, op) in ops.iter().enumerate() {
            if self.places.get(at).is_none_or(|place| *place == REJECT) {
                continue;
            }
            if let Some(place) = self.places.get_mut(at) {
                *place = count;
            }
            count += 1;
            self.reach(lead(&self.leads, op.holds));
            self.reach(lead(&self.leads, op.fails));
        }
        let place = |at: u32| {
            let at = lead(&self.leads, at);
            self.places.get(at as usize).copied().unwrap_or(at)
        };
        let kept = ops.iter().zip(&self.places);
        out.extend(
            kept.filter(|(_, place)| **place != REJECT)
                .map(|(op, _)| Op {
                    check: op.check,
                    holds: place(op.holds),
                    fails: place(op.fails),
                }),
        );
        Folded::Ops(count as usize)
    }

    fn resolve(&mut self, ops: &[Op], known: impl Fn(CheckId) -> Option<bool>) {
        self.leads.clear();
        self.leads.resize(ops.len(), REJECT);
        for (at, op) in ops.iter().enumerate().rev() {
            let lead = |to: u32| self.leads.get(to as usize).copied().unwrap_or(to);
            let (holds, fails) = (lead(op.holds), lead(op.fails));
            let leads = match known(op.check) {
                Some(true) => holds,
                Some(false) => fails,
                None if holds == fails => holds,
                None => narrow(at),
            };
            if let Some(entry) = self.leads.get_mut(at) {
                *entry = leads;
            }
        }
    }

    /// Marks an operation as reached; its place is found later.
    fn reach(&mut self, at: u32) {
        if let Some(place) = self.places.get_mut(at as usize) {
            *place = 0;
        }
    }

    /// Finds the cheapest comparisons of which at least one holds whenever the
    /// program accepts, and writes them to `out`; `false` if there are none
    /// such. `cost` gives none for a comparison that cannot be hung on.
    ///
    /// From an operation, the program accepts through its comparison holding
    /// (then that one will do, or what covers the way from there) or through
    /// it failing (then only what covers the way from there).
    pub(super) fn cover(
        &mut self,
        ops: &[Op],
        cost: impl Fn(CheckId) -> Option<u32>,
        out: &mut Vec<CheckId>,
    ) -> bool {
        out.clear();
        let never = Choice {
            cost: u64::MAX,
            is_own: false,
        };
        self.costs.clear();
        self.costs.resize(ops.len(), never);
        for (at, op) in ops.iter().enumerate().rev() {
            let of = |to: u32| match to {
                ACCEPT => u64::MAX,
                REJECT => 0,
                _ => self.costs.get(to as usize).map_or(u64::MAX, |it| it.cost),
            };
            let own = cost(op.check).map_or(u64::MAX, u64::from);
            let after = of(op.holds);
            let choice = Choice {
                cost: own.min(after).saturating_add(of(op.fails)),
                is_own: own <= after,
            };
            if let Some(entry) = self.costs.get_mut(at) {
                *entry = choice;
            }
        }
        if self
            .costs
            .first()
            .is_none_or(|choice| choice.cost == u64::MAX)
        {
            return false;
        }
        self.collect(ops, out);
        true
    }

    /// The cost of what was found last.
    pub(super) fn total(&self) -> u64 {
        self.costs.first().map_or(0, |choice| choice.cost)
    }

    fn collect(&mut self, ops: &[Op], out: &mut Vec<CheckId>) {
        self.reached.clear();
        self.reached.resize(ops.len(), false);
        if let Some(first) = self.reached.first_mut() {
            *first = true;
        }
        for (at, (op, choice)) in ops.iter().zip(&self.costs).enumerate() {
            if !self.reached.get(at).copied().unwrap_or_default() {
                continue;
            }
            if choice.is_own {
                out.push(op.check);
            } else if let Some(next) = self.reached.get_mut(op.holds as usize) {
                *next = true;
            }
            if let Some(next) = self.reached.get_mut(op.fails as usize) {
                *next = true;
            }
        }
        out.sort_unstable();
        out.dedup();
    }
}
