//! Filters as short jump programs over shared comparisons: folding known results,
//! and choosing the comparisons under which a filter is entered.
//!
//! Both walk a program once, without recursion: jumps only go forward.

use alloc::vec::Vec;

use super::{checks::CheckId, narrow};
use crate::program::{Jump, Program};

/// A jump: the filter matches.
pub(super) const ACCEPT: u32 = u32::MAX;
/// A jump: the filter does not match.
pub(super) const REJECT: u32 = u32::MAX - 1;

/// One comparison and the two jumps after it: to a later operation of the same
/// program, by its position, or to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Op {
    pub(super) check: CheckId,
    pub(super) holds: u32,
    pub(super) fails: u32,
}

impl Op {
    /// Whether the program consists of this comparison alone.
    pub(super) fn is_all(self) -> bool {
        (self.holds, self.fails) == (ACCEPT, REJECT)
    }
}

/// The program of a filter; empty for the empty filter.
pub(super) fn compile(
    program: &Program,
    mut check: impl FnMut(usize) -> CheckId,
) -> impl Iterator<Item = Op> {
    let target = |target| match target {
        Jump::Step(index) => narrow(index),
        Jump::Accept => ACCEPT,
        Jump::Reject => REJECT,
    };
    let steps = program.steps().iter().enumerate();
    steps.map(move |(index, step)| Op {
        check: check(index),
        holds: target(step.holds),
        fails: target(step.fails),
    })
}

/// Runs a program; `test` returns the result of a comparison.
pub(super) fn run(ops: &[Op], mut test: impl FnMut(CheckId) -> bool) -> bool {
    let mut at = 0;
    while let Some(op) = ops.get(at as usize) {
        at = if test(op.check) { op.holds } else { op.fails };
    }
    at == ACCEPT
}

/// The rest of a program once some results of its comparisons are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folded {
    /// The filter always matches.
    True,
    /// The filter never matches.
    False,
    /// This many operations, written to the end of the output.
    Ops(usize),
}

/// Buffers for folding and choosing.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    /// For each operation, the target of a jump to it after known results.
    leads: Vec<u32>,
    /// For each operation its new position; `REJECT` if it is not reached.
    positions: Vec<u32>,
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
        self.positions.clear();
        self.positions.resize(ops.len(), REJECT);
        self.reach(start);
        let mut count = 0;
        for (at, op) in ops.iter().enumerate() {
            if self.positions.get(at).is_none_or(|new| *new == REJECT) {
                continue;
            }
            if let Some(new) = self.positions.get_mut(at) {
                *new = count;
            }
            count += 1;
            self.reach(lead(&self.leads, op.holds));
            self.reach(lead(&self.leads, op.fails));
        }
        let position = |at: u32| {
            let at = lead(&self.leads, at);
            self.positions.get(at as usize).copied().unwrap_or(at)
        };
        let kept = ops.iter().zip(&self.positions);
        out.extend(kept.filter(|(_, new)| **new != REJECT).map(|(op, _)| Op {
            check: op.check,
            holds: position(op.holds),
            fails: position(op.fails),
        }));
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

    /// Marks an operation as reached; its new position is found later.
    fn reach(&mut self, at: u32) {
        if let Some(new) = self.positions.get_mut(at as usize) {
            *new = 0;
        }
    }

    /// Writes to `out` the cheapest set of comparisons that covers the program: if
    /// the program accepts, at least one comparison of the set holds; returns `false` if there are none. `cost` is
    /// `None` for a comparison under which no filter can be entered.
    ///
    /// From an operation, the program accepts either after its comparison holds
    /// (covered by that comparison, or by a cover of the rest) or after it fails
    /// (covered only by a cover of the rest).
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

    /// The cost of the last [cover](Self::cover).
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
