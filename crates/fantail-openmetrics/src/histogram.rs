//! Histograms: a metric whose last level is quantized.

use std::io;

use fantail_metrics::{Buckets, Exemplar, Label, MetricSnapshot, Series};

use crate::{
    exemplar::{Exemplars, latest},
    exposition::{Samples, push_label},
    number::{bound, seconds},
    points::points,
};

/// The values that fell in the buckets of one sample.
struct Observed<'a> {
    /// In each bucket.
    counts: Vec<u64>,
    /// The last event in each.
    exemplars: Vec<Option<&'a Exemplar>>,
    /// Their sum; microseconds for durations.
    sum: i128,
    /// A negative value was among them: such a sum does not only grow.
    negative: bool,
}

pub(crate) fn write<W: io::Write>(
    samples: &mut Samples<'_, W>,
    metric: &MetricSnapshot,
    (field, buckets): (&[u8], Buckets),
    exemplars: Option<&Exemplars>,
) -> io::Result<()> {
    let levels = metric.settings().group_by.len();
    let is_duration = field == b"duration";
    let bounds: Vec<String> = (0..buckets.bounds())
        .filter_map(|bucket| u64::try_from(buckets.upper_bound(bucket)?).ok())
        .map(|value| bound(value, if is_duration { 6 } else { 0 }))
        .chain(["+Inf".to_owned()])
        .collect();
    for point in points(metric, levels - 1) {
        let series = || point.series.iter().copied().flatten();
        let below = || series().filter(|series| series.depth() == levels);
        // One without labels is there from the start, others with a value.
        if levels > 1 && below().all(|series| series.label() == Label::Missing) {
            continue;
        }
        let observed = observe(below(), bounds.len(), is_duration);
        let texts = observed.exemplars.iter().map(|last| {
            let number = |exemplar: &Exemplar| match is_duration {
                true => Some(seconds(exemplar.duration.into())),
                false => exemplar.own.map(|own| own.to_string()),
            };
            exemplars.map_or_else(String::new, |all| all.text(*last, number))
        });
        let bounds = bounds.iter().map(String::as_str).zip(texts);
        write_one(samples, &point.labels, bounds, &observed, is_duration)?;
    }
    Ok(())
}

fn observe<'a>(
    series: impl Iterator<Item = &'a Series>,
    buckets: usize,
    is_duration: bool,
) -> Observed<'a> {
    let mut observed = Observed {
        counts: vec![0; buckets],
        exemplars: vec![None; buckets],
        sum: 0,
        negative: false,
    };
    for series in series {
        let bucket = match series.label() {
            Label::Bucket(bucket) => usize::try_from(bucket).unwrap_or(usize::MAX),
            // Past a limit: somewhere.
            Label::Other => buckets - 1,
            Label::Value(_) | Label::Missing => continue,
        };
        if let Some(count) = observed.counts.get_mut(bucket) {
            *count = count.saturating_add(series.duration().count());
        }
        // One of `other` may belong into any bucket.
        if let (Label::Bucket(_), Some(last)) = (series.label(), observed.exemplars.get_mut(bucket))
        {
            *last = latest(last.iter().copied().chain(series.exemplar()));
        }
        let sum = if is_duration {
            i128::try_from(series.duration().sum()).unwrap_or(i128::MAX)
        } else {
            series.own_sum().unwrap_or(0)
        };
        observed.negative |= sum < 0;
        observed.sum = observed.sum.saturating_add(sum);
    }
    observed
}

fn write_one<'a, W: io::Write>(
    samples: &mut Samples<'_, W>,
    labels: &str,
    bounds: impl Iterator<Item = (&'a str, String)>,
    observed: &Observed<'_>,
    is_duration: bool,
) -> io::Result<()> {
    let mut total = 0_u64;
    for ((bound, exemplar), count) in bounds.zip(&observed.counts) {
        total = total.saturating_add(*count);
        let mut labels = labels.to_owned();
        push_label("le", bound, &mut labels);
        samples.sample_with("_bucket", &labels, &total.to_string(), &exemplar)?;
    }
    let total = total.to_string();
    let sum = u128::try_from(observed.sum)
        .ok()
        .filter(|_| !observed.negative);
    match sum {
        Some(micros) if is_duration => samples.sample("_sum", labels, &seconds(micros))?,
        Some(sum) => samples.sample("_sum", labels, &sum.to_string())?,
        // OpenMetrics has a count only beside a sum.
        None if samples.is_open_metrics() => return samples.created(labels),
        None => {}
    }
    samples.sample("_count", labels, &total)?;
    samples.created(labels)
}
