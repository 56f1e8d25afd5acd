//! Where the series of a metric are kept, and snapshots of them.
//!
//! What a series is (its parent and label) never changes; what it has seen
//! changes with each event. So these are kept apart, both in
//! [segments](crate::segmented): a snapshot copies neither.

mod chunk;
mod labels;
mod texts;

use std::sync::Arc;

use self::labels::Labels;
pub(crate) use self::{chunk::Chunk, texts::Texts};
use crate::{
    Distribution, Exemplar,
    bins::Binned,
    segmented::{SEGMENT, Segmented, push},
    tree::{Key, NOW},
};

/// What is known of a series besides its numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// When it was last updated, in seconds as [`Tree::drop_idle`] counts
    /// them.
    ///
    /// [`Tree::drop_idle`]: crate::tree::Tree::drop_idle
    pub(crate) last: u32,
    /// Room was taken for it; else it stands where room was set aside.
    pub(crate) counted: bool,
    /// It stays when it is idle.
    pub(crate) declared: bool,
}

/// The series of a segment: what they have seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    pub(crate) marks: Vec<Mark>,
    /// Distributions of a series.
    stride: usize,
    distributions: Vec<Distribution>,
    /// A sum for each series, or none at all.
    own_sums: Vec<i128>,
    /// Up to the last series that has one: nothing unless they are kept.
    exemplars: Vec<Option<Arc<Exemplar>>>,
}

impl Values {
    /// None, with room for those of a segment.
    fn after(full: &Self) -> Self {
        Self {
            marks: Vec::with_capacity(SEGMENT),
            stride: full.stride,
            distributions: Vec::with_capacity(SEGMENT * full.stride),
            own_sums: Vec::with_capacity(full.own_sums.len()),
            exemplars: Vec::new(),
        }
    }

    #[inline]
    fn push(
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

    /// Looks at the ends of it.
    fn look(&self) -> usize {
        self.marks.len() ^ self.distributions.len() ^ self.own_sums.len() ^ self.exemplars.len()
    }

    fn distributions(&self, within: usize) -> &[Distribution] {
        let first = within * self.stride;
        let all = self.distributions.get(first..first + self.stride);
        all.unwrap_or_default()
    }

    /// The distributions from one series up to another.
    fn distributions_of(&self, from: usize, to: usize) -> &[Distribution] {
        let all = self.distributions.get(from * self.stride..to * self.stride);
        all.unwrap_or_default()
    }

    pub(crate) fn distributions_mut(&mut self, within: usize) -> &mut [Distribution] {
        let first = within * self.stride;
        let all = self.distributions.get_mut(first..first + self.stride);
        all.unwrap_or_default()
    }

    /// Adds to the distribution of a series that has but this one.
    #[inline]
    fn record_only(&mut self, within: usize, duration: Binned) {
        if let Some(distribution) = self.distributions.get_mut(within) {
            distribution.record_binned(duration);
        }
    }

    /// Adds to the distributions of a series.
    #[inline]
    fn record(&mut self, within: usize, duration: Binned, fields: &[Option<Binned>]) {
        let here = self.distributions.get_mut(within * self.stride..);
        let Some((first, others)) = here.and_then(<[_]>::split_first_mut) else {
            return;
        };
        first.record_binned(duration);
        for (at, number) in fields.iter().enumerate() {
            if let (Some(number), Some(distribution)) = (number, others.get_mut(at)) {
                distribution.record_binned(*number);
            }
        }
    }

    pub(crate) fn add_own(&mut self, within: usize, value: i128) {
        if let Some(sum) = self.own_sums.get_mut(within) {
            *sum = sum.saturating_add(value);
        }
    }

    fn set_exemplar(&mut self, within: usize, exemplar: Arc<Exemplar>) {
        if let Some(place) = self.exemplar_place(within) {
            *place = Some(exemplar);
        }
    }

    fn exemplar_place(&mut self, within: usize) -> Option<&mut Option<Arc<Exemplar>>> {
        if self.exemplars.len() <= within {
            self.exemplars.resize(within + 1, None);
        }
        self.exemplars.get_mut(within)
    }

    /// The same series, nothing seen.
    fn forgotten(&self) -> Self {
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

/// All series in the order in which they came up.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) labels: Segmented<Labels>,
    pub(crate) values: Segmented<Values>,
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
        let labels = self.labels.place_for(self.len, Labels::after);
        let values = self.values.place_for(self.len, Values::after);
        if let (Some(labels), Some(values)) = (labels, values) {
            labels.push(parent, key);
            values.push(mark, distributions, own_sum);
            self.len += 1;
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

    /// Adds an event to a series; if the time of updates is `watched`, it is
    /// marked as updated now.
    #[inline]
    pub(crate) fn record(
        &mut self,
        series: u32,
        watched: bool,
        duration: Binned,
        fields: &[Option<Binned>],
    ) {
        let Some((values, within)) = self.values.get_mut(series as usize) else {
            return;
        };
        if watched && let Some(mark) = values.marks.get_mut(within) {
            mark.last = NOW;
        }
        if fields.is_empty() {
            values.record_only(within, duration);
        } else {
            values.record(within, duration, fields);
        }
    }

    pub(crate) fn key(&self, series: u32) -> Option<Key<'_>> {
        let (labels, within) = self.labels.get(series as usize)?;
        Some(labels.key(within))
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = u32> {
        self.labels.iter().flat_map(Labels::parents)
    }

    /// Of each series its parent and key.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (u32, Key<'_>)> {
        self.labels.iter().flat_map(|labels| {
            let parents = labels.parents().enumerate();
            parents.map(|(within, parent)| (parent, labels.key(within)))
        })
    }

    pub(crate) fn marks_mut(&mut self) -> impl Iterator<Item = &mut Mark> {
        self.values.iter_mut().flat_map(|values| &mut values.marks)
    }

    /// Keeps an event as the exemplar of a series. What a snapshot has of the
    /// one before stays.
    pub(crate) fn exemplify(&mut self, series: u32, exemplar: &Exemplar) {
        // Only in a bucket it has a value of its own.
        let in_bucket = matches!(self.key(series), Some(Key::Bucket(_)));
        let Some((values, within)) = self.values.get_mut(series as usize) else {
            return;
        };
        if let Some(place) = values.exemplar_place(within) {
            exemplar.replace(place, in_bucket);
        }
    }

    /// Gives the series that came last an exemplar that it has elsewhere.
    pub(crate) fn exemplify_last(&mut self, exemplar: Option<Arc<Exemplar>>) {
        let last = self.len.checked_sub(1);
        let last = last.and_then(|last| self.values.get_mut(last));
        if let (Some((values, within)), Some(exemplar)) = (last, exemplar) {
            values.set_exemplar(within, exemplar);
        }
    }

    /// Gives a series an exemplar that it has elsewhere, unless its own is
    /// later.
    pub(crate) fn exemplify_later(&mut self, series: u32, elsewhere: &Arc<Exemplar>) {
        if let Some((values, within)) = self.values.get_mut(series as usize)
            && let Some(place) = values.exemplar_place(within)
        {
            *place = Exemplar::later(place.as_ref(), Some(elsewhere)).cloned();
        }
    }

    /// Forgets all exemplars.
    pub(crate) fn forget_exemplars(&mut self) {
        self.values
            .iter_mut()
            .for_each(|values| values.exemplars = Vec::new());
    }

    /// Forgets all values. What a snapshot has is not copied for that.
    pub(crate) fn forget(&mut self) {
        self.values.replace_each(Values::forgotten);
    }

    pub(crate) fn share(&mut self) -> Vec<Chunk> {
        let mut chunks = Vec::with_capacity(self.labels.count());
        let labels = self.labels.share(Labels::look);
        let values = self.values.share(Values::look);
        let both = labels.zip(values);
        chunks.extend(both.map(|(labels, values)| Chunk::new(labels, values)));
        chunks
    }

    /// The series that stay, in the same order. `keep` gets parent and mark of
    /// each and says what its parent is from here on; `None` if it goes.
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
