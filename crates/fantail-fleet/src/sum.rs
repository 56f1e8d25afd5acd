//! The sum of whole metrics.

use std::{collections::HashMap, fmt};

use fantail_event::Dialect;
use fantail_metrics::{
    MetricSnapshot, Snapshot,
    internal::{merge, of_metrics},
};

use crate::{Answer, Answered, SchemaId, counts::Counted};

/// The limits of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SumLimits {
    /// The largest number of series.
    pub series: usize,
}

impl Default for SumLimits {
    /// Returns 10,000,000 series.
    fn default() -> Self {
        Self { series: 10_000_000 }
    }
}

/// Adds the metrics of hosts, whose order changes nothing but the order of series.
///
/// Metrics of one name and different [schemas](SchemaId) are added separately; the
/// result has the definition of most hosts.
#[derive(Debug, Default)]
pub struct Sum {
    limits: SumLimits,
    names: Vec<Named>,
    by_name: HashMap<Vec<u8>, usize>,
    series: usize,
    /// The hosts of each dialect: 2.3 and 2.4.
    dialects: [usize; 2],
    hosts: usize,
}

/// The metrics of one name.
#[derive(Debug, Default)]
struct Named {
    versions: Vec<Version>,
}

/// The sum of the metrics of one schema.
#[derive(Debug)]
struct Version {
    schema: SchemaId,
    dialect: Dialect,
    filter: Vec<u8>,
    metric: MetricSnapshot,
    hosts: Vec<usize>,
}

/// The sum of the metrics of all hosts.
#[derive(Debug)]
pub struct Summed {
    /// The metrics.
    pub snapshot: Snapshot,
    /// The filter and the number of hosts of each metric of the snapshot.
    pub sources: Vec<(Vec<u8>, usize)>,
    /// The metrics that were not added.
    pub others: Vec<OtherSchema>,
    /// The number of hosts that answered.
    pub hosts: usize,
}

/// A metric of some hosts that has another definition than that of most hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherSchema {
    /// The name of the metric.
    pub metric: Vec<u8>,
    /// The filter, and the dialect.
    pub filter: Vec<u8>,
    /// The dialect.
    pub dialect: Dialect,
    /// The identity of the definition.
    pub schema: SchemaId,
    /// The hosts.
    pub hosts: Vec<usize>,
}

/// The sum would have more series than the limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySeries(usize);

impl fmt::Display for TooManySeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sum would have more than {} series", self.0)
    }
}

impl std::error::Error for TooManySeries {}

impl Named {
    /// Adds the metric of a host; returns the number of new series.
    fn add(&mut self, host: usize, answered: Answered) -> usize {
        let known = self.versions.iter_mut();
        let mut same = known.filter(|known| known.schema == answered.schema);
        if let Some(known) = same.next() {
            let before = known.metric.series().len();
            merge(&mut known.metric, &answered.metric);
            known.hosts.push(host);
            return known.metric.series().len() - before;
        }
        let new = answered.metric.series().len();
        self.versions.push(Version {
            schema: answered.schema,
            dialect: answered.dialect,
            filter: answered.filter,
            metric: answered.metric,
            hosts: vec![host],
        });
        new
    }
}

impl Sum {
    /// Returns an empty sum.
    #[must_use]
    pub fn new(limits: SumLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Adds the metrics of a host, all or none.
    ///
    /// # Errors
    /// The sum might have too many series.
    pub fn add(&mut self, host: usize, answer: Answer) -> Result<(), TooManySeries> {
        let series = answer.metrics.iter().map(|one| one.metric.series().len());
        if self.series.saturating_add(series.sum()) > self.limits.series {
            return Err(TooManySeries(self.limits.series));
        }
        self.hosts += 1;
        if let Some(first) = answer.metrics.first() {
            self.dialects[usize::from(first.dialect == Dialect::V2_4)] += 1;
        }
        for metric in answer.metrics {
            self.add_metric(host, metric);
        }
        Ok(())
    }

    /// Adds a metric of these hosts.
    pub(crate) fn add_whole(&mut self, schema: SchemaId, counted: Counted, hosts: Vec<usize>) {
        self.hosts = self.hosts.max(hosts.len());
        self.dialects[usize::from(counted.dialect == Dialect::V2_4)] += hosts.len();
        let name = counted.metric.settings().name.clone();
        self.series += counted.metric.series().len();
        if let Some(named) = self.named(name) {
            named.versions.push(Version {
                schema,
                dialect: counted.dialect,
                filter: counted.filter.to_vec(),
                metric: counted.metric,
                hosts,
            });
        }
    }

    /// Returns the metrics of a name.
    fn named(&mut self, name: Vec<u8>) -> Option<&mut Named> {
        let at = *self.by_name.entry(name).or_insert(self.names.len());
        if at == self.names.len() {
            self.names.push(Named::default());
        }
        self.names.get_mut(at)
    }

    fn add_metric(&mut self, host: usize, answered: Answered) {
        let name = answered.metric.settings().name.clone();
        let Some(named) = self.named(name) else {
            debug_assert!(false, "the names have numbers in order");
            return;
        };
        let grown = named.add(host, answered);
        self.series += grown;
    }

    /// Returns the number of series.
    #[must_use]
    pub const fn series(&self) -> usize {
        self.series
    }

    /// Returns the sum: of each name the definition that most hosts have, in the dialect
    /// that most hosts have.
    #[must_use]
    pub fn finish(self) -> Summed {
        let dialect = match self.dialects {
            [old, new] if old > new => Dialect::V2_3,
            _ => Dialect::V2_4,
        };
        let (mut metrics, mut sources, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for named in self.names {
            let versions = named.versions.iter().enumerate();
            let rank = |(at, version): &(usize, &Version)| {
                let hosts = version.hosts.len();
                // Of equals the first.
                (version.dialect == dialect, hosts, usize::MAX - at)
            };
            let best = versions.max_by_key(rank).map(|(at, _)| at);
            for (at, version) in named.versions.into_iter().enumerate() {
                if Some(at) == best && version.dialect == dialect {
                    metrics.push(version.metric);
                    sources.push((version.filter, version.hosts.len()));
                } else {
                    others.push(OtherSchema {
                        metric: version.metric.settings().name.clone(),
                        filter: version.filter,
                        dialect: version.dialect,
                        schema: version.schema,
                        hosts: version.hosts,
                    });
                }
            }
        }
        Summed {
            snapshot: of_metrics(dialect, metrics),
            sources,
            others,
            hosts: self.hosts,
        }
    }
}
