//! Building a class: which filter is entered under which comparison.
//!
//! For each node, from the root down: a filter with nothing left matches; one with a
//! range of numbers left goes to the ranges; any other is entered under its
//! cheapest set of index keys (a match needs at least one of them), if that is
//! cheaper than evaluating it. What is left of these filters once such a comparison
//! holds makes the node below it.

use alloc::vec::Vec;

use fantail_syntax::Operator;
use hashbrown::HashMap;

use super::{Bound, Class, Node, Parts, Rest, Span};
use crate::{
    FieldTest, NumberTest,
    set::{
        FilterSet,
        checks::CheckId,
        code::{Folded, Folder, Op},
        index::{
            field_index::{FieldIndex, FieldIndexBuilder},
            hash::Seed,
            index_key,
        },
        slots::Slot,
    },
};

/// Levels of comparisons below the root.
const MAX_LEVELS: usize = 3;
/// Below the root, nodes of at most this many filters evaluate each filter.
const MAX_EVALUATED_FILTERS: usize = 4;
/// Bounds the time of specialising one filter: its operations times the
/// comparisons that it is entered under.
const MAX_SPECIALISED_OPS: usize = 1 << 16;
/// Bounds the memory of one filter: operations made by specialising it, beyond
/// its own.
const MAX_COPIED_OPS: usize = 64;

/// Buffers for building classes.
#[derive(Debug, Default)]
pub(in crate::set) struct Builder {
    folder: Folder,
    cover: Vec<CheckId>,
    left: Vec<Op>,
    /// Stacks for the nodes on the way down.
    items: Vec<Item>,
    ops: Vec<Op>,
}

/// A filter on its way into a node.
#[derive(Debug, Clone, Copy)]
struct Item {
    filter: u32,
    /// It is entered under several comparisons.
    is_shared: bool,
    /// Number of operations made by specialising it.
    copied: usize,
    program: Left,
}

/// The rest of a filter's program.
#[derive(Debug, Clone, Copy)]
enum Left {
    /// Operations of the builder; none if the filter matches.
    Own { first: usize, len: usize },
    /// Operations of the class: too long to be specialised again.
    Kept(Span),
}

/// A comparison, and the item of the node that is entered under it.
type Hung = (CheckId, usize);

impl Builder {
    /// Builds the class of these filters for events for which `known` returns the
    /// results of some comparisons.
    pub(in crate::set) fn build(
        &mut self,
        set: &FilterSet,
        seed: &Seed,
        filters: impl Iterator<Item = u32>,
        known: impl Fn(CheckId) -> Option<bool>,
    ) -> Class {
        self.items.clear();
        self.ops.clear();
        for filter in filters {
            let first = self.ops.len();
            let len = match self.folder.fold(set.ops(filter), &known, &mut self.ops) {
                Folded::True => 0,
                Folded::False => continue,
                Folded::Ops(len) => len,
            };
            self.items.push(Item {
                filter,
                is_shared: false,
                copied: 0,
                program: Left::Own { first, len },
            });
        }
        let mut class = Class::default();
        let mut scene = Scene {
            set,
            seed,
            class: &mut class,
        };
        let root = self.node(&mut scene, 0, 0);
        class.finish(root, set);
        class
    }

    /// Writes the rest of a filter to `left`; returns whether there is a rest that
    /// cannot be entered under any comparison.
    pub(in crate::set) fn is_unhung(
        &mut self,
        set: &FilterSet,
        filter: u32,
        known: impl Fn(CheckId) -> Option<bool>,
        left: &mut Vec<Op>,
    ) -> bool {
        let cost = |check| index_key::cost(set.checks(), check);
        matches!(
            self.folder.fold(set.ops(filter), known, left),
            Folded::Ops(_)
        ) && !self.folder.cover(left, cost, &mut self.cover)
    }

    /// Makes a node of the items from this position on, and removes them.
    fn node(&mut self, scene: &mut Scene<'_>, from: usize, depth: usize) -> Node {
        let mut parts = Parts::default();
        let end = self.items.len();
        let mut open = from;
        for at in from..end {
            let item = self.items[at];
            let ops = self.left(item);
            match ops {
                Some([]) if !item.is_shared => parts.matches.push(item.filter),
                Some([op]) if !item.is_shared && op.is_all() => match bound(scene.set, op.check) {
                    Some((slot, is_upper, bound)) => parts.bounds.push(Bound {
                        slot,
                        is_upper,
                        bound,
                        filter: item.filter,
                    }),
                    None => {
                        self.items[open] = item;
                        open += 1;
                    }
                },
                _ => {
                    self.items[open] = item;
                    open += 1;
                }
            }
        }
        self.items.truncate(open);
        let mut hung = Vec::new();
        if depth == 0 || (depth < MAX_LEVELS && open - from > MAX_EVALUATED_FILTERS) {
            self.choose(scene.set, from, depth, &mut parts, scene.class, &mut hung);
        } else {
            for at in from..open {
                parts.rests.push(self.rest(scene.class, at));
            }
        }
        parts.field_indexes = self.field_indexes(scene, hung, depth);
        self.items.truncate(from);
        scene.class.add_node(parts)
    }

    /// Chooses comparisons for filters. Prefers fields that other filters use, too,
    /// because each further field costs a look-up.
    fn choose(
        &mut self,
        set: &FilterSet,
        from: usize,
        depth: usize,
        parts: &mut Parts,
        class: &mut Class,
        hung: &mut Vec<Hung>,
    ) {
        let cost = |check| index_key::cost(set.checks(), check);
        let mut uses: HashMap<Slot, u32> = HashMap::new();
        for at in from..self.items.len() {
            if !self.cover(at, cost) {
                continue;
            }
            for check in &self.cover {
                if let Some((slot, _)) = set.checks().field(*check) {
                    *uses.entry(slot).or_insert(0) += 1;
                }
            }
        }
        let cost = |check| {
            let (slot, _) = set.checks().field(check)?;
            let uses = uses.get(&slot).copied().unwrap_or_default();
            let own = index_key::cost(set.checks(), check)?;
            Some(own + index_key::LOOK_UP_COST / (uses + 1))
        };
        for at in from..self.items.len() {
            // Below the root, under one comparison only: else the rest of the
            // filter would multiply.
            let hangs = self.cover(at, cost)
                && (depth == 0
                    || self.cover.len() == 1 && self.folder.total() < index_key::EVALUATION_COST);
            if !hangs {
                let rest = self.rest(class, at);
                parts.rests.push(rest);
                continue;
            }
            let ways = self.cover.len();
            hung.extend(self.cover.iter().map(|check| (*check, at)));
            self.items[at].is_shared |= ways > 1;
            if matches!(self.items[at].program, Left::Own { len, .. } if ways * len > MAX_SPECIALISED_OPS)
            {
                self.keep(class, at);
            }
        }
    }

    /// The field indexes of these comparisons, with all nodes below them.
    fn field_indexes(
        &mut self,
        scene: &mut Scene<'_>,
        mut hung: Vec<Hung>,
        depth: usize,
    ) -> Vec<FieldIndex> {
        // A stable sort keeps filters in order.
        hung.sort_by_key(|(check, _)| *check);
        let mut builders: Vec<(Slot, FieldIndexBuilder)> = Vec::new();
        let mut index_of_slot: HashMap<Slot, usize> = HashMap::new();
        for same in hung.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(check, _)) = same.first() else {
                continue;
            };
            let Some((slot, test)) = scene.set.checks().field(check) else {
                continue;
            };
            let from = self.items.len();
            let ops = self.ops.len();
            for (_, at) in same {
                self.specialise(scene.class, *at, check);
            }
            let node = self.node(scene, from, depth + 1);
            self.ops.truncate(ops);
            let posting = scene.class.add_posting(check, literal(test), node);
            let at = *index_of_slot.entry(slot).or_insert_with(|| {
                builders.push((slot, FieldIndexBuilder::default()));
                builders.len() - 1
            });
            if let Some((_, field_index)) = builders.get_mut(at) {
                field_index.add(posting, test, scene.seed);
            }
        }
        let finish = |(slot, field_index): (_, FieldIndexBuilder)| field_index.finish(slot);
        builders.into_iter().map(finish).collect()
    }

    /// Pushes the rest of an item for events for which this comparison holds.
    fn specialise(&mut self, class: &mut Class, at: usize, holding: CheckId) {
        let mut item = self.items[at];
        if let Left::Own { first, len } = item.program {
            self.left.clear();
            self.left
                .extend_from_slice(self.ops.get(first..first + len).unwrap_or_default());
            let start = self.ops.len();
            let known = |check| (check == holding).then_some(true);
            let left = match self.folder.fold(&self.left, known, &mut self.ops) {
                Folded::True => 0,
                Folded::False => return,
                Folded::Ops(left) => left,
            };
            self.items[at].copied += left;
            if self.items[at].copied <= len + MAX_COPIED_OPS {
                item.program = Left::Own {
                    first: start,
                    len: left,
                };
            } else {
                self.ops.truncate(start);
                self.keep(class, at);
                item = self.items[at];
            }
        }
        item.copied = 0;
        self.items.push(item);
    }

    /// Stops specialising an item.
    fn keep(&mut self, class: &mut Class, at: usize) {
        if let Left::Own { first, len } = self.items[at].program {
            let ops = self.ops.get(first..first + len).unwrap_or_default();
            self.items[at].program = Left::Kept(class.add_ops(ops));
        }
    }

    /// The operations of an item that may be specialised.
    fn left(&self, item: Item) -> Option<&[Op]> {
        match item.program {
            Left::Own { first, len } => self.ops.get(first..first + len),
            Left::Kept(_) => None,
        }
    }

    /// Writes to `cover` the comparisons that an item can be entered under.
    fn cover(&mut self, at: usize, cost: impl Fn(CheckId) -> Option<u32>) -> bool {
        match self.items[at].program {
            Left::Own { first, len } => {
                let ops = self.ops.get(first..first + len).unwrap_or_default();
                self.folder.cover(ops, cost, &mut self.cover)
            }
            Left::Kept(_) => false,
        }
    }

    fn rest(&self, class: &mut Class, at: usize) -> Rest {
        let item = self.items[at];
        let ops = match item.program {
            Left::Own { first, len } => {
                class.add_ops(self.ops.get(first..first + len).unwrap_or_default())
            }
            Left::Kept(span) => span,
        };
        Rest {
            filter: item.filter,
            is_shared: item.is_shared,
            ops,
        }
    }
}

/// The class that is being built.
struct Scene<'a> {
    set: &'a FilterSet,
    seed: &'a Seed,
    class: &'a mut Class,
}

/// The text of a comparison for equality without wildcards; else empty.
fn literal(test: &FieldTest) -> &[u8] {
    let is_equality = test.operator == Operator::Equal;
    let text = test.text.literal().filter(|_| is_equality);
    text.unwrap_or_default()
}

/// The numeric bound of a comparison that holds for nothing but numbers: the slot,
/// whether the bound is an upper one, and the bound.
fn bound(set: &FilterSet, check: CheckId) -> Option<(Slot, bool, i64)> {
    let (slot, test) = set.checks().field(check)?;
    let NumberTest::Compare(with) = test.number else {
        return None;
    };
    if test.text.is_empty() {
        return None;
    }
    let (is_upper, bound) = match test.operator {
        Operator::Equal => return None,
        Operator::GreaterOrEqual => (false, with),
        Operator::LessOrEqual => (true, with),
        // No integer is greater than the greatest.
        Operator::Greater => (false, with.checked_add(1)?),
        Operator::Less => (true, with.checked_sub(1)?),
    };
    Some((slot, is_upper, bound))
}
