//! Which series of a metric are samples, and with which labels.
//!
//! Only series with nothing below them are: their sum is that of the metric,
//! and nothing is counted twice.
//!
//! A label without a value is the same as no label. So a path that ends in
//! empty values and one that ends in a missing one can have
//! the same labels; such series are one sample together.

use std::{collections::HashMap, io};

use fantail_metrics::{Label, MetricSnapshot, Series, SeriesList, Siblings, Stretch};

use super::{
    escape::stand_for_themselves,
    labels::{Above, push_label, push_plain_label},
    name::label_names,
};

/// Of longer values only a part may be there, which [`Label::text`] knows of.
const SHORT: usize = 128;

/// The samples of a metric in the order of its series, when those `levels`
/// levels below it are taken for the last. Each family of the metric comes by
/// all of them.
#[derive(Debug)]
pub(crate) struct Points<'a> {
    metric: &'a MetricSnapshot,
    levels: usize,
    names: Vec<String>,
    /// Series that are one sample, by where they belong.
    together: HashMap<usize, Vec<usize>>,
}

impl<'a> Points<'a> {
    pub(crate) fn new(metric: &'a MetricSnapshot, levels: usize) -> Self {
        let mut points = Self {
            metric,
            levels,
            names: label_names(&metric.settings().group_by),
            together: HashMap::new(),
        };
        // The metric itself has no value, and is at home with itself.
        let mut below = metric.series().stretches().skip(1);
        if below.any(|stretch| !match stretch {
            Stretch::One(series) => has_value(series.label()),
            Stretch::Many(siblings) => siblings.lengths().0 > 0,
        }) {
            points.together = points.find_together();
        }
        points
    }

    fn find_together(&self) -> HashMap<usize, Vec<usize>> {
        let mut together: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut walk = Walk::new(self, false);
        for (at, series) in self.metric.series().iter().enumerate() {
            walk.enter(at, &series);
            if self.is_point(&series) && walk.home() != at {
                together.entry(walk.home()).or_default().push(at);
            }
        }
        together
    }

    /// Calls `write` for each sample: its labels as they are written, and
    /// where the series are that make it.
    #[inline]
    pub(crate) fn each(
        &self,
        mut write: impl FnMut(&[u8], Members<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut walk = Walk::new(self, true);
        for (at, series) in self.metric.series().iter().enumerate() {
            if let Some((labels, members)) = walk.point(at, &series) {
                write(labels, members)?;
            }
        }
        Ok(())
    }

    /// Calls `write` for all samples in the same order, those that are as
    /// usual many at a time.
    #[inline]
    pub(crate) fn each_piece(
        &self,
        mut write: impl FnMut(Piece<'_, 'a>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut walk = Walk::new(self, true);
        let mut at = 0;
        for stretch in self.metric.series().stretches() {
            let (one, others) = match stretch {
                Stretch::Many(siblings) if self.are_usual(&siblings) => {
                    at += siblings.series().len();
                    write(Piece::Many(walk.above(&siblings), siblings))?;
                    continue;
                }
                Stretch::Many(siblings) => (None, Some(siblings.series().iter())),
                Stretch::One(series) => (Some(series), None),
            };
            for series in one.into_iter().chain(others.into_iter().flatten()) {
                if let Some((labels, members)) = walk.point(at, &series) {
                    write(Piece::One(labels, members))?;
                }
                at += 1;
            }
        }
        Ok(())
    }

    /// Whether each of them is a sample of its own, and its value written as
    /// it is.
    #[inline]
    fn are_usual(&self, siblings: &Siblings<'_>) -> bool {
        let (shortest, longest) = siblings.lengths();
        let texts = siblings.texts();
        siblings.depth() == self.levels
            && shortest > 0
            && longest <= SHORT
            && stand_for_themselves(texts)
            && texts.is_ascii()
    }

    /// The series that make a sample.
    #[inline]
    pub(crate) fn series(&self, members: Members<'_>) -> impl Iterator<Item = Series<'a>> {
        let all = self.metric.series();
        members.0.iter().filter_map(move |at| all.get(*at))
    }

    /// The same, each with all that is below it.
    pub(crate) fn branches(&self, members: Members<'_>) -> impl Iterator<Item = SeriesList<'a>> {
        let all = self.metric.series();
        members.0.iter().map(move |at| all.branch(*at))
    }

    #[inline]
    fn is_point(&self, series: &Series<'_>) -> bool {
        series.depth() == self.levels
            || series.depth() < self.levels && series.label() == Label::Missing
    }
}

/// What comes next of the samples.
#[derive(Debug)]
pub(crate) enum Piece<'p, 'a> {
    /// One sample: its labels as they are written, and where the series are
    /// that make it.
    One(&'p [u8], Members<'p>),
    /// Series that are a sample each, the values of whose last labels are
    /// written as they are.
    Many(Above<'p>, Siblings<'a>),
}

/// Where the series are that make a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members<'a>(&'a [usize]);

/// Whether the text of a label is not empty.
const fn has_value(label: Label<'_>) -> bool {
    match label {
        Label::Value(value) => !value.is_empty(),
        Label::Bucket(_) | Label::Other => true,
        Label::Missing => false,
    }
}

/// The path to a series.
struct Walk<'a> {
    points: &'a Points<'a>,
    /// Of each series from the metric down: the last with a value on its
    /// path, and how long the labels are there.
    path: Vec<(usize, usize)>,
    labels: Vec<u8>,
    /// The series that it came to.
    here: [usize; 1],
    /// The labels are wanted; else only who is at home where.
    written: bool,
}

impl<'a> Walk<'a> {
    const fn new(points: &'a Points<'a>, written: bool) -> Self {
        Self {
            points,
            path: Vec::new(),
            labels: Vec::new(),
            here: [0],
            written,
        }
    }

    /// What these have in common; it came to the series right above them.
    fn above(&mut self, siblings: &Siblings<'_>) -> Above<'_> {
        let depth = siblings.depth();
        self.path.truncate(depth);
        let length = self.path.last().map_or(0, |(_, length)| *length);
        self.labels.truncate(length);
        let name = self.points.names.get(depth.wrapping_sub(1));
        Above {
            labels: &self.labels,
            name: name.map_or("", String::as_str),
        }
    }

    #[inline]
    fn enter(&mut self, at: usize, series: &Series<'_>) {
        self.path.truncate(series.depth());
        let (home, length) = self.path.last().copied().unwrap_or((at, 0));
        self.labels.truncate(length);
        let label = series.label();
        let has_value = has_value(label);
        if has_value && self.written {
            self.push(series, label);
        }
        let home = if has_value { at } else { home };
        self.path.push((home, self.labels.len()));
    }

    #[inline]
    fn push(&mut self, series: &Series<'_>, label: Label<'_>) {
        let Some(name) = self.points.names.get(series.depth().wrapping_sub(1)) else {
            return;
        };
        if let Label::Value(value) = label
            && value.len() <= SHORT
            && stand_for_themselves(value)
            && value.is_ascii()
        {
            push_plain_label(name, value, &mut self.labels);
            return;
        }
        if let Some(level) = series.level(self.points.metric.settings()) {
            match label.plain_text() {
                Some(text) => push_label(name, text, &mut self.labels),
                None => push_label(name, &label.text(level), &mut self.labels),
            }
        }
    }

    /// Goes on to the next series; the sample that is written there, if any.
    #[inline]
    fn point(&mut self, at: usize, series: &Series<'_>) -> Option<(&[u8], Members<'_>)> {
        self.enter(at, series);
        if !self.points.is_point(series) {
            return None;
        }
        if self.home() == at {
            self.here = [at];
            return Some((&self.labels, Members(&self.here)));
        }
        let members = self.points.together.get(&self.home());
        let members = members.map_or(&[][..], Vec::as_slice);
        // Written where the first of them is.
        (members.first() == Some(&at)).then_some((&self.labels, Members(members)))
    }

    /// The last series on the path that has a value; the metric if none has.
    fn home(&self) -> usize {
        self.path.last().map_or(0, |(home, _)| *home)
    }
}
