//! The series of a metric that are samples, and their labels.
//!
//! Only series without children are samples: their sum is that of the metric,
//! and no event is counted twice.
//!
//! A label without a value is no label. So a path that ends in empty values and
//! one that ends in a missing value can have the same labels; such series are
//! one sample together.

use std::{collections::HashMap, io};

use fantail_metrics::{
    Label, MetricSnapshot, Series, SeriesList,
    internal::{RunOrSeries, SeriesRun},
};

use super::{
    escape::needs_no_escape,
    labels::{LabelForm, LabelPrefix, push_label, push_verbatim_label},
    name::label_names,
};

/// Longer values may be stored in part; [`Label::text`] handles them.
const MAX_VERBATIM_BYTES: usize = 128;

/// The samples of a metric in the order of its series, with the series `levels`
/// levels below the metric as the innermost ones. Each family of the metric
/// uses the same samples.
#[derive(Debug)]
pub(crate) struct Points<'a> {
    metric: &'a MetricSnapshot,
    levels: usize,
    form: LabelForm,
    names: Vec<String>,
    /// Series that are one sample together, by their [home](Walk::home).
    joined: HashMap<usize, Vec<usize>>,
}

impl<'a> Points<'a> {
    pub(crate) fn new(metric: &'a MetricSnapshot, levels: usize, form: LabelForm) -> Self {
        let mut points = Self {
            metric,
            levels,
            form,
            names: label_names(&metric.settings().group_by),
            joined: HashMap::new(),
        };
        // The metric itself is its own home.
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

    /// Calls `write` for each sample, with its formatted labels and its series.
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

    /// Calls `write` for all samples in the same order, for plain ones in runs. The labels
    /// are text.
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

    /// Returns whether each series of a run is a sample of its own, and its
    /// value needs no escaping.
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

    /// Returns the series of a sample.
    #[inline]
    pub(crate) fn series(&self, members: Members<'_>) -> impl Iterator<Item = Series<'a>> {
        let all = self.metric.series();
        members.0.iter().filter_map(move |at| all.get(*at))
    }

    /// Returns each series of a sample with its descendants.
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

/// The next sample, or a run of samples.
#[derive(Debug)]
pub(crate) enum PointOrRun<'p, 'a> {
    /// One sample: its formatted labels and its series.
    Point(&'p [u8], Members<'p>),
    /// Series that are a sample each; the values of their last labels need no
    /// escaping.
    Run(LabelPrefix<'p>, SeriesRun<'a>),
}

/// The indices of the series that are one sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members<'a>(&'a [usize]);

/// Returns whether the text of a label is not empty.
const fn has_value(label: Label<'_>) -> bool {
    match label {
        Label::Value(value) => !value.is_empty(),
        Label::Bucket(_) | Label::Other => true,
        Label::Missing => false,
    }
}

/// A walk through the series of a metric.
struct Walk<'a> {
    points: &'a Points<'a>,
    /// For each series from the metric down: its home, and the length of its
    /// labels.
    path: Vec<(usize, usize)>,
    labels: Vec<u8>,
    /// The index of the current series.
    here: [usize; 1],
    /// Whether labels are formatted; otherwise the walk only finds homes.
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

    /// Returns the common labels of a run; the walk is at the parent of the
    /// run.
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
        let form = self.points.form;
        if let Label::Value(value) = label
            && form == LabelForm::Text
            && value.len() <= MAX_VERBATIM_BYTES
            && needs_no_escape(value)
            && value.is_ascii()
        {
            push_verbatim_label(name, value, &mut self.labels);
            return;
        }
        if let Some(level) = series.level(self.points.metric.settings()) {
            match label.plain_text() {
                Some(text) => push_label(form, name, text, &mut self.labels),
                None => push_label(form, name, &label.text(level), &mut self.labels),
            }
        }
    }

    /// Goes to the next series; returns the sample that is written there, if
    /// any.
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
        // The sample is written at its first series.
        (members.first() == Some(&at)).then_some((&self.labels, Members(members)))
    }

    /// Returns the home of the current series: the last series on its path with
    /// a value, or the metric itself.
    fn home(&self) -> usize {
        self.path.last().map_or(0, |(home, _)| *home)
    }
}
