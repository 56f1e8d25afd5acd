//! Which of the known events a filter can match.
//!
//! A filter is evaluated for each event of the catalogue, with what only a
//! real event tells left open: so an event that is ruled out here never
//! matches, and one that is not, may.

use fantail_filter::{Filter, Test};
use fantail_syntax::NodeKind;

use crate::catalogue::Event;

/// What can be said without a real event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Never,
    Perhaps,
    Always,
}

impl Verdict {
    fn not(self) -> Self {
        match self {
            Self::Never => Self::Always,
            Self::Perhaps => Self::Perhaps,
            Self::Always => Self::Never,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, Self::Always) => Self::Always,
            _ => Self::Perhaps,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// Whether a filter matches events of this kind.
pub(crate) fn verdict(filter: &Filter, event: &Event) -> Verdict {
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(filter.tree().nodes().len());
    let of = |verdicts: &[Verdict], id: fantail_syntax::NodeId| {
        let verdict = verdicts.get(id.index()).copied();
        verdict.unwrap_or(Verdict::Perhaps)
    };
    // Children stand before their parents.
    for node in filter.tree().nodes() {
        let verdict = match node.kind {
            NodeKind::Comparison(index) => comparison(filter, index, event),
            NodeKind::Not(inner) => of(&verdicts, inner).not(),
            NodeKind::And(a, b) => of(&verdicts, a).and(of(&verdicts, b)),
            NodeKind::Or(a, b) => of(&verdicts, a).or(of(&verdicts, b)),
        };
        verdicts.push(verdict);
    }
    verdicts.last().copied().unwrap_or(Verdict::Never)
}

fn comparison(filter: &Filter, index: usize, event: &Event) -> Verdict {
    match filter
        .comparisons()
        .get(index)
        .map(fantail_filter::CompiledComparison::test)
    {
        Some(Test::Name(pattern)) if pattern.matches(event.name.as_bytes()) => Verdict::Always,
        Some(Test::Name(_)) => Verdict::Never,
        _ => Verdict::Perhaps,
    }
}

/// For each comparison whether it, and not its contrary, is asked for.
pub(crate) fn wanted(filter: &Filter) -> Vec<bool> {
    let nodes = filter.tree().nodes();
    let mut of_nodes = vec![true; nodes.len()];
    let mut of_comparisons = vec![true; filter.comparisons().len()];
    for (place, node) in nodes.iter().enumerate().rev() {
        let wanted = of_nodes.get(place).copied().unwrap_or(true);
        let mut set = |id: fantail_syntax::NodeId, wanted: bool| {
            if let Some(slot) = of_nodes.get_mut(id.index()) {
                *slot = wanted;
            }
        };
        match node.kind {
            NodeKind::Comparison(index) => {
                if let Some(slot) = of_comparisons.get_mut(index) {
                    *slot = wanted;
                }
            }
            NodeKind::Not(inner) => set(inner, !wanted),
            NodeKind::And(a, b) | NodeKind::Or(a, b) => {
                set(a, wanted);
                set(b, wanted);
            }
        }
    }
    of_comparisons
}
