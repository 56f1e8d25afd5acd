//! The known events that a filter can match.
//!
//! A filter is evaluated for an event of the catalogue, with everything unknown
//! that only a real event determines: an event that is excluded here never
//! matches, any other may match. Only the name is known, so all events that no
//! name test of the filter fits are evaluated as one.

use fantail_filter::{Filter, Test};
use fantail_syntax::NodeKind;

use crate::catalogue::{CatalogueEvent, series::Series};

/// The result of a filter without a real event.
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

/// The events that a filter may match.
pub(crate) struct Candidates<'a> {
    /// The events, by name.
    pub(crate) events: Vec<&'a CatalogueEvent>,
    /// Whether every event of the series matches.
    pub(crate) takes_all: bool,
}

impl<'a> Candidates<'a> {
    pub(crate) fn of(filter: &Filter, series: &Series<'a>) -> Self {
        let mut named: Vec<&CatalogueEvent> = Vec::new();
        for comparison in filter.comparisons() {
            if let Test::Name(pattern) = comparison.test() {
                named.extend(series.named(pattern));
            }
        }
        named.sort_unstable_by_key(|event| event.name);
        named.dedup_by_key(|event| event.name);
        let of_others = verdict(filter, None);
        let mut takes_all = named.len() == series.events.len() || of_others == Verdict::Always;
        let mut ruled_out: Vec<&str> = Vec::new();
        named.retain(|event| {
            let verdict = verdict(filter, Some(event));
            takes_all &= verdict == Verdict::Always;
            let may_match = verdict != Verdict::Never;
            if !may_match {
                ruled_out.push(event.name);
            }
            may_match
        });
        let events = match of_others {
            Verdict::Never => named,
            _ => {
                let all = series.events.iter().copied();
                all.filter(|event| ruled_out.binary_search(&event.name).is_err())
                    .collect()
            }
        };
        Self { events, takes_all }
    }
}

/// Returns whether a filter matches an event of the catalogue; `None` is an
/// event that no name test fits.
fn verdict(filter: &Filter, event: Option<&CatalogueEvent>) -> Verdict {
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(filter.tree().nodes().len());
    let of = |verdicts: &[Verdict], id: fantail_syntax::NodeId| {
        let verdict = verdicts.get(id.index()).copied();
        debug_assert!(verdict.is_some(), "a node before its children");
        verdict.unwrap_or(Verdict::Perhaps)
    };
    // Children precede their parents.
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

fn comparison(filter: &Filter, index: usize, event: Option<&CatalogueEvent>) -> Verdict {
    let comparison = filter.comparisons().get(index);
    match (
        comparison.map(fantail_filter::CompiledComparison::test),
        event,
    ) {
        (Some(Test::Name(pattern)), Some(event)) if pattern.matches(event.name.as_bytes()) => {
            Verdict::Always
        }
        (Some(Test::Name(_)), _) => Verdict::Never,
        _ => Verdict::Perhaps,
    }
}

/// Returns for each comparison whether the filter requires it, and not its
/// negation.
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
