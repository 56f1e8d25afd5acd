//! Counts events at each term of a filter, to explain why the filter matches nothing.
//!
//! Counting takes a few microseconds for each event, while a client requests it.

use std::sync::{Mutex, PoisonError};

use fantail_event::{Event, SentEvent};
use fantail_filter::{Explanation, Filter, Term as RowTerm};
use fantail_syntax::NodeKind;
use fantail_wire::reader::TermCounts;

/// The counts at the terms of one filter, shared by all workers.
#[derive(Debug)]
pub(crate) struct TermCounter {
    filter: Filter,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    seen: u64,
    terms: Vec<Term>,
}

/// A row of the filter's tree.
#[derive(Debug)]
struct Term {
    node: usize,
    /// The number of the comparison, if it is one.
    comparison: Option<usize>,
    /// Whether the filter can match only if this term holds.
    is_required: bool,
    counts: TermCounts<'static>,
}

impl TermCounter {
    pub(crate) fn new(filter: Filter) -> Self {
        let terms = terms(&filter);
        let counts = Mutex::new(Counts { seen: 0, terms });
        Self { filter, counts }
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Counts an event.
    pub(crate) fn observe(&self, event: &SentEvent<'_>) {
        let explanation = self.filter.explain(event);
        if explanation.is_skipped() {
            return;
        }
        let counts = self.counts.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner);
        counts.seen += 1;
        count(&mut counts.terms, &explanation);
    }

    /// Returns the number of observed events and the counts of each term.
    pub(crate) fn counts(&self) -> (u64, Vec<TermCounts<'static>>) {
        let counts = self.counts.lock();
        let counts = counts.unwrap_or_else(PoisonError::into_inner);
        let terms = counts.terms.iter().map(|term| term.counts.clone());
        (counts.seen, terms.collect())
    }
}

fn count(terms: &mut [Term], explanation: &Explanation) {
    let holds = |term: &Term| {
        let outcome = explanation.outcomes().get(term.node);
        outcome.is_some_and(|outcome| outcome.holds)
    };
    let failing = |term: &Term| term.is_required && !holds(term);
    let is_near = terms.iter().filter(|term| failing(term)).count() == 1;
    let mut all = true;
    for term in terms {
        let holds = holds(term);
        term.counts.held += u64::from(holds);
        if !term.is_required {
            continue;
        }
        all &= holds;
        *term.counts.passed.get_or_insert(0) += u64::from(all);
        if is_near && !holds {
            *term.counts.missed.get_or_insert(0) += 1;
            let finding = term
                .comparison
                .and_then(|at| explanation.findings().get(at));
            let saw = finding.map(|finding| finding.seen().to_string());
            term.counts.saw = saw.unwrap_or_default().into_bytes().into();
        }
    }
}

/// Returns the rows of a filter's tree, without counts.
fn terms(filter: &Filter) -> Vec<Term> {
    // The rows are the same for any event.
    let event = Event::default();
    let explanation = filter.explain(&SentEvent::alone(&event));
    let is_conjunction = explanation
        .rows()
        .next()
        .is_some_and(|row| row.term == RowTerm::All);
    let required_depth = usize::from(is_conjunction);
    let term = |row: fantail_filter::Row<'_>| {
        let is_required = row.depth == required_depth;
        let kind = filter.tree().node(row.node).map(|node| node.kind);
        Term {
            node: row.node.index(),
            comparison: match kind {
                Some(NodeKind::Comparison(at)) => Some(at),
                _ => None,
            },
            is_required,
            counts: TermCounts {
                depth: u32::try_from(row.depth).unwrap_or(u32::MAX),
                text: row.term.to_string().into_bytes().into(),
                passed: is_required.then_some(0),
                missed: is_required.then_some(0),
                ..TermCounts::default()
            },
        }
    };
    explanation.rows().map(term).collect()
}

#[cfg(test)]
mod tests {
    use fantail_event::{CategoryTree, Dialect, Event, SentEvent};
    use fantail_filter::Filter;
    use fantail_syntax::ParseOptions;
    use fantail_wire::reader::{TapLine, TermCounts};

    use super::TermCounter;

    #[test]
    fn each_term_is_counted_alone_after_those_before_and_as_a_near_miss() {
        let text = b"event=done AND user=anna AND NOT (size=1 OR size=2)";
        let filter = Filter::parse(text, &ParseOptions::new(Dialect::V2_4)).unwrap();
        let counter = TermCounter::new(filter);
        let tree = CategoryTree::default();
        for event in [
            "ndone\tSuser\tanna\tIsize\t3",
            "ndone\tSuser\tann\tIsize\t4",
            "ndone\tSuser\tanna\tIsize\t2",
            "nother\tSuser\tbob\tIsize\t5",
            "Suser\tanna",
        ] {
            let event = format!("5\t5\t{event}");
            let event = Event::parse(event.as_bytes(), &tree, Dialect::V2_4).unwrap();
            counter.observe(&SentEvent::alone(&event));
        }
        let (seen, terms) = counter.counts();
        let mut lines = Vec::new();
        for counts in terms {
            TapLine::Term(counts).write(&mut lines);
        }
        let expected = "\
            TERM\t0\t1\t-\t-\tall of\t\n\
            TERM\t1\t3\t3\t0\tevent=done\t\n\
            TERM\t1\t2\t2\t1\tuser=anna\t\"ann\"\n\
            TERM\t1\t3\t1\t1\tnot\t\n\
            TERM\t2\t1\t-\t-\tany of\t\n\
            TERM\t3\t0\t-\t-\tsize=1\t\n\
            TERM\t3\t1\t-\t-\tsize=2\t\n";
        assert_eq!(
            (seen, String::from_utf8_lossy(&lines).as_ref()),
            (4, expected)
        );
    }

    #[test]
    fn a_single_comparison_is_required() {
        let counter = TermCounter::new("user=anna".parse().unwrap());
        let (_, terms) = counter.counts();
        let expected = TermCounts {
            text: b"user=anna"[..].into(),
            passed: Some(0),
            missed: Some(0),
            ..TermCounts::default()
        };
        assert_eq!(terms, [expected]);
    }
}
