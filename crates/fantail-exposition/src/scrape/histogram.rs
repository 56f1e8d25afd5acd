//! Histograms of metrics whose last level is quantized.

use std::io;

use fantail_metrics::{Buckets, Exemplar, Label, MetricSnapshot, Series, SeriesList};

use super::{
    bounds::{Bound, bounds},
    encoder::{ClassicBucket, Histogram},
    exemplar::{Exemplars, Measure, later},
    labels::{LabelForm, push_label},
    points::Points,
    samples::Samples,
    value::Value,
};
use crate::text::{
    decimal::{push_whole, push_wide},
    numbers::push_seconds,
};

/// The values in the buckets of one sample.
struct Observed<'a> {
    /// The number of values in each bucket.
    counts: Vec<u64>,
    /// The last event in each bucket; empty without exemplars.
    last: Vec<Option<&'a Exemplar>>,
    /// The sum of the values; microseconds for durations.
    sum: i128,
    /// Whether a value is negative: then the sum does not only grow.
    negative: bool,
}

pub(crate) fn write<W: io::Write>(
    samples: &mut Samples<'_, W>,
    metric: &MetricSnapshot,
    points: &Points<'_>,
    (field, buckets): (&[u8], Buckets),
    exemplars: Option<&Exemplars>,
) -> io::Result<()> {
    let levels = metric.settings().group_by.len();
    let is_duration = field == b"duration";
    let bounds = bounds(&buckets, is_duration);
    let is_protobuf = samples.label_form() == LabelForm::Protobuf;
    points.each(|labels, members| {
        let mut observed = Observed::none(bounds.len(), exemplars.is_some());
        // A histogram without labels exists from the start, others with their
        // first value.
        let mut any = levels == 1;
        for series in points.branches(members).flat_map(SeriesList::iter) {
            if series.depth() == levels {
                any |= series.label() != Label::Missing;
                observed.add(series, is_duration);
            }
        }
        if !any {
            return Ok(());
        }
        if !is_protobuf {
            return observed.write(samples, labels, &bounds, is_duration, exemplars);
        }
        samples.histogram(
            labels,
            &observed.to_histogram(&bounds, is_duration, exemplars),
        )
    })
}

impl<'a> Observed<'a> {
    fn none(buckets: usize, exemplars: bool) -> Self {
        Self {
            counts: vec![0; buckets],
            last: vec![None; if exemplars { buckets } else { 0 }],
            sum: 0,
            negative: false,
        }
    }

    fn add(&mut self, series: Series<'a>, is_duration: bool) {
        let bucket = match series.label() {
            Label::Bucket(bucket) => usize::try_from(bucket).unwrap_or(usize::MAX),
            // Values above a limit may be in any bucket.
            Label::Other => self.counts.len() - 1,
            Label::Value(_) | Label::Missing => return,
        };
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(series.duration().count());
        }
        // An exemplar of `other` may be of any bucket.
        if let (Label::Bucket(_), Some(last)) = (series.label(), self.last.get_mut(bucket)) {
            *last = later(*last, series.exemplar());
        }
        let sum = if is_duration {
            i128::try_from(series.duration().sum()).unwrap_or(i128::MAX)
        } else {
            series.own_sum().unwrap_or(0)
        };
        self.negative |= sum < 0;
        self.sum = self.sum.saturating_add(sum);
    }

    fn write<W: io::Write>(
        &self,
        samples: &mut Samples<'_, W>,
        labels: &[u8],
        bounds: &[Bound],
        is_duration: bool,
        exemplars: Option<&Exemplars>,
    ) -> io::Result<()> {
        let measure = match is_duration {
            true => Measure::Duration,
            false => Measure::Own,
        };
        let (mut total, mut last) = (0_u64, None);
        let mut with_bound = labels.to_owned();
        for (at, (bound, count)) in bounds.iter().zip(&self.counts).enumerate() {
            total = total.saturating_add(*count);
            last = later(last, self.last.get(at).copied().flatten());
            if bound.is_merged {
                continue;
            }
            with_bound.truncate(labels.len());
            push_label(LabelForm::Text, "le", &bound.text, &mut with_bound);
            samples.sample("_bucket", &with_bound, |line| {
                push_whole(total, line);
                if let Some(exemplars) = exemplars {
                    exemplars.push(last, measure, line);
                }
            })?;
            last = None;
        }
        let sum = u128::try_from(self.sum).ok().filter(|_| !self.negative);
        let push = if is_duration { push_seconds } else { push_wide };
        match sum {
            Some(sum) => samples.sample("_sum", labels, |line| push(sum, line))?,
            // OpenMetrics has no count without a sum.
            None if samples.is_open_metrics() => return samples.created(labels),
            None => {}
        }
        samples.sample("_count", labels, |line| push_whole(total, line))?;
        samples.created(labels)
    }

    /// Returns the values as one message, without native buckets.
    fn to_histogram<'b>(
        &self,
        bounds: &'b [Bound],
        is_duration: bool,
        exemplars: Option<&Exemplars>,
    ) -> Histogram<'b> {
        let measure = match is_duration {
            true => Measure::Duration,
            false => Measure::Own,
        };
        let (mut total, mut last) = (0_u64, None);
        let mut buckets = Vec::new();
        for (at, (bound, count)) in bounds.iter().zip(&self.counts).enumerate() {
            total = total.saturating_add(*count);
            last = later(last, self.last.get(at).copied().flatten());
            if bound.is_merged {
                continue;
            }
            let exemplar = exemplars.and_then(|exemplars| exemplars.encode(last, measure));
            last = None;
            buckets.push(ClassicBucket {
                bound,
                cumulative_count: total,
                exemplar,
            });
        }
        let sum = u128::try_from(self.sum).ok().filter(|_| !self.negative);
        let value = sum.map(|sum| match is_duration {
            true => Value::Seconds(sum),
            false => Value::Wide(sum),
        });
        Histogram {
            count: total,
            sum: value,
            buckets,
            native: None,
        }
    }
}
