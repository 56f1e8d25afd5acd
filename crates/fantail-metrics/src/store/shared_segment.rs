//! A segment of a snapshot: shared with the store, read-only.

use std::sync::Arc;

use super::{
    cohort::Shares, key::Key, label_texts::LabelTexts, labels::Labels, observations::Observations,
};
use crate::{Distribution, Exemplar};

/// A segment of series at one moment.
#[derive(Debug, Clone)]
pub(crate) struct SharedSegment {
    labels: Arc<Labels>,
    values: Arc<Observations>,
    /// The counts of its only series in cohorts.
    shares: Option<Arc<Shares>>,
}

impl SharedSegment {
    pub(crate) const fn new(labels: Arc<Labels>, values: Arc<Observations>) -> Self {
        Self {
            labels,
            values,
            shares: None,
        }
    }

    /// Adds the counts of its only series in cohorts.
    pub(crate) fn add(&mut self, shares: Shares) {
        self.shares = Some(Arc::new(shares));
    }

    /// Returns the number of series.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = u32> {
        self.labels.parents()
    }

    #[inline]
    pub(crate) fn key(&self, within: usize) -> Key<'_> {
        self.labels.key(within)
    }

    pub(crate) const fn labels(&self) -> &Arc<Labels> {
        &self.labels
    }

    /// Returns the values, with the counts in cohorts.
    pub(crate) fn values(&self) -> Arc<Observations> {
        let mut values = Arc::clone(&self.values);
        if let Some(shares) = &self.shares {
            let here = Arc::make_mut(&mut values).distributions_mut(0);
            here.iter_mut()
                .for_each(|own| *own = shares.with(own).clone());
        }
        values
    }

    pub(crate) fn distributions(&self, within: usize) -> &[Distribution] {
        let here = self.values.distributions(within);
        match (&self.shares, here) {
            (Some(shares), [own]) => std::slice::from_ref(shares.with(own)),
            _ => here,
        }
    }

    /// Returns the number of series from index `from` to before `to` up to the first that
    /// has no text.
    #[inline]
    pub(crate) fn count_texts(&self, from: usize, to: usize) -> usize {
        self.labels.count_texts(from, to)
    }

    /// Returns the texts and distributions of the series from index `from` to
    /// before `to`, if all have texts and none has counts in cohorts.
    #[inline]
    pub(crate) fn texts(
        &self,
        from: usize,
        to: usize,
    ) -> Option<(LabelTexts<'_>, &[Distribution])> {
        let texts = self.labels.texts(from, to)?;
        let here = self.shares.is_none();
        here.then(|| (texts, self.values.distributions_of(from, to)))
    }

    pub(crate) fn own_sum(&self, within: usize) -> Option<i128> {
        self.values.own_sums.get(within).copied()
    }

    pub(crate) fn exemplar(&self, within: usize) -> Option<&Arc<Exemplar>> {
        self.values.exemplars.get(within)?.as_ref()
    }
}
