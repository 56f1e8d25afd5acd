//! Metrics tried on recorded events.

use std::ops::Range;

use fantail_config::Metric;
use fantail_event::{Dialect, EventView};
use fantail_filter::Filter;
use fantail_syntax::{NodeId, NodeKind};

use crate::{Finding, LintCode};

/// A trial of all metrics: pass it every event, then ask for the outcomes.
///
/// ```
/// use fantail_event::{Dialect, Event, SentEvent, Timestamp};
/// use fantail_lint::{Outcome, Trial};
///
/// let text = "metric logins {\n  filter = event=login AND user=bob\n}\n";
/// let loaded = fantail_config::load_text("a.conf", text, &Default::default());
/// let mut trial = Trial::new(&loaded.settings.metrics, Dialect::V2_4);
/// let event = Event::builder(Timestamp::from_unix_micros(0)).name("login").build()?;
/// trial.observe(&SentEvent::alone(&event));
/// assert_eq!(trial.events(), 1);
/// // The metric matched nothing, which is a finding.
/// let outcomes: Vec<Outcome<'_>> = trial.outcomes().collect();
/// assert_eq!(outcomes.len(), 1);
/// assert_eq!(trial.findings().len(), 1);
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug)]
pub struct Trial<'a> {
    metrics: Vec<Tried<'a>>,
    events: u64,
    /// Whether events without a name count; see
    /// [`Filter::evaluate`](fantail_filter::Filter::evaluate).
    unnamed: bool,
}

#[derive(Debug)]
struct Tried<'a> {
    metric: &'a Metric,
    /// The terms that must all hold, in the order of the text.
    terms: Vec<Term>,
    matched: u64,
}

#[derive(Debug)]
struct Term {
    node: NodeId,
    /// The number of events that meet this term and all before it.
    passed: u64,
    /// The number of events that meet this term.
    alone: u64,
}

/// The outcome for one metric.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// The metric.
    pub metric: &'a Metric,
    /// The number of events that it matched.
    pub matched: u64,
    /// The term that prevents a match, if there were events and none matched.
    pub failing: Option<Failing>,
}

/// The first term of a filter that no event meets, among the events that meet
/// the terms before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The position of the term in the filter's text.
    pub term: Range<usize>,
    /// The number of events that meet all terms before it.
    pub reached: u64,
    /// The number of events that meet this term alone.
    pub alone: u64,
}

impl<'a> Trial<'a> {
    /// Creates a trial of these metrics, which are all metrics of a server.
    #[must_use]
    pub fn new(metrics: &'a [Metric], dialect: Dialect) -> Self {
        let mut filters = metrics.iter().map(|metric| &metric.filter);
        Self {
            unnamed: dialect == Dialect::V2_4 && !filters.all(Filter::requires_name),
            metrics: metrics.iter().map(Tried::new).collect(),
            events: 0,
        }
    }

    /// Counts an event.
    pub fn observe<E: EventView + ?Sized>(&mut self, event: &E) {
        if event.name().is_none() && !self.unnamed {
            return;
        }
        self.events = self.events.saturating_add(1);
        for tried in &mut self.metrics {
            tried.observe(event);
        }
    }

    /// Returns the number of counted events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Returns the outcome for each metric.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome<'a>> {
        self.metrics.iter().map(|tried| Outcome {
            metric: tried.metric,
            matched: tried.matched,
            failing: tried.failing(self.events),
        })
    }
}

impl Trial<'_> {
    /// Returns a finding for each metric that matched nothing, at the term that
    /// prevents it; none without events.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let failed = |outcome: Outcome<'_>| {
            let failing = outcome.failing?;
            let metric = outcome.metric;
            let name = String::from_utf8_lossy(&metric.settings.name);
            let message = format!("metric `{name}` matches none of the {} events", self.events);
            let place = metric.filter_text.locate(failing.term);
            let finding = Finding::new(LintCode::MatchesNothing, message, place);
            Some(match (failing.alone, failing.reached == self.events) {
                (0, _) => finding.label("none of them meets this"),
                (alone, true) => finding.label(format!("{alone} of them meet this")),
                (alone, false) => {
                    let reached = failing.reached;
                    let label =
                        format!("none of the {reached} that meet what is before meets this");
                    finding.label(label).note(format!("{alone} others do"))
                }
            })
        };
        self.outcomes().filter_map(failed).collect()
    }
}

impl<'a> Tried<'a> {
    fn new(metric: &'a Metric) -> Self {
        let terms = terms(metric);
        let terms = terms.into_iter().map(|node| Term {
            node,
            passed: 0,
            alone: 0,
        });
        Self {
            metric,
            terms: terms.collect(),
            matched: 0,
        }
    }

    fn observe<E: EventView + ?Sized>(&mut self, event: &E) {
        let filter = &self.metric.filter;
        if filter.evaluate(event) {
            self.matched = self.matched.saturating_add(1);
        }
        // Only metrics that matched nothing need their terms.
        if self.matched > 0 {
            return;
        }
        let comparisons = filter.comparisons();
        let holds = |index: usize| comparisons.get(index).is_some_and(|one| one.holds(event));
        let results = results(self.metric, holds);
        let mut all = true;
        for term in &mut self.terms {
            let holds = results.get(term.node.index()).copied().unwrap_or(false);
            all &= holds;
            term.alone = term.alone.saturating_add(u64::from(holds));
            term.passed = term.passed.saturating_add(u64::from(all));
        }
    }

    fn failing(&self, events: u64) -> Option<Failing> {
        if self.matched > 0 || events == 0 {
            return None;
        }
        let mut reached = events;
        for term in &self.terms {
            if term.passed == 0 {
                let node = self.metric.filter.tree().node(term.node)?;
                return Some(Failing {
                    term: node.span.clone(),
                    reached,
                    alone: term.alone,
                });
            }
            reached = term.passed;
        }
        None
    }
}

/// Returns the parts of a filter that are joined by AND at its top, in order.
pub(crate) fn terms(metric: &Metric) -> Vec<NodeId> {
    let tree = metric.filter.tree();
    let mut terms = Vec::new();
    let mut open: Vec<NodeId> = tree.root().into_iter().collect();
    while let Some(id) = open.pop() {
        match tree.node(id).map(|node| node.kind) {
            Some(NodeKind::And(a, b)) => open.extend([b, a]),
            Some(_) => terms.push(id),
            None => {}
        }
    }
    terms
}

/// Returns which parts of a filter are true.
fn results(metric: &Metric, holds: impl Fn(usize) -> bool) -> Vec<bool> {
    let nodes = metric.filter.tree().nodes();
    let mut results: Vec<bool> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let of = |id: NodeId| results.get(id.index()).copied().unwrap_or(false);
        let result = match node.kind {
            NodeKind::Comparison(index) => holds(index),
            NodeKind::Not(inner) => !of(inner),
            NodeKind::And(a, b) => of(a) && of(b),
            NodeKind::Or(a, b) => of(a) || of(b),
        };
        results.push(result);
    }
    results
}
