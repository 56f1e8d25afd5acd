//! The series of one metric: itself, its sub-metrics, theirs, and so on.
//!
//! A series is found by one hash look-up of its parent and what tells it from
//! its siblings. Those below a parent keep the order in which they came up;
//! they only go all at once, by [`Tree::drop_idle`]. An event that has no sub-metric at some level is
//! counted in a series of its own there, [`Label::Missing`], so that the series
//! without any below them account for all events.
//!
//! Invariants: a parent's index is less than its children's. No two series
//! have the same parent and the same label. The room that a series needs for a
//! later `other` and a missing one below it is set aside when it is made, so
//! that a limit holds exactly, and these two can always be made.

mod idle;
mod saved;

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::{
    Distribution, Exemplar,
    label::{Label, OTHER},
    segmented::Segmented,
    settings::MetricSettings,
};

/// The index of the series that is the metric itself.
pub(crate) const ROOT: u32 = 0;

/// What a series takes of the limits: itself, and an `other` and a missing
/// one for each level below it.
const fn cost(levels_below: usize) -> usize {
    1 + 2 * levels_below
}

/// What distinguishes a series from its siblings, as it is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Text(&'a [u8]),
    Bucket(u32),
    /// Past a limit, below a quantized level. Below a discrete one, it is
    /// the text `other`.
    OtherBucket,
    Missing,
}

#[derive(Debug, Clone)]
struct Row {
    parent: u32,
    /// 0: the text; 1: other; 2: missing; else the bucket plus 3.
    tag: u32,
    /// When it was last updated, in seconds as [`idle`] counts them.
    last: u32,
    /// Room was taken for it; else it stands where room was set aside.
    counted: bool,
    /// It stays when it is idle.
    declared: bool,
    text: Box<[u8]>,
}

impl Key<'_> {
    const fn parts(&self) -> (u32, &[u8]) {
        match self {
            Self::Text(text) => (0, text),
            Self::OtherBucket => (1, &[]),
            Self::Missing => (2, &[]),
            Self::Bucket(bucket) => (*bucket + 3, &[]),
        }
    }
}

/// How much room there is for series.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    /// Series that the metric may have.
    pub(crate) metric: usize,
    /// Series that the registry has, room set aside included.
    pub(crate) used: &'a mut usize,
    /// Series that it may have.
    pub(crate) all: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Levels of `group_by`.
    levels: u32,
    /// Distributions of a series: of the duration, and of each field.
    stride: usize,
    rows: Segmented<Row>,
    len: u32,
    distributions: Segmented<Distribution>,
    /// The sum of each bucket's own values, where the last level is quantized
    /// by something else than the duration: a true sum for its histogram.
    own_sums: Option<Segmented<i128>>,
    /// The last event of each series, if that was asked for.
    exemplars: Option<Segmented<Option<Box<Exemplar>>>>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Series, and room set aside.
    used: usize,
}

/// Whether the sums of buckets' own values are kept.
pub(crate) fn has_own_sums(settings: &MetricSettings) -> bool {
    let last = settings.group_by.last();
    last.is_some_and(|last| last.method.buckets().is_some() && last.field != b"duration")
}

impl Tree {
    pub(crate) fn new(settings: &MetricSettings, used: &mut usize) -> Self {
        let own_sums = has_own_sums(settings);
        let mut tree = Self {
            levels: u32::try_from(settings.group_by.len()).unwrap_or(u32::MAX),
            stride: 1 + settings.fields.len(),
            rows: Segmented::default(),
            len: 0,
            distributions: Segmented::default(),
            own_sums: own_sums.then(Segmented::default),
            exemplars: None,
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            used: cost(settings.group_by.len()),
        };
        *used += tree.used;
        tree.push(Row {
            parent: u32::MAX,
            tag: 0,
            last: idle::NOW,
            counted: true,
            declared: true,
            text: Box::default(),
        });
        tree
    }

    /// How many series there are.
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    /// Series, and room set aside for others.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    fn push(&mut self, row: Row) {
        self.rows.push(row);
        for _ in 0..self.stride {
            self.distributions.push(Distribution::new());
        }
        if let Some(sums) = &mut self.own_sums {
            sums.push(0);
        }
        if let Some(exemplars) = &mut self.exemplars {
            exemplars.push(None);
        }
        self.len += 1;
    }

    fn hash(hasher: &DefaultHashBuilder, parent: u32, (tag, text): (u32, &[u8])) -> u64 {
        let mut hasher = hasher.build_hasher();
        hasher.write_u64(u64::from(parent) << 32 | u64::from(tag));
        hasher.write(text);
        hasher.finish()
    }

    fn find(&self, parent: u32, key: Key<'_>) -> Result<u32, u64> {
        let (tag, text) = key.parts();
        let hash = Self::hash(&self.hasher, parent, (tag, text));
        let found = self.index.find(hash, |&at| {
            self.rows
                .get(at as usize)
                .is_some_and(|row| row.parent == parent && row.tag == tag && *row.text == *text)
        });
        found.copied().ok_or(hash)
    }

    /// The series below `parent`, which is `depth` levels below the metric;
    /// its `other` where there is no room for a new one. The flag tells
    /// whether it is that.
    pub(crate) fn child(
        &mut self,
        parent: u32,
        depth: u32,
        key: Key<'_>,
        room: &mut Room<'_>,
    ) -> (u32, bool) {
        let hash = match self.find(parent, key) {
            Ok(found) => return (found, false),
            Err(hash) => hash,
        };
        let cost = cost(self.levels.saturating_sub(depth + 1) as usize);
        let room_left = self.used + cost <= room.metric && *room.used + cost <= room.all;
        if room_left && key != Key::Missing {
            self.used += cost;
            *room.used += cost;
            return (self.insert(parent, key, hash, true), false);
        }
        // Room for these was set aside when the parent was made.
        let other = match key {
            Key::Missing => return (self.insert(parent, key, hash, false), false),
            Key::Text(_) => Key::Text(OTHER),
            Key::Bucket(_) | Key::OtherBucket => Key::OtherBucket,
        };
        match self.find(parent, other) {
            Ok(found) => (found, true),
            Err(hash) => (self.insert(parent, other, hash, false), true),
        }
    }

    /// The series below `parent`, to stay for good; `None` where there is no
    /// room for it.
    pub(crate) fn declare(
        &mut self,
        parent: u32,
        depth: u32,
        key: Key<'_>,
        room: &mut Room<'_>,
    ) -> Option<u32> {
        let (child, other) = self.child(parent, depth, key, room);
        let row = self.rows.get_mut(child as usize).filter(|_| !other)?;
        row.declared = true;
        Some(child)
    }

    fn insert(&mut self, parent: u32, key: Key<'_>, hash: u64, counted: bool) -> u32 {
        let at = self.len;
        let (tag, text) = key.parts();
        self.push(Row {
            parent,
            tag,
            last: idle::NOW,
            counted,
            declared: false,
            text: text.into(),
        });
        let (rows, hasher) = (&self.rows, &self.hasher);
        self.index.insert_unique(hash, at, |&at| {
            rows.get(at as usize).map_or(0, |row| {
                Self::hash(hasher, row.parent, (row.tag, &row.text))
            })
        });
        at
    }

    /// Adds an event to a series: its duration, and each field that it has.
    #[inline]
    pub(crate) fn record(&mut self, series: u32, numbers: &[Option<u64>]) {
        if let Some(row) = self.rows.get_mut(series as usize) {
            row.last = idle::NOW;
        }
        let first = series as usize * self.stride;
        for (number, at) in numbers.iter().zip(first..) {
            if let (Some(number), Some(distribution)) = (number, self.distributions.get_mut(at)) {
                distribution.record(*number);
            }
        }
    }

    /// Adds to the sum of a bucket's own values, where that is kept.
    #[inline]
    pub(crate) fn record_own(&mut self, series: u32, value: i64) {
        let sums = self.own_sums.as_mut();
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(series as usize)) {
            *sum = sum.saturating_add(i128::from(value));
        }
    }

    /// Keeps exemplars from now on, or forgets them.
    pub(crate) fn keep_exemplars(&mut self, keep: bool) {
        if keep == self.exemplars.is_some() {
            return;
        }
        self.exemplars = keep.then(Segmented::default);
        if let Some(exemplars) = &mut self.exemplars {
            (0..self.len).for_each(|_| exemplars.push(None));
        }
    }

    /// Keeps an event as the exemplar of a series, if any are kept.
    pub(crate) fn exemplify(&mut self, series: u32, exemplar: &Exemplar) {
        let exemplars = self.exemplars.as_mut();
        if let Some(place) = exemplars.and_then(|all| all.get_mut(series as usize)) {
            exemplar.replace(place);
        }
    }

    /// Forgets all values; the series stay.
    pub(crate) fn reset(&mut self) {
        self.distributions.iter_mut().for_each(Distribution::reset);
        let sums = self.own_sums.iter_mut().flat_map(Segmented::iter_mut);
        sums.for_each(|sum| *sum = 0);
        let exemplars = self.exemplars.iter_mut().flat_map(Segmented::iter_mut);
        exemplars.for_each(|exemplar| *exemplar = None);
    }

    /// All series in the order in which they came up: parent, label,
    /// distributions, sum of own values.
    pub(crate) fn series(&self) -> impl Iterator<Item = TreeSeries<'_>> {
        self.rows.iter().enumerate().map(|(at, row)| {
            let first = at * self.stride;
            TreeSeries {
                parent: row.parent as usize,
                label: match row.tag {
                    0 => Label::Value(&row.text),
                    1 => Label::Other,
                    2 => Label::Missing,
                    bucket => Label::Bucket(bucket - 3),
                },
                distributions: (first..first + self.stride)
                    .filter_map(|at| self.distributions.get(at).cloned())
                    .collect(),
                own_sum: self
                    .own_sums
                    .as_ref()
                    .and_then(|sums| sums.get(at).copied()),
                exemplar: self.exemplars.as_ref().and_then(|all| all.get(at)?.clone()),
            }
        })
    }
}

/// A series, copied out of its tree.
#[derive(Debug)]
pub(crate) struct TreeSeries<'a> {
    /// Beyond all indices for the metric itself.
    pub(crate) parent: usize,
    pub(crate) label: Label<'a>,
    pub(crate) distributions: Box<[Distribution]>,
    pub(crate) own_sum: Option<i128>,
    pub(crate) exemplar: Option<Box<Exemplar>>,
}
