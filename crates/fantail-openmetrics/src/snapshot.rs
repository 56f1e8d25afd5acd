//! The families of a snapshot.

use std::{borrow::Cow, io};

use fantail_metrics::{
    Buckets, Distribution, Exemplar, MetricSettings, MetricSnapshot, Series, Snapshot,
};

use crate::{
    exemplar::{Exemplars, latest},
    exposition::{Exposition, Family, Kind, Reason},
    format::Format,
    histogram,
    name::{is_metric_name, name_part},
    number::seconds,
    points::points,
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
        let levels = if let Some((field, buckets)) = histogram_of(settings) {
            let help = help("Histogram", settings);
            let family = family(&name, Kind::Histogram, &help, None);
            let exemplars = self.exemplars.clone();
            if let Some(mut samples) = self.begin(&family)? {
                histogram::write(&mut samples, metric, (field, buckets), exemplars.as_ref())?;
            }
            levels - 1
        } else {
            self.events(metric, &name)?;
            levels
        };
        for (index, field) in settings.fields.iter().enumerate() {
            let name = format!("{name}_{}", name_part(field));
            let help = help("Total of field value for events of this kind", settings);
            let family = family(&name, Kind::Counter, &help, None);
            let sum = |series: &Series| series.fields().get(index).map_or(0, Distribution::sum);
            let number = |sum: u128| sum.to_string();
            self.counter(metric, levels, &family, (sum, number), |_| None)?;
        }
        Ok(())
    }

    /// How many events there were, and how long they took.
    fn events(&mut self, metric: &MetricSnapshot, name: &str) -> io::Result<()> {
        let settings = metric.settings();
        let levels = settings.group_by.len();
        let about = help("Total number of all events of this kind", settings);
        let count = family(name, Kind::Counter, &about, None);
        let value = |series: &Series| u128::from(series.duration().count());
        let number = |count: u128| count.to_string();
        let one = |_: &Exemplar| Some("1".to_owned());
        self.counter(metric, levels, &count, (value, number), one)?;

        let name = format!("{name}_duration_seconds");
        let about = help("Total duration of all events of this kind", settings);
        let duration = family(&name, Kind::Counter, &about, Some("seconds"));
        let value = |series: &Series| series.duration().sum();
        let took = |exemplar: &Exemplar| Some(seconds(exemplar.duration.into()));
        self.counter(metric, levels, &duration, (value, seconds), took)
    }

    fn counter(
        &mut self,
        metric: &MetricSnapshot,
        levels: usize,
        family: &Family<'_>,
        (value, number): (impl Fn(&Series) -> u128, impl Fn(u128) -> String),
        of_exemplar: impl Fn(&Exemplar) -> Option<String>,
    ) -> io::Result<()> {
        let exemplars = self.exemplars.clone();
        let Some(mut samples) = self.begin(family)? else {
            return Ok(());
        };
        for point in points(metric, levels) {
            let series = || point.series.iter().filter_map(|branch| branch.first());
            let sum = series().map(&value).fold(0, u128::saturating_add);
            let exemplar = exemplars.as_ref().map(|exemplars| {
                let last = latest(series().filter_map(Series::exemplar));
                exemplars.text(last, &of_exemplar)
            });
            let exemplar = exemplar.unwrap_or_default();
            samples.point_with(&point.labels, &number(sum), &exemplar)?;
        }
        Ok(())
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
