//! The families of a snapshot.

use std::io;

use fantail_metrics::{Buckets, Distribution, MetricSettings, MetricSnapshot, Series, Snapshot};

use super::{
    exemplar::{Exemplars, Measure, later},
    exposition::{Exposition, SkipReason},
    family::{Family, Kind, help},
    histogram,
    name::{is_metric_name, name_part},
    points::{PointOrRun, Points},
    samples::{Exemplified, RunPrefix, Samples},
    value::Value,
};
use crate::text::{numbers::write_seconds, rows::RowWriter};

impl<W: io::Write> Exposition<W> {
    /// Writes all metrics of a snapshot in the layout that the [crate
    /// page](crate) describes.
    ///
    /// # Errors
    /// Writing fails.
    pub fn snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let format = self.options().format;
        let field = snapshot.exemplar_field().filter(|_| format.has_exemplars());
        self.exemplars = field.map(Exemplars::of);
        for metric in snapshot.exposed_metrics() {
            self.metric(metric)?;
        }
        // After all others, so that none of them is left out for a native histogram.
        for metric in snapshot.exposed_metrics().filter(|_| format.has_natives()) {
            self.natives(metric)?;
        }
        Ok(())
    }

    fn metric(&mut self, metric: &MetricSnapshot) -> io::Result<()> {
        let settings = metric.settings();
        let name = String::from_utf8_lossy(&settings.name);
        if !is_metric_name(&name) {
            self.leave_out(&name, SkipReason::IllegalName);
            return Ok(());
        }
        let name = format!("{}{name}", self.options().prefix);
        let histogram = histogram_of(settings);
        let form = self.options().format.label_form();
        let points = Points::new(metric, above_buckets(settings), form);
        if let Some((field, buckets)) = histogram {
            let by = format!(" by {}", String::from_utf8_lossy(field));
            let help = help("Events of", settings, &by);
            let family = family(&name, Kind::Histogram, &help, None);
            let exemplars = self.exemplars.clone();
            self.family(&family, |samples| {
                histogram::write(
                    samples,
                    metric,
                    &points,
                    (field, buckets),
                    exemplars.as_ref(),
                )
            })?;
        } else {
            self.events(settings, &points, &name)?;
        }
        for (index, field) in settings.fields.iter().enumerate() {
            // Two families of one number, in two units, are one too many.
            if field == b"duration" {
                let quantized = histogram.map(|(field, _)| field);
                if quantized.is_some_and(|quantized| quantized != b"duration") {
                    self.durations(settings, &points, &name, None)?;
                }
                continue;
            }
            let name = format!("{name}_{}", name_part(field));
            let field = String::from_utf8_lossy(field);
            let sum = format!("Sum of {field} over the events of");
            let help = help(&sum, settings, "");
            let family = family(&name, Kind::Counter, &help, None);
            self.counter(&points, &family, Sum::Field(index), None)?;
        }
        match settings.top.as_ref().zip(metric.top()) {
            Some(top) => self.top(settings, top, &name),
            None => Ok(()),
        }
    }

    /// Writes the number of events and the sum of their durations.
    fn events(
        &mut self,
        settings: &MetricSettings,
        points: &Points<'_>,
        name: &str,
    ) -> io::Result<()> {
        let about = help("Events of", settings, "");
        let count = family(name, Kind::Counter, &about, None);
        self.counter(points, &count, Sum::Events, Some(Measure::Event))?;
        self.durations(settings, points, name, Some(Measure::Duration))
    }

    /// Writes the sum of the durations.
    fn durations(
        &mut self,
        settings: &MetricSettings,
        points: &Points<'_>,
        name: &str,
        of_exemplar: Option<Measure>,
    ) -> io::Result<()> {
        let name = format!("{name}_duration_seconds");
        let about = help("Seconds taken by the events of", settings, "");
        let duration = family(&name, Kind::Counter, &about, Some("seconds"));
        self.counter(points, &duration, Sum::Seconds, of_exemplar)
    }

    fn counter(
        &mut self,
        points: &Points<'_>,
        family: &Family<'_>,
        sum: Sum,
        of_exemplar: Option<Measure>,
    ) -> io::Result<()> {
        let exemplars = self.exemplars.clone().zip(of_exemplar);
        self.family(family, |samples| match &exemplars {
            None if samples.are_alone() => counter_in_runs(points, samples, sum),
            None => points.each(|labels, members| {
                samples.point(labels, sum.value(sum.of_all(points.series(members))))
            }),
            Some((exemplars, measure)) => points.each(|labels, members| {
                let events = points.series(members).map(|series| series.exemplar());
                let exemplar = Exemplified {
                    exemplars,
                    measure: *measure,
                    last: events.fold(None, later),
                };
                let value = sum.value(sum.of_all(points.series(members)));
                samples.point_with(labels, value, exemplar)
            }),
        })
    }
}

/// Writes samples as text without exemplars.
fn counter_in_runs<W: io::Write>(
    points: &Points<'_>,
    samples: &mut Samples<'_, W>,
    sum: Sum,
) -> io::Result<()> {
    let mut prefix: Option<RunPrefix> = None;
    let mut sums = Vec::new();
    points.each_run(|next| match next {
        PointOrRun::Point(labels, members) => {
            samples.point(labels, sum.value(sum.of_all(points.series(members))))
        }
        PointOrRun::Run(above, run) => {
            let before = prefix.take().filter(|prefix| prefix.are_below(above));
            let prefix = prefix.insert(before.unwrap_or_else(|| samples.prefix(above)));
            // Reads all numbers before writing, so that cache misses overlap.
            sums.clear();
            sums.extend(run.each().map(|distributions| sum.of(distributions)));
            samples.points(prefix, &run, &sums, |number, line| {
                sum.write(*number, line);
            })
        }
    })
}

/// The number that a counter has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sum {
    Events,
    Seconds,
    Field(usize),
}

impl Sum {
    /// Returns the number of a series with these distributions.
    #[inline]
    fn of(self, distributions: &[Distribution]) -> u128 {
        let number = match self {
            Self::Events => distributions.first().map(|one| one.count().into()),
            Self::Seconds => distributions.first().map(Distribution::sum),
            Self::Field(index) => distributions.get(index + 1).map(Distribution::sum),
        };
        number.unwrap_or(0)
    }

    pub(super) fn of_all<'a>(self, all: impl Iterator<Item = Series<'a>>) -> u128 {
        all.fold(0_u128, |sum, series| {
            sum.saturating_add(self.of(series.distributions()))
        })
    }

    /// Returns the distribution of the values that are added.
    pub(super) fn distribution(self, distributions: &[Distribution]) -> Option<&Distribution> {
        match self {
            Self::Events | Self::Seconds => distributions.first(),
            Self::Field(index) => distributions.get(index + 1),
        }
    }

    /// Returns the unit of a number in units of the values.
    pub(super) const fn divisor(self) -> f64 {
        match self {
            Self::Seconds => 1e6,
            Self::Events | Self::Field(_) => 1.0,
        }
    }

    pub(super) const fn value(self, number: u128) -> Value {
        match self {
            Self::Seconds => Value::Seconds(number),
            Self::Events | Self::Field(_) => Value::Wide(number),
        }
    }

    #[inline]
    fn write(self, number: u128, line: &mut RowWriter<'_>) {
        match self {
            Self::Seconds => write_seconds(number, line),
            Self::Events | Self::Field(_) => line.wide(number),
        }
    }
}

/// Returns the field and the buckets of a metric that is a histogram: only its
/// last level is quantized.
pub(crate) fn histogram_of(settings: &MetricSettings) -> Option<(&[u8], Buckets)> {
    let (last, above) = settings.group_by.split_last()?;
    let quantized = above.iter().any(|level| level.method.buckets().is_some());
    let buckets = last.method.buckets().filter(|_| !quantized)?;
    Some((&last.field, buckets))
}

/// Returns the number of levels that are labels of samples: all but that of the buckets of a
/// histogram.
pub(super) fn above_buckets(settings: &MetricSettings) -> usize {
    settings.group_by.len() - usize::from(histogram_of(settings).is_some())
}

const fn family<'a>(name: &'a str, kind: Kind, help: &'a str, unit: Option<&'a str>) -> Family<'a> {
    Family {
        name,
        kind,
        help,
        unit,
    }
}
