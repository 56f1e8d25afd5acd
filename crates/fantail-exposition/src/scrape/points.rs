//! Which series of a metric are samples, and with which labels.
//!
//! Only series with nothing below them are: their sum is that of the metric,
//! and nothing is counted twice.
//!
//! A label without a value is the same as no label. So a path that ends in
//! empty values and one that ends in a missing one can have
//! the same labels; such series are one sample together.

use std::{collections::HashMap, io};

use fantail_metrics::{
    Label, MetricSnapshot, Series, SeriesList,
    internal::{RunOrSeries, SeriesRun},
};

use super::{
    escape::needs_no_escape,
    labels::{LabelPrefix, push_label, push_verbatim_label},
    name::label_names,
};

/// Of longer values only a part may be there, which [`Label::text`] knows of.
const MAX_VERBATIM_BYTES: usize = 128;

/// The samples of a metric in the order of its series, when those `levels`
/// levels below it are taken for the last. Each family of the metric comes by
/// all of them.
#[derive(Debug)]
pub(crate) struct Points<'a> {
    metric: &'a MetricSnapshot,
    levels: usize,
    names: Vec<String>,
    /// Series that are one sample, by where they belong.
    joined: HashMap<usize, Vec<usize>>,
}

impl<'a> Points<'a> {
    pub(crate) fn new(metric: &'a MetricSnapshot, levels: usize) -> Self {
        let mut points = Self {
            metric,
            levels,
            names: label_names(&metric.settings().group_by),
            joined: HashMap::new(),
        };
        // The metric itself has no value, and is at home with itself.
        let mut below = metric.series().runs().skip(1);
        if below.any(|next| !match next {
            RunOrSeries::Series(series) => has_value(series.label()),
            RunOrSeries::Run(run) => run.lengths().0 > 0,
        }) {
            points.joined = points.find_joined();
        }
        points
    }

    fn find_joined(&self) -> HashMap<usize, Vec<usize>> {
        let mut joined: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut walk = Walk::new(self, false);
        for (at, series) in self.metric.series().iter().enumerate() {
            walk.enter(at, &series);
            if self.is_point(&series) && walk.home() != at {
                joined.entry(walk.home()).or_default().push(at);
            }
        }
        joined
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
    pub(crate) fn each_run(
        &self,
        mut write: impl FnMut(PointOrRun<'_, 'a>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut walk = Walk::new(self, true);
        let mut at = 0;
        for next in self.metric.series().runs() {
            let (one, others) = match next {
                RunOrSeries::Run(run) if self.is_verbatim(&run) => {
                    at += run.series().len();
                    write(PointOrRun::Run(walk.above(&run), run))?;
                    continue;
                }
                RunOrSeries::Run(run) => (None, Some(run.series().iter())),
                RunOrSeries::Series(series) => (Some(series), None),
            };
            for series in one.into_iter().chain(others.into_iter().flatten()) {
                if let Some((labels, members)) = walk.point(at, &series) {
                    write(PointOrRun::Point(labels, members))?;
                }
                at += 1;
            }
        }
        Ok(())
    }

    /// Whether each of them is a sample of its own, and its value written as
    /// it is.
    #[inline]
    fn is_verbatim(&self, run: &SeriesRun<'_>) -> bool {
        let (shortest, longest) = run.lengths();
        let texts = run.texts();
        run.depth() == self.levels
            && shortest > 0
            && longest <= MAX_VERBATIM_BYTES
            && needs_no_escape(texts)
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
pub(crate) enum PointOrRun<'p, 'a> {
    /// One sample: its labels as they are written, and where the series are
    /// that make it.
    Point(&'p [u8], Members<'p>),
    /// Series that are a sample each, the values of whose last labels are
    /// written as they are.
    Run(LabelPrefix<'p>, SeriesRun<'a>),
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
    fn above(&mut self, run: &SeriesRun<'_>) -> LabelPrefix<'_> {
        let depth = run.depth();
        self.path.truncate(depth);
        let length = self.path.last().map_or(0, |(_, length)| *length);
        self.labels.truncate(length);
        let name = self.points.names.get(depth.wrapping_sub(1));
        LabelPrefix {
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
            && value.len() <= MAX_VERBATIM_BYTES
            && needs_no_escape(value)
            && value.is_ascii()
        {
            push_verbatim_label(name, value, &mut self.labels);
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
        let members = self.points.joined.get(&self.home());
        let members = members.map_or(&[][..], Vec::as_slice);
        // Written where the first of them is.
        (members.first() == Some(&at)).then_some((&self.labels, Members(members)))
    }

    /// The last series on the path that has a value; the metric if none has.
    fn home(&self) -> usize {
        self.path.last().map_or(0, |(home, _)| *home)
    }
}
