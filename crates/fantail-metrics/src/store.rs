//! The store: the series of a metric, shared with snapshots.
//!
//! The parent and the label of a series never change; its numbers change with
//! each event. They are stored separately, both in [segments](self::segmented):
//! a snapshot copies neither.

pub(crate) mod cohort;
pub(crate) mod exemplar;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod label_texts;
pub(crate) mod labels;
pub(crate) mod observations;
pub(crate) mod segmented;
pub(crate) mod shared_segment;

use std::sync::Arc;

use self::{
    key::Key,
    labels::Labels,
    observations::{Mark, NOW, Observations},
    segmented::Segmented,
    shared_segment::SharedSegment,
};
use crate::{Distribution, Exemplar};

/// All series in the order of their creation.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) values: Segmented<Observations>,
    pub(crate) labels: Segmented<Labels>,
    len: usize,
}

impl Store {
    pub(crate) fn push(
        &mut self,
        parent: u32,
        key: Key<'_>,
        mark: Mark,
        distributions: impl ExactSizeIterator<Item = Distribution>,
        own_sum: Option<i128>,
    ) {
        let labels = self.labels.segment_for(self.len, Labels::after);
        let values = self.values.segment_for(self.len, Observations::after);
        if let (Some(labels), Some(values)) = (labels, values) {
            labels.push(parent, key);
            values.push(mark, distributions, own_sum);
            self.len += 1;
        } else {
            debug_assert!(false, "no segment for series {}", self.len);
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is(&self, series: u32, parent: u32, parts: (u32, &[u8])) -> bool {
        let labels = self.labels.get(series as usize);
        labels.is_some_and(|(labels, within)| labels.is(within, parent, parts))
    }

    /// Adds an event to a series; if updates are `watched`, marks the series as
    /// updated now. Returns the bytes that the event took.
    #[inline]
    pub(crate) fn record(
        &mut self,
        series: u32,
        watched: bool,
        duration: u64,
        fields: &[Option<u64>],
    ) -> usize {
        let Some((values, within)) = self.values.get_mut(series as usize) else {
            debug_assert!(false, "no series {series}");
            return 0;
        };
        if watched && let Some(mark) = values.marks.get_mut(within) {
            mark.last = NOW;
        }
        if fields.is_empty() {
            values.record_only(within, duration)
        } else {
            values.record(within, duration, fields)
        }
    }

    pub(crate) fn key(&self, series: u32) -> Option<Key<'_>> {
        let (labels, within) = self.labels.get(series as usize)?;
        Some(labels.key(within))
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = u32> {
        self.labels.iter().flat_map(Labels::parents)
    }

    /// Returns the parent and the key of each series.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (u32, Key<'_>)> {
        self.labels.iter().flat_map(|labels| {
            let parents = labels.parents().enumerate();
            parents.map(|(within, parent)| (parent, labels.key(within)))
        })
    }

    pub(crate) fn marks_mut(&mut self) -> impl Iterator<Item = &mut Mark> {
        self.values.iter_mut().flat_map(|values| &mut values.marks)
    }

    /// Stores an event as the exemplar of a series. The previous exemplar stays
    /// in snapshots.
    pub(crate) fn exemplify(&mut self, series: u32, exemplar: &Exemplar) {
        // Only the exemplar of a bucket has an own value.
        let in_bucket = matches!(self.key(series), Some(Key::Bucket(_)));
        let Some((values, within)) = self.values.get_mut(series as usize) else {
            debug_assert!(false, "no series {series}");
            return;
        };
        if let Some(place) = values.exemplar_mut(within) {
            exemplar.replace(place, in_bucket);
        }
    }

    /// Sets the exemplar of the last series.
    pub(crate) fn exemplify_last(&mut self, exemplar: Option<Arc<Exemplar>>) {
        let last = self.len.checked_sub(1);
        let last = last.and_then(|last| self.values.get_mut(last));
        if let (Some((values, within)), Some(exemplar)) = (last, exemplar) {
            values.set_exemplar(within, exemplar);
        }
    }

    /// Removes all exemplars.
    pub(crate) fn forget_exemplars(&mut self) {
        self.values
            .iter_mut()
            .for_each(|values| values.exemplars = Vec::new());
    }

    /// Returns the bytes on the heap of all values.
    pub(crate) fn value_bytes(&self) -> usize {
        let segments = self.values.iter();
        let distributions = segments.flat_map(Observations::all_distributions);
        distributions.map(Distribution::heap_bytes).sum()
    }

    /// Removes all values, without copying segments that snapshots share.
    pub(crate) fn forget(&mut self) {
        self.values.replace_each(Observations::forgotten);
    }

    pub(crate) fn share(&mut self) -> Vec<SharedSegment> {
        let mut segments = Vec::with_capacity(self.labels.count());
        let labels = self.labels.share(Labels::prefetch);
        let values = self.values.share(Observations::prefetch);
        let both = labels.zip(values);
        segments.extend(both.map(|(labels, values)| SharedSegment::new(labels, values)));
        segments
    }

    /// Returns the series that stay, in the same order. `keep` gets the parent
    /// and the mark of each series and returns its new parent; `None` removes
    /// the series.
    pub(crate) fn retain(self, mut keep: impl FnMut(u32, Mark) -> Option<u32>) -> Self {
        let mut kept = Self::default();
        for (labels, values) in self.labels.into_iter().zip(self.values.into_iter()) {
            let mut distributions = values.distributions.into_iter();
            let mut exemplars = values.exemplars.into_iter();
            let marks = values.marks.into_iter().zip(labels.parents());
            for (within, (mark, parent)) in marks.enumerate() {
                let own_sum = values.own_sums.get(within).copied();
                let here = distributions.by_ref().take(values.stride);
                let exemplar = exemplars.next().flatten();
                match keep(parent, mark) {
                    Some(parent) => {
                        kept.push(parent, labels.key(within), mark, here, own_sum);
                        kept.exemplify_last(exemplar);
                    }
                    None => here.for_each(drop),
                }
            }
        }
        kept
    }
}
