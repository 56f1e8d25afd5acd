//! Native histograms of a metric, under the names of the sums of the same values.

use std::io;

use fantail_metrics::MetricSnapshot;

use super::{
    encoder::Histogram,
    exposition::Exposition,
    family::{Family, Kind, help},
    name::{is_metric_name, name_part},
    native_buckets::NativeBuckets,
    points::Points,
    snapshot::{Sum, above_buckets},
};

impl<W: io::Write> Exposition<W> {
    /// Writes a native histogram of the durations, and one of each field.
    pub(super) fn natives(&mut self, metric: &MetricSnapshot) -> io::Result<()> {
        let settings = metric.settings();
        let name = String::from_utf8_lossy(&settings.name);
        if !is_metric_name(&name) {
            return Ok(());
        }
        let name = format!("{}{name}", self.options().prefix);
        let points = Points::new(
            metric,
            above_buckets(settings),
            self.options().format.label_form(),
        );
        let durations = help("Durations of the events of", settings, "");
        let of_durations = format!("{name}_duration_seconds");
        self.native(&points, (&of_durations, &durations), Sum::Seconds)?;
        for (index, field) in settings.fields.iter().enumerate() {
            if field != b"duration" {
                let about = format!("Values of {} in the events of", field.escape_ascii());
                let of_field = format!("{name}_{}", name_part(field));
                let about = help(&about, settings, "");
                self.native(&points, (&of_field, &about), Sum::Field(index))?;
            }
        }
        Ok(())
    }

    fn native(
        &mut self,
        points: &Points<'_>,
        (name, help): (&str, &str),
        sum: Sum,
    ) -> io::Result<()> {
        let family = Family {
            name,
            kind: Kind::Histogram,
            help,
            unit: matches!(sum, Sum::Seconds).then_some("seconds"),
        };
        self.native_family(&family, |samples| {
            points.each(|labels, members| {
                let mut native = NativeBuckets::default();
                for series in points.series(members) {
                    if let Some(distribution) = sum.distribution(series.distributions()) {
                        native.add(distribution, sum.divisor());
                    }
                }
                let value = sum.value(sum.of_all(points.series(members)));
                let histogram = Histogram {
                    count: native.count(),
                    sum: Some(value),
                    buckets: Vec::new(),
                    native: Some(native),
                };
                samples.histogram(labels, &histogram)
            })
        })
    }
}
