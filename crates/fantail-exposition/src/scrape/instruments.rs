//! Instruments that a program updates itself.

use std::io;

use fantail_metrics::{
    Buckets, Distribution, InstrumentFamily, InstrumentSeries, InstrumentSnapshot, InstrumentValue,
    Percentile,
};

use super::{
    bounds::{Bound, bounds},
    encoder::{ClassicBucket, Histogram, Summary},
    exposition::Exposition,
    family::{Family, Kind},
    labels::{LabelForm, push_label},
    samples::Samples,
    value::Value,
};
use crate::text::{decimal::push_whole, numbers::push_seconds};

/// The quantiles of a summary.
const QUANTILES: [(&str, f64, Percentile); 3] = [
    ("0.5", 0.5, Percentile::P50),
    ("0.95", 0.95, Percentile::P95),
    ("0.99", 0.99, Percentile::P99),
];

/// Units that a name may end with.
const UNITS: [&str; 2] = ["seconds", "bytes"];

impl<W: io::Write> Exposition<W> {
    /// Writes the counters, gauges and histograms that a program updates itself; their
    /// names have no prefix. A histogram without buckets is a summary: its quantiles 0.5,
    /// 0.95 and 0.99 are exact up to 480 values and then within 1 %.
    ///
    /// # Errors
    /// Writing fails.
    pub fn instruments(&mut self, snapshot: &InstrumentSnapshot) -> io::Result<()> {
        for instruments in snapshot.families() {
            let Some(first) = instruments.series.first() else {
                continue;
            };
            let unit = UNITS.into_iter().find(|unit| {
                let stem = instruments.name.strip_suffix(unit);
                stem.is_some_and(|stem| stem.ends_with('_'))
            });
            let family = Family {
                name: &instruments.name,
                kind: kind_of(&first.value),
                help: help_of(instruments),
                unit,
            };
            self.family(&family, |samples| {
                let mut series = instruments.series.iter();
                series.try_for_each(|series| write(samples, series))
            })?;
        }
        Ok(())
    }
}

fn help_of(instruments: &InstrumentFamily) -> &str {
    match &*instruments.description {
        "" => "No description",
        description => description,
    }
}

const fn kind_of(value: &InstrumentValue) -> Kind {
    match value {
        InstrumentValue::Counter(_) => Kind::Counter,
        InstrumentValue::Histogram(_) => Kind::Summary,
        InstrumentValue::Buckets(..) => Kind::Histogram,
        _ => Kind::Gauge,
    }
}

fn write<W: io::Write>(samples: &mut Samples<'_, W>, series: &InstrumentSeries) -> io::Result<()> {
    let form = samples.label_form();
    let mut labels = Vec::new();
    for (name, value) in &series.labels {
        push_label(form, name, value, &mut labels);
    }
    match (&series.value, form) {
        (InstrumentValue::Counter(count), _) => samples.point(&labels, Value::Whole(*count)),
        (InstrumentValue::Gauge(value), _) => samples.point(&labels, Value::Float(*value)),
        (InstrumentValue::Histogram(values), LabelForm::Text) => {
            write_summary(samples, labels, values)
        }
        (InstrumentValue::Histogram(values), LabelForm::Protobuf) => {
            samples.summary(&labels, &summary_of(values))
        }
        (InstrumentValue::Buckets(values, buckets, counts), LabelForm::Text) => {
            write_buckets(samples, &labels, *buckets, counts)?;
            write_totals(samples, &labels, values)
        }
        (InstrumentValue::Buckets(values, buckets, counts), LabelForm::Protobuf) => {
            let totals = totals(*buckets, counts);
            samples.histogram(&labels, &histogram_of(values, &totals))
        }
        _ => Ok(()),
    }
}

fn write_summary<W: io::Write>(
    samples: &mut Samples<'_, W>,
    mut labels: Vec<u8>,
    values: &Distribution,
) -> io::Result<()> {
    let length = labels.len();
    let quantiles = values.quantiles();
    for (name, _, percentile) in QUANTILES {
        labels.truncate(length);
        push_label(LabelForm::Text, "quantile", name, &mut labels);
        let value = quantiles.percentile(percentile);
        samples.sample("", &labels, |line| push_seconds(value.into(), line))?;
    }
    labels.truncate(length);
    write_totals(samples, &labels, values)
}

fn write_buckets<W: io::Write>(
    samples: &mut Samples<'_, W>,
    labels: &[u8],
    buckets: Buckets,
    counts: &[u64],
) -> io::Result<()> {
    let mut with_bound = labels.to_owned();
    for (bound, total) in totals(buckets, counts) {
        with_bound.truncate(labels.len());
        push_label(LabelForm::Text, "le", &bound.text, &mut with_bound);
        samples.sample("_bucket", &with_bound, |line| push_whole(total, line))?;
    }
    Ok(())
}

fn write_totals<W: io::Write>(
    samples: &mut Samples<'_, W>,
    labels: &[u8],
    values: &Distribution,
) -> io::Result<()> {
    samples.sample("_sum", labels, |line| push_seconds(values.sum(), line))?;
    samples.sample("_count", labels, |line| push_whole(values.count(), line))?;
    samples.created(labels)
}

/// Returns the bounds of a histogram, with the number of values up to each.
fn totals(buckets: Buckets, counts: &[u64]) -> Vec<(Bound, u64)> {
    let mut total = 0_u64;
    let bounds = bounds(&buckets, true).into_iter().zip(counts);
    let totals = bounds.map(|(bound, count)| {
        total = total.saturating_add(*count);
        (bound, total)
    });
    totals.filter(|(bound, _)| !bound.is_merged).collect()
}

fn summary_of(values: &Distribution) -> Summary {
    let quantiles = values.quantiles();
    let seconds = |percentile| Value::Seconds(quantiles.percentile(percentile).into());
    Summary {
        count: values.count(),
        sum: Value::Seconds(values.sum()),
        quantiles: QUANTILES
            .map(|(text, quantile, percentile)| (quantile, text, seconds(percentile)))
            .to_vec(),
    }
}

fn histogram_of<'b>(values: &Distribution, totals: &'b [(Bound, u64)]) -> Histogram<'b> {
    let buckets = totals.iter();
    let buckets = buckets.map(|(bound, cumulative_count)| ClassicBucket {
        bound,
        cumulative_count: *cumulative_count,
        exemplar: None,
    });
    Histogram {
        count: values.count(),
        sum: Some(Value::Seconds(values.sum())),
        buckets: buckets.collect(),
        native: None,
    }
}
