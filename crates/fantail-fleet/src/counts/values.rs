//! The values of a part.

use std::{collections::BTreeMap, sync::Arc};

use fantail_event::Dialect;
use fantail_metrics::{
    MetricSnapshot,
    internal::{join, share_settings},
};

use super::{PartId, part_of};
use crate::SchemaId;

/// A metric of a lineage, or the sum of several.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The dialect.
    pub dialect: Dialect,
    /// The filter as the host prints it.
    pub filter: Arc<[u8]>,
    /// The series.
    pub metric: MetricSnapshot,
}

/// The values of a part: metrics by the identity of their definition and by lineage.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<(SchemaId, u64), Counted>);

impl Values {
    pub(super) fn insert(&mut self, schema: SchemaId, lineage: u64, counted: Counted) {
        self.0.insert((schema, lineage), counted);
    }

    /// Returns the metrics.
    pub fn iter(&self) -> impl Iterator<Item = (SchemaId, &Counted)> {
        self.0
            .iter()
            .map(|((schema, _), counted)| (*schema, counted))
    }

    /// Returns the metrics with their lineages.
    pub(super) fn lineages(&self) -> impl Iterator<Item = ((SchemaId, u64), &Counted)> {
        self.0.iter().map(|(key, counted)| (*key, counted))
    }

    /// Returns the number of series, with a metric itself in each part.
    #[must_use]
    pub fn series(&self) -> usize {
        let series = self.0.values().map(|counted| counted.metric.series().len());
        series.sum()
    }

    /// Takes the newer value of each series: that with more events. Returns the number of
    /// series by which it grows, and of those for which there was no room.
    pub(super) fn join(&mut self, other: Self, mut room: usize) -> (usize, usize) {
        let (mut grown, mut refused) = (0, 0);
        for (key, counted) in other.0 {
            let wanted = counted.metric.series().len();
            let Some(here) = self.0.get_mut(&key) else {
                if wanted > room {
                    refused += wanted;
                    continue;
                }
                room -= wanted;
                grown += wanted;
                self.0.insert(key, counted);
                continue;
            };
            let before = here.metric.series().len();
            let admits = wanted <= room;
            join(&mut here.metric, &counted.metric, admits);
            let new = here.metric.series().len() - before;
            room -= new;
            grown += new;
            if !admits {
                // As many at most.
                refused += wanted;
            }
        }
        (grown, refused)
    }

    /// Lets equal definitions share their memory.
    pub(super) fn intern(&mut self, known: &mut BTreeMap<SchemaId, Counted>) {
        for ((schema, _), counted) in &mut self.0 {
            let like = known.entry(*schema).or_insert_with(|| Counted {
                metric: fantail_metrics::internal::pick(&counted.metric, &[], false),
                ..counted.clone()
            });
            share_settings(&mut counted.metric, &like.metric);
            counted.filter = Arc::clone(&like.filter);
        }
    }
}

/// Returns whether all series of a metric are in the part, with or without the metric itself.
pub(super) fn is_of_part(metric: &MetricSnapshot, part: PartId) -> bool {
    let name = &metric.settings().name;
    metric.series().iter().all(|series| match series.depth() {
        // In the other parts it has no values.
        0 => series.duration().count() == 0 || part_of(name, None) == part,
        1 => part_of(name, Some(series.label())) == part,
        _ => true,
    })
}
