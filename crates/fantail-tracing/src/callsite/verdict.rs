//! Decisions about a callsite, before any event of it.
//!
//! A callsite fixes the name, level, target and source of its events, and that the
//! duration of an event is 0. Other comparisons are unknown: a field can have any
//! value, or come from a span. Kleene's logic of three values gives the result.

use fantail_event::ValueRef;
use fantail_filter::{Filter, Test};
use fantail_syntax::{NodeId, NodeKind};
use tracing_core::{Level, LevelFilter, Metadata};

use crate::record::metadata::{
    LEVEL, SEVERITY, TARGET, is_question, level_of, name_of, severity_of, source_of,
};

/// Whether a filter matches the events of a callsite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Never,
    Maybe,
    Always,
}

/// What is known of events.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'a> {
    /// All that a callsite has.
    Callsite(&'a Metadata<'a>),
    /// The level and the target: a span that surrounds events, or a question about
    /// callsites.
    Surroundings(&'a Metadata<'a>),
    /// The level.
    Level(Level),
}

impl<'a> Known<'a> {
    /// Returns what is known of a callsite.
    pub(crate) fn of(metadata: &'a Metadata<'a>) -> Self {
        match is_question(metadata) {
            true => Self::Surroundings(metadata),
            false => Self::Callsite(metadata),
        }
    }

    /// Returns whether the filter, alone, matches the events.
    pub(crate) fn matches(self, filter: &Filter) -> Verdict {
        if let Self::Callsite(metadata) = self
            && filter.requires_name()
            && name_of(metadata).is_none()
        {
            return Verdict::Never;
        }
        self.evaluate(filter)
    }

    /// Returns the result of the filter's expression.
    pub(crate) fn evaluate(self, filter: &Filter) -> Verdict {
        let tree = filter.tree();
        let mut verdicts: Vec<Verdict> = Vec::with_capacity(tree.nodes().len());
        for node in tree.nodes() {
            let of = |id: NodeId| verdicts.get(id.index()).copied().unwrap_or(Verdict::Maybe);
            let verdict = match node.kind {
                NodeKind::Comparison(at) => {
                    let comparison = filter.comparisons().get(at);
                    let known = comparison.and_then(|comparison| self.test(comparison.test()));
                    match known {
                        None => Verdict::Maybe,
                        Some(true) => Verdict::Always,
                        Some(false) => Verdict::Never,
                    }
                }
                NodeKind::Not(a) => match of(a) {
                    Verdict::Never => Verdict::Always,
                    Verdict::Maybe => Verdict::Maybe,
                    Verdict::Always => Verdict::Never,
                },
                NodeKind::And(a, b) => of(a).min(of(b)),
                NodeKind::Or(a, b) => of(a).max(of(b)),
            };
            verdicts.push(verdict);
        }
        verdicts.last().copied().unwrap_or(Verdict::Never)
    }

    /// Returns the result of a comparison; `None` if it is unknown.
    pub(crate) fn test(self, test: &Test) -> Option<bool> {
        let callsite = match self {
            Self::Callsite(metadata) => Some(metadata),
            Self::Surroundings(_) | Self::Level(_) => None,
        };
        match test {
            Test::Name(pattern) => {
                callsite.map(|it| name_of(it).is_some_and(|name| pattern.matches(name.as_bytes())))
            }
            Test::Level(level) => Some(level_of(self.level()) == *level),
            Test::Category(_) => Some(false),
            Test::Source(test) => {
                callsite.map(|it| source_of(it).is_some_and(|source| test.holds(&source)))
            }
            Test::Duration(test) => callsite
                .filter(|it| it.is_event())
                .map(|_| test.value_holds(ValueRef::Int(0))),
            Test::Field(test) if *test.key == *TARGET.as_bytes() => {
                let target = self.target()?;
                Some(test.value_holds(ValueRef::from(target)))
            }
            Test::Field(test) if *test.key == *LEVEL.as_bytes() => {
                Some(test.value_holds(ValueRef::from(self.level().as_str())))
            }
            Test::Field(test) if *test.key == *SEVERITY.as_bytes() => {
                Some(test.value_holds(ValueRef::Int(severity_of(self.level()))))
            }
            _ => None,
        }
    }

    fn level(self) -> Level {
        match self {
            Self::Callsite(metadata) | Self::Surroundings(metadata) => *metadata.level(),
            Self::Level(level) => level,
        }
    }

    fn target(self) -> Option<&'a str> {
        match self {
            Self::Callsite(metadata) | Self::Surroundings(metadata) => Some(metadata.target()),
            Self::Level(_) => None,
        }
    }
}

/// Returns the most verbose level of events that one of the filters can match.
pub(crate) fn most_verbose<'a>(filters: impl Iterator<Item = &'a Filter>) -> LevelFilter {
    let verbose_first = [
        Level::TRACE,
        Level::DEBUG,
        Level::INFO,
        Level::WARN,
        Level::ERROR,
    ];
    let of_filter = |filter: &Filter| {
        let mut levels = verbose_first.into_iter();
        let level = levels.find(|level| Known::Level(*level).evaluate(filter) != Verdict::Never);
        level.map_or(LevelFilter::OFF, LevelFilter::from_level)
    };
    filters.map(of_filter).max().unwrap_or(LevelFilter::OFF)
}
