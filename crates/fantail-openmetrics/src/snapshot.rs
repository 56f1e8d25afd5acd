//! The families of a snapshot.

use std::{borrow::Cow, io};

use fantail_metrics::{
    Buckets, Distribution, MetricSettings, MetricSnapshot, Series, Snapshot, decimal::push_wide,
};

use crate::{
    exemplar::{Exemplars, Measure, later},
    exposition::{Exposition, Family, Kind, Reason},
    format::Format,
    histogram,
    name::{is_metric_name, name_part},
    number::push_seconds,
    points::Points,
};

impl<W: io::Write> Exposition<W> {
    /// Writes all metrics of a snapshot: the layout is described at the
    /// [top](crate).
    ///
    /// # Errors
    /// Writing fails.
    pub fn snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let open = self.options().format == Format::OpenMetrics;
        let field = snapshot.exemplar_field().filter(|_| open);
        self.exemplars = field.map(Exemplars::of);
        for metric in snapshot.metrics() {
            self.metric(metric)?;
        }
        Ok(())
    }

    fn metric(&mut self, metric: &MetricSnapshot) -> io::Result<()> {
        let settings = metric.settings();
        let name = String::from_utf8_lossy(&settings.name);
        if !is_metric_name(&name) {
            self.leave_out(&name, Reason::IllegalName);
            return Ok(());
        }
        let name = format!("{}{name}", self.options().prefix);
        let levels = settings.group_by.len();
        let histogram = histogram_of(settings);
        let points = Points::new(metric, levels - usize::from(histogram.is_some()));
        if let Some((field, buckets)) = histogram {
            let help = help("Histogram", settings);
            let family = family(&name, Kind::Histogram, &help, None);
            let exemplars = self.exemplars.clone();
            if let Some(mut samples) = self.begin(&family)? {
                let quantized = (field, buckets);
                histogram::write(&mut samples, metric, &points, quantized, exemplars.as_ref())?;
            }
        } else {
            self.events(settings, &points, &name)?;
        }
        for (index, field) in settings.fields.iter().enumerate() {
            let name = format!("{name}_{}", name_part(field));
            let help = help("Total of field value for events of this kind", settings);
            let family = family(&name, Kind::Counter, &help, None);
            let sum = |series: &Series<'_>| series.fields().get(index).map_or(0, Distribution::sum);
            self.counter(&points, &family, (sum, push_wide), None)?;
        }
        Ok(())
    }

    /// How many events there were, and how long they took.
    fn events(
        &mut self,
        settings: &MetricSettings,
        points: &Points<'_>,
        name: &str,
    ) -> io::Result<()> {
        let about = help("Total number of all events of this kind", settings);
        let count = family(name, Kind::Counter, &about, None);
        let value = |series: &Series<'_>| u128::from(series.duration().count());
        self.counter(points, &count, (value, push_wide), Some(Measure::Event))?;

        let name = format!("{name}_duration_seconds");
        let about = help("Total duration of all events of this kind", settings);
        let duration = family(&name, Kind::Counter, &about, Some("seconds"));
        let value = |series: &Series<'_>| series.duration().sum();
        self.counter(
            points,
            &duration,
            (value, push_seconds),
            Some(Measure::Duration),
        )
    }

    fn counter(
        &mut self,
        points: &Points<'_>,
        family: &Family<'_>,
        (value, push): (impl Fn(&Series<'_>) -> u128, impl Fn(u128, &mut Vec<u8>)),
        of_exemplar: Option<Measure>,
    ) -> io::Result<()> {
        let exemplars = self.exemplars.clone().zip(of_exemplar);
        let Some(mut samples) = self.begin(family)? else {
            return Ok(());
        };
        points.each(|labels, members| {
            let (mut sum, mut last) = (0_u128, None);
            for series in points.series(members) {
                sum = sum.saturating_add(value(&series));
                if exemplars.is_some() {
                    last = later(last, series.exemplar());
                }
            }
            samples.point(labels, |line| {
                push(sum, line);
                if let Some((exemplars, measure)) = &exemplars {
                    exemplars.push(last, *measure, line);
                }
            })
        })
    }
}

/// The field and the buckets of a metric that is a histogram: its last level
/// is quantized, and no other.
pub(crate) fn histogram_of(settings: &MetricSettings) -> Option<(&[u8], Buckets)> {
    let (last, above) = settings.group_by.split_last()?;
    let quantized = above.iter().any(|level| level.method.buckets().is_some());
    let buckets = last.method.buckets().filter(|_| !quantized)?;
    Some((&last.field, buckets))
}

const fn family<'a>(name: &'a str, kind: Kind, help: &'a str, unit: Option<&'a str>) -> Family<'a> {
    Family {
        name,
        kind,
        help,
        unit,
    }
}

/// As Dovecot puts it: with the description, if there is one.
fn help<'a>(what: &'a str, settings: &MetricSettings) -> Cow<'a, str> {
    if settings.description.is_empty() {
        return Cow::Borrowed(what);
    }
    let description = String::from_utf8_lossy(&settings.description);
    Cow::Owned(format!("{what} of {description}"))
}
