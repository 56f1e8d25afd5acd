//! The values with the largest numbers on all hosts, in two rounds.
//!
//! The largest values of all hosts together need not be among the first ten of any host.
//! In the first round each host sends more values than are wanted, and the largest number
//! that a value may have which it did not send. This bounds every value: what hosts
//! sent, and the bounds of the hosts that did not send it. Values whose upper bound is
//! below the lower bound of the last wanted one are out. In the second round, hosts are
//! asked for the values that are left and that they did not send.
//!
//! What is not certain then are values that no host sent, and events in series `other`.
//! [`TopValues`] says what both can amount to.

use std::collections::{BTreeSet, HashMap};

use fantail_metrics::{GroupBy, Label, MetricSnapshot};

use crate::{
    Answer, Answered, GroupLevel, LookUpQuestion, Question, SchemaId, TopQuestion, Wanted, rows,
};

/// The bytes of values in one question of the second round: an HTTP head has at most
/// 16 KiB.
const QUESTION_BYTES: usize = 6 << 10;

/// The search for the values with the largest numbers.
///
/// ```
/// use fantail_fleet::{GroupLevel, Rank, TopQuery, TopQuestion, TopValues};
///
/// let question = TopQuestion {
///     metric: b"logins".to_vec(),
///     level: GroupLevel::Last,
///     rank: Rank::Events,
///     count: 10,
/// };
/// // Nobody answered.
/// let query = TopQuery::new(question, 0);
/// let values: TopValues = query.finish();
/// assert!(values.is_exact());
/// assert!(query.second().is_empty());
/// ```
#[derive(Debug)]
pub struct TopQuery {
    question: TopQuestion,
    /// The number of values of each host in the first round.
    candidates: usize,
    hosts: Vec<Host>,
}

/// The answers of a host, or of several aggregates whose values are disjoint.
#[derive(Debug)]
struct Host {
    host: usize,
    /// The cluster of aggregates that have parts of it, for values that are whole in a part.
    cluster: Option<Vec<u8>>,
    /// The number of hosts.
    members: usize,
    schema: SchemaId,
    filter: Vec<u8>,
    level: GroupBy,
    depth: usize,
    values: HashMap<Vec<u8>, u128>,
    /// The largest number of a value that is not in `values`.
    unseen: u128,
    other: u128,
    has_dropped: bool,
}

/// The values with the largest numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopValues {
    /// The field of the level.
    pub field: Vec<u8>,
    /// The values, the largest first.
    pub rows: Vec<TopRow>,
    /// The largest number that a value may have which is not in the rows; `None` without
    /// an upper bound.
    pub unlisted: Option<u128>,
    /// The number of hosts in the rows.
    pub hosts: usize,
    /// The hosts that have another definition of the metric, with their filter.
    pub others: Vec<(usize, Vec<u8>)>,
}

/// A value and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopRow {
    /// The text of the value.
    pub value: String,
    /// What the series of the value have counted.
    pub at_least: u128,
    /// The most that they may have to count: with all events of `other`, and the bounds
    /// of hosts that were not asked again; `None` without an upper bound.
    pub at_most: Option<u128>,
}

impl TopValues {
    /// Whether the rows are the values with the largest numbers, and the numbers are
    /// exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.error() == Some(0)
    }

    /// Returns by how much a number of the rows, or the choice of the rows, may be wrong;
    /// `None` without a bound.
    #[must_use]
    pub fn error(&self) -> Option<u128> {
        let last = self.rows.last().map_or(0, |row| row.at_least);
        let mut error = self.unlisted?.saturating_sub(last);
        for row in &self.rows {
            error = error.max(row.at_most?.saturating_sub(row.at_least));
        }
        Some(error)
    }
}

impl TopQuery {
    /// Begins a search; each host sends `candidates` values in the first round, at least
    /// the wanted number.
    #[must_use]
    pub fn new(question: TopQuestion, candidates: usize) -> Self {
        let most = TopQuestion::MAX_VALUES;
        Self {
            candidates: candidates.clamp(question.count.min(most), most),
            question,
            hosts: Vec::new(),
        }
    }

    /// Returns the question of the first round, for all hosts.
    #[must_use]
    pub fn first(&self) -> Question {
        Question::Top(TopQuestion {
            count: self.candidates,
            ..self.question.clone()
        })
    }

    /// Adds the answer of a host to the first question; returns `false` if the host has
    /// no such metric, level or field.
    ///
    /// Aggregates with parts of a cluster are one source: a value of the first level is in one
    /// of them, with all that it has.
    pub fn add_first(&mut self, host: usize, answer: Answer) -> bool {
        let Answer {
            head,
            metrics,
            unseen,
            ..
        } = answer;
        let [answered] = metrics.as_slice() else {
            return false;
        };
        let Some(mut new) = self.host(host, answered) else {
            return false;
        };
        new.unseen = unseen;
        let share = head.share.filter(|_| new.depth == 1);
        new.cluster = share.map(|share| share.cluster);
        let mut known = self.hosts.iter_mut();
        match known.find(|known| known.cluster.is_some() && known.is_like(&new)) {
            Some(known) => known.unite(new),
            None => self.hosts.push(new),
        }
        true
    }

    /// Returns whether no host has the metric, level and field.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    fn host(&self, host: usize, answered: &Answered) -> Option<Host> {
        let settings = answered.metric.settings();
        if settings.name != self.question.metric {
            return None;
        }
        let depth = rows::depth(&self.question.level, settings)?;
        let level = settings.group_by.get(depth - 1)?.clone();
        let mut new = Host {
            host,
            cluster: None,
            members: 1,
            schema: answered.schema,
            filter: answered.filter.clone(),
            depth,
            values: HashMap::new(),
            unseen: 0,
            other: 0,
            has_dropped: answered.metric.dropped() > 0,
            level,
        };
        let number = rows::Number::new(&self.question.rank, settings)?;
        new.read(&answered.metric, number);
        Some(new)
    }

    /// Returns the questions of the second round, each with its host. A host may get
    /// several, or none.
    #[must_use]
    pub fn second(&self) -> Vec<(usize, Question)> {
        let schema = self.schema();
        let hosts: Vec<&Host> = self.of_schema(schema).collect();
        let candidates = self.candidates(&hosts);
        let mut questions = Vec::new();
        // What aggregates with parts did not send is bounded, and not asked for.
        let asked = hosts
            .iter()
            .filter(|host| host.unseen > 0 && host.members == 1);
        for host in asked {
            let missing = candidates.iter();
            let missing = missing.filter(|key| !host.values.contains_key(**key));
            let mut values: Vec<Vec<u8>> = Vec::new();
            let mut bytes = 0;
            let mut ask = |values: &mut Vec<Vec<u8>>| {
                let values = std::mem::take(values);
                let question = LookUpQuestion {
                    metric: Some(self.question.metric.clone()),
                    level: GroupLevel::Number(host.depth),
                    wanted: Wanted::Values(values),
                };
                questions.push((host.host, Question::LookUp(question)));
            };
            for key in missing {
                // Each byte may need three in the URL.
                let more = 3 * key.len() + "&value=".len();
                if bytes + more > QUESTION_BYTES && !values.is_empty() {
                    ask(&mut values);
                    bytes = 0;
                }
                bytes += more;
                values.push(key.to_vec());
            }
            if !values.is_empty() {
                ask(&mut values);
            }
        }
        questions
    }

    /// Adds the answer of a host to a question of the second round; returns `false` if
    /// its metric has changed.
    pub fn add_second(&mut self, host: usize, question: &Question, answer: &Answer) -> bool {
        let Question::LookUp(LookUpQuestion {
            wanted: Wanted::Values(asked),
            ..
        }) = question
        else {
            return false;
        };
        let [answered] = answer.metrics.as_slice() else {
            return false;
        };
        let Some(new) = self.host(host, answered) else {
            return false;
        };
        let mut known = self.hosts.iter_mut();
        let Some(known) = known.find(|known| known.host == host && known.schema == new.schema)
        else {
            return false;
        };
        // Values that it does not have are 0 here, and no longer unseen.
        for key in asked {
            let number = new.values.get(key).copied().unwrap_or(0);
            known.values.entry(key.clone()).or_insert(number);
        }
        known.other = known.other.max(new.other);
        true
    }

    /// Returns the values.
    #[must_use]
    pub fn finish(&self) -> TopValues {
        let schema = self.schema();
        let hosts: Vec<&Host> = self.of_schema(schema).collect();
        let is_bounded = hosts.iter().all(|host| !host.has_dropped);
        let other = sum(hosts.iter().map(|host| host.other));
        let mut ranked: Vec<(&[u8], Bounds)> = bounds(&hosts).into_iter().collect();
        ranked.sort_by(|(key, one), (other_key, other)| {
            let order = other.at_least.cmp(&one.at_least);
            order.then(key.cmp(other_key))
        });
        let rest = ranked.split_off(ranked.len().min(self.question.count));
        let unlisted = rest.iter().map(|(_, bounds)| bounds.at_most).max();
        let unlisted = unlisted.unwrap_or(0).max(unseen(&hosts));
        let level = hosts.first().map(|host| &host.level);
        let rows = ranked.into_iter().map(|(key, bounds)| TopRow {
            value: level.map_or_else(String::new, |level| rows::key_text(key, level)),
            at_least: bounds.at_least,
            at_most: is_bounded.then_some(bounds.at_most.saturating_add(other)),
        });
        TopValues {
            field: level.map(|level| level.field.clone()).unwrap_or_default(),
            rows: rows.collect(),
            unlisted: is_bounded.then_some(unlisted.saturating_add(other)),
            hosts: hosts.len(),
            others: self.of_others(schema),
        }
    }

    /// Returns the schema that most hosts have; of equals, that of the first host.
    fn schema(&self) -> Option<SchemaId> {
        let mut counts: HashMap<SchemaId, (usize, usize)> = HashMap::new();
        for host in &self.hosts {
            let (count, first) = counts.entry(host.schema).or_insert((0, host.host));
            *count += 1;
            *first = (*first).min(host.host);
        }
        let best = counts
            .into_iter()
            .max_by_key(|(_, (count, first))| (*count, usize::MAX - first));
        best.map(|(schema, _)| schema)
    }

    fn of_schema(&self, schema: Option<SchemaId>) -> impl Iterator<Item = &Host> {
        let hosts = self.hosts.iter();
        hosts.filter(move |host| Some(host.schema) == schema)
    }

    fn of_others(&self, schema: Option<SchemaId>) -> Vec<(usize, Vec<u8>)> {
        let others = self.hosts.iter();
        let others = others.filter(|host| Some(host.schema) != schema);
        others
            .map(|host| (host.host, host.filter.clone()))
            .collect()
    }

    /// Returns the values that may be among the wanted ones.
    fn candidates<'h>(&self, hosts: &[&'h Host]) -> BTreeSet<&'h [u8]> {
        let bounds = bounds(hosts);
        let mut lower: Vec<u128> = bounds.values().map(|bounds| bounds.at_least).collect();
        lower.sort_unstable_by(|one, other| other.cmp(one));
        let last = self.question.count.checked_sub(1);
        let last = last.and_then(|last| lower.get(last)).copied().unwrap_or(0);
        let possible = bounds.iter().filter(|(_, bounds)| bounds.at_most >= last);
        possible.map(|(key, _)| *key).collect()
    }
}

impl Host {
    fn is_like(&self, other: &Self) -> bool {
        self.cluster == other.cluster && self.schema == other.schema
    }

    /// Takes the values of another aggregate, which has none of the same values.
    fn unite(&mut self, other: Self) {
        self.members += 1;
        self.values.extend(other.values);
        self.unseen = self.unseen.max(other.unseen);
        self.other = self.other.saturating_add(other.other);
        self.has_dropped |= other.has_dropped;
    }

    /// Reads the values of an answer.
    fn read(&mut self, metric: &MetricSnapshot, number: rows::Number) {
        for series in metric.series().iter() {
            let label = series.label();
            if series.depth() != self.depth || label == Label::Missing {
                continue;
            }
            let number = number.of(&series);
            if rows::is_other(metric, label) {
                self.other = self.other.saturating_add(number);
                continue;
            }
            let key = rows::key(label, &self.level).into_owned();
            let total = self.values.entry(key).or_default();
            *total = total.saturating_add(number);
        }
    }
}

/// The bounds of a value's number, without `other`.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    at_least: u128,
    at_most: u128,
}

/// Returns the bounds of all values that a host sent.
fn bounds<'h>(hosts: &[&'h Host]) -> HashMap<&'h [u8], Bounds> {
    let unseen = unseen(hosts);
    let mut all: HashMap<&[u8], Bounds> = HashMap::new();
    for host in hosts {
        for (key, number) in &host.values {
            let bounds = all.entry(key).or_insert(Bounds {
                at_least: 0,
                at_most: unseen,
            });
            bounds.at_least = bounds.at_least.saturating_add(*number);
            let most = bounds.at_most.saturating_sub(host.unseen);
            bounds.at_most = most.saturating_add(*number);
        }
    }
    all
}

/// Returns the largest number of a value that no host sent.
fn unseen(hosts: &[&Host]) -> u128 {
    sum(hosts.iter().map(|host| host.unseen))
}

fn sum(numbers: impl Iterator<Item = u128>) -> u128 {
    numbers.fold(0, u128::saturating_add)
}
