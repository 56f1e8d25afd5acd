//! The numbers of a segment's series.

use std::sync::Arc;

use super::segmented::{SEGMENT_SERIES, push};
use crate::{Distribution, Exemplar};

/// Marks a series that was updated since the last scan for idle ones.
pub(crate) const NOW: u32 = u32::MAX;

/// The state of a series besides its numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// The time of the last update, in seconds of the clock of
    /// `Registry::drop_idle`.
    pub(crate) last: u32,
    /// Whether the series itself counts for the limits; otherwise its parent
    /// reserved it.
    pub(crate) counted: bool,
    /// Whether the series stays when it is idle.
    pub(crate) declared: bool,
}

/// The numbers of a segment's series.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observations {
    pub(crate) marks: Vec<Mark>,
    /// The number of distributions of a series.
    pub(super) stride: usize,
    pub(super) distributions: Vec<Distribution>,
    /// A sum for each series, or none.
    pub(super) own_sums: Vec<i128>,
    /// The exemplars up to the last series that has one; empty unless exemplars
    /// are kept.
    pub(super) exemplars: Vec<Option<Arc<Exemplar>>>,
}

impl Observations {
    /// Returns an empty segment with full capacity.
    pub(super) fn after(full: &Self) -> Self {
        Self {
            marks: Vec::with_capacity(SEGMENT_SERIES),
            stride: full.stride,
            distributions: Vec::with_capacity(SEGMENT_SERIES * full.stride),
            own_sums: Vec::with_capacity(full.own_sums.len()),
            exemplars: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        mark: Mark,
        distributions: impl ExactSizeIterator<Item = Distribution>,
        own_sum: Option<i128>,
    ) {
        self.stride = distributions.len();
        push(&mut self.marks, mark, 1);
        for distribution in distributions {
            push(&mut self.distributions, distribution, self.stride);
        }
        if let Some(sum) = own_sum {
            push(&mut self.own_sums, sum, 1);
        }
    }

    /// Reads one word of each column to prefetch the segment.
    pub(super) fn prefetch(&self) -> usize {
        self.marks.len() ^ self.distributions.len() ^ self.own_sums.len() ^ self.exemplars.len()
    }

    pub(crate) fn distributions(&self, within: usize) -> &[Distribution] {
        let first = within * self.stride;
        let all = self.distributions.get(first..first + self.stride);
        debug_assert!(all.is_some(), "no series {within} in this segment");
        all.unwrap_or_default()
    }

    pub(super) fn all_distributions(&self) -> &[Distribution] {
        &self.distributions
    }

    /// Returns the distributions of the series from index `from` to before
    /// `to`.
    pub(super) fn distributions_of(&self, from: usize, to: usize) -> &[Distribution] {
        let all = self.distributions.get(from * self.stride..to * self.stride);
        debug_assert!(all.is_some(), "no series {from}..{to} in this segment");
        all.unwrap_or_default()
    }

    pub(crate) fn distributions_mut(&mut self, within: usize) -> &mut [Distribution] {
        let first = within * self.stride;
        let all = self.distributions.get_mut(first..first + self.stride);
        debug_assert!(all.is_some(), "no series {within} in this segment");
        all.unwrap_or_default()
    }

    /// Adds to the distribution of a series that has only this one; returns the bytes
    /// that this took.
    #[inline]
    pub(super) fn record_only(&mut self, within: usize, duration: u64) -> usize {
        if let Some(distribution) = self.distributions.get_mut(within) {
            distribution.record_and_grow(duration)
        } else {
            debug_assert!(false, "no series {within} in this segment");
            0
        }
    }

    /// Adds to the distributions of a series; returns the bytes that this took.
    #[inline]
    pub(super) fn record(&mut self, within: usize, duration: u64, fields: &[Option<u64>]) -> usize {
        let here = self.distributions.get_mut(within * self.stride..);
        let Some((first, others)) = here.and_then(<[_]>::split_first_mut) else {
            debug_assert!(false, "no series {within} in this segment");
            return 0;
        };
        let mut grown = first.record_and_grow(duration);
        for (at, number) in fields.iter().enumerate() {
            if let (Some(number), Some(distribution)) = (number, others.get_mut(at)) {
                grown += distribution.record_and_grow(*number);
            }
        }
        grown
    }

    /// Adds the values of a series of another shard, or a saved one.
    #[inline]
    pub(crate) fn add(
        &mut self,
        within: usize,
        distributions: &[Distribution],
        own_sum: Option<i128>,
        exemplar: Option<&Arc<Exemplar>>,
    ) {
        let here = self.distributions_mut(within);
        for (here, other) in here.iter_mut().zip(distributions) {
            here.merge(other);
        }
        if let Some(sum) = own_sum {
            self.add_own(within, sum);
        }
        // Unless its own is later.
        if exemplar.is_some()
            && let Some(here) = self.exemplar_mut(within)
        {
            *here = Exemplar::later(here.as_ref(), exemplar).cloned();
        }
    }

    pub(crate) fn add_own(&mut self, within: usize, value: i128) {
        if let Some(sum) = self.own_sums.get_mut(within) {
            *sum = sum.saturating_add(value);
        }
    }

    pub(super) fn set_exemplar(&mut self, within: usize, exemplar: Arc<Exemplar>) {
        if let Some(place) = self.exemplar_mut(within) {
            *place = Some(exemplar);
        }
    }

    pub(super) fn exemplar_mut(&mut self, within: usize) -> Option<&mut Option<Arc<Exemplar>>> {
        if self.exemplars.len() <= within {
            self.exemplars.resize(within + 1, None);
        }
        self.exemplars.get_mut(within)
    }

    /// Returns the same series without values.
    pub(super) fn forgotten(&self) -> Self {
        let nothing = |_: &Distribution| Distribution::new();
        Self {
            marks: self.marks.clone(),
            stride: self.stride,
            distributions: self.distributions.iter().map(nothing).collect(),
            own_sums: vec![0; self.own_sums.len()],
            exemplars: Vec::new(),
        }
    }
}

impl Mark {
    /// Returns the mark of a series that is updated now.
    pub(crate) const fn new(counted: bool) -> Self {
        Self {
            last: NOW,
            counted,
            declared: false,
        }
    }
}
