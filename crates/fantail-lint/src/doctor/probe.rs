//! Probes: filters that find the term of a metric's filter that no event matches.
//!
//! Dovecot's processes send only events that some filter requests, so events that
//! nearly match arrive only if wider filters request them. A [`Probe`] has one filter
//! for each term of a metric's filter: that term and all terms before it. The first of
//! these filters that matches no event tells which term fails.

use fantail_config::{Loaded, Metric, Span};
use fantail_filter::{CompiledComparison, Test};
use fantail_syntax::{NodeId, NodeKind};

use super::{DoctorCode, counted, text};
use crate::{Finding, trial::terms};

/// The filters that show why a metric matches no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The name of the metric.
    pub metric: Vec<u8>,
    /// The filters, at least one. Each filter has one more term than the filter before;
    /// the last filter has all terms.
    pub filters: Vec<Vec<u8>>,
    /// The position of each term in the configuration.
    terms: Vec<Span>,
    name: Span,
}

/// Returns the probe of a metric of the configuration; `None` if there is no such
/// metric.
///
/// ```
/// use fantail_lint::probe;
///
/// let text = "metric m {\n  filter = cmd_name=NOOP AND event=imap_command_finished\n}\n";
/// let loaded = fantail_config::load_text("dovecot.conf", text, &Default::default());
/// let probe = probe(&loaded, b"m").unwrap();
/// // The name of the event comes first: it rules out most.
/// assert_eq!(probe.filters[0], b"(event=imap_command_finished)");
/// assert_eq!(probe.filters[1], b"(event=imap_command_finished) AND (cmd_name=NOOP)");
/// ```
#[must_use]
pub fn probe(loaded: &Loaded, metric: &[u8]) -> Option<Probe> {
    let mut metrics = loaded.settings.metrics.iter();
    let metric = metrics.find(|one| one.settings.name == metric)?;
    let mut terms = terms(metric);
    terms.sort_by_key(|term| rank(metric, *term));
    let tree = metric.filter.tree();
    let (mut filters, mut spans) = (Vec::new(), Vec::new());
    let mut filter = Vec::new();
    for term in terms {
        let range = tree.node(term)?.span.clone();
        let written = metric.filter_text.bytes().get(range.clone())?;
        if !filter.is_empty() {
            filter.extend_from_slice(b" AND ");
        }
        filter.push(b'(');
        filter.extend_from_slice(written);
        filter.push(b')');
        filters.push(filter.clone());
        spans.push(metric.filter_text.locate(range));
    }
    (!filters.is_empty()).then(|| Probe {
        metric: metric.settings.name.clone(),
        filters,
        terms: spans,
        name: metric.spans.name,
    })
}

/// Returns the position of a term in the probe: event names first, then categories,
/// then other terms.
fn rank(metric: &Metric, term: NodeId) -> u8 {
    let node = metric.filter.tree().node(term);
    let Some(NodeKind::Comparison(index)) = node.map(|node| node.kind) else {
        return 3;
    };
    let comparison = metric.filter.comparisons().get(index);
    match comparison.map(CompiledComparison::test) {
        Some(Test::Name(_)) => 0,
        Some(Test::Category(_)) => 1,
        _ => 2,
    }
}

impl Probe {
    /// Returns the finding for the counts of the filters, in the order of `filters`;
    /// `None` if an event matched all terms.
    #[must_use]
    pub fn judge(&self, counts: &[u64], seconds: u64) -> Option<Finding> {
        let failing = counts.iter().position(|count| *count == 0)?;
        let place = *self.terms.get(failing)?;
        let name = text(&self.metric);
        let before = failing.checked_sub(1).and_then(|at| counts.get(at));
        let Some(reached) = before else {
            let message = format!("no event came for the metric `{name}` in {seconds} s");
            let mut finding = Finding::doctor(DoctorCode::NeverMatched, message).at(place);
            finding = finding.label("none met this");
            return Some(finding.note(
                "Dovecot's processes were asked for such events, and sent none: nothing of that \
                 kind happened, or the name is wrong",
            ));
        };
        let events = counted(*reached, "event", "events");
        let message = format!("the metric `{name}` matched none of {events} in {seconds} s");
        let finding = Finding::doctor(DoctorCode::TermFails, message).at(place);
        let label = format!("none of the {events} that met the other terms before met this");
        Some(finding.label(label))
    }

    /// Returns the finding for a metric that was not watched.
    #[must_use]
    pub fn unwatched(&self, why: &str) -> Finding {
        let name = text(&self.metric);
        let message = format!("the metric `{name}` was not watched: {why}");
        Finding::doctor(DoctorCode::NeverMatched, message).at(self.name)
    }
}

#[cfg(test)]
mod tests {
    use fantail_config::load_text;

    use super::*;

    fn check(filter: &str, filters: &[&str], counts: &[u64], expected: Option<(&str, &str)>) {
        let lines = format!("metric m {{\n  filter = {filter}\n}}\n");
        let loaded = load_text("x", lines, &Default::default());
        let probe = probe(&loaded, b"m").unwrap();
        let written: Vec<_> = probe.filters.iter().map(|one| text(one)).collect();
        assert_eq!(written, filters);
        let found = probe.judge(counts, 60);
        let found = found.as_ref().map(|finding| {
            let place = finding.primary.as_ref().unwrap().span;
            let place = String::from_utf8_lossy(loaded.sources.slice(place)).into_owned();
            (finding.code, place)
        });
        let expected = expected.map(|(code, place)| (code, place.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_term_that_no_event_meets_fails() {
        const FILTER: &str = "NOT user=x AND event=a AND category=c AND (b=1 OR b=2)";
        const FILTERS: [&str; 4] = [
            "(event=a)",
            "(event=a) AND (category=c)",
            "(event=a) AND (category=c) AND (NOT user=x)",
            "(event=a) AND (category=c) AND (NOT user=x) AND (b=1 OR b=2)",
        ];
        let fails = "doctor/term-fails";
        check(FILTER, &FILTERS, &[5, 4, 3, 1], None);
        check(FILTER, &FILTERS, &[5, 4, 0, 0], Some((fails, "NOT user=x")));
        check(FILTER, &FILTERS, &[5, 0, 0, 0], Some((fails, "category=c")));
        let never = Some(("doctor/never-matched", "event=a"));
        check(FILTER, &FILTERS, &[0, 0, 0, 0], never);
    }

    #[test]
    fn a_filter_of_alternatives_is_one_term() {
        check("event=a OR event=b", &["(event=a OR event=b)"], &[1], None);
    }

    #[test]
    fn there_is_no_probe_of_a_metric_that_does_not_exist() {
        let loaded = load_text("x", "", &Default::default());
        assert_eq!(probe(&loaded, b"m"), None);
    }
}
