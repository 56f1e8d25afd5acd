//! Remote write 1.0: fields of the message `prometheus.WriteRequest`.
//!
//! Each series is a `TimeSeries` with one sample, its labels in the order of their names, as
//! the protocol requires. Histograms and summaries are several series, with the names and
//! bounds of Prometheus text.

use fantail_event::Timestamp;

use super::{
    encoder::{Encoder, Histogram, Summary},
    family::{Family, Kind},
    value::Value,
    wire::{label_pairs, push_bytes, push_double, push_signed, push_unsigned},
};

/// The numbers of the fields of each message, as in `prometheus/prompb`.
mod field {
    pub(super) mod request {
        pub(in super::super) const SERIES: u32 = 1;
        pub(in super::super) const METADATA: u32 = 3;
    }
    pub(super) mod series {
        pub(in super::super) const LABEL: u32 = 1;
        pub(in super::super) const SAMPLE: u32 = 2;
    }
    pub(super) mod label {
        pub(in super::super) const NAME: u32 = 1;
        pub(in super::super) const VALUE: u32 = 2;
    }
    pub(super) mod sample {
        pub(in super::super) const VALUE: u32 = 1;
        pub(in super::super) const MILLIS: u32 = 2;
    }
    pub(super) mod metadata {
        pub(in super::super) const TYPE: u32 = 1;
        pub(in super::super) const NAME: u32 = 2;
        pub(in super::super) const HELP: u32 = 4;
        pub(in super::super) const UNIT: u32 = 5;
    }
}

/// The values of `MetricMetadata.MetricType`. An info is a gauge, as in Prometheus text.
const fn type_of(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 1,
        Kind::Gauge | Kind::Info => 2,
        Kind::Histogram => 3,
        Kind::Summary => 5,
    }
}

/// A label that is not encoded.
type LabelBytes<'l> = (&'l [u8], &'l [u8]);

/// The series of one family.
#[derive(Debug)]
pub(super) struct TimeSeries {
    name: String,
    /// The labels of all series.
    labels: Vec<(String, String)>,
    millis: i64,
    /// The metadata, until there is a series.
    metadata: Vec<u8>,
    series: Vec<u8>,
    /// The buffers of a series and of its part.
    one: Vec<u8>,
    part: Vec<u8>,
}

impl TimeSeries {
    /// Begins a family whose series have this name and these labels besides their own.
    pub(super) fn new(
        family: &Family<'_>,
        name: &str,
        labels: &[(String, String)],
        time: Timestamp,
    ) -> Self {
        let mut about = Vec::new();
        push_unsigned(field::metadata::TYPE, type_of(family.kind), &mut about);
        push_bytes(field::metadata::NAME, name.as_bytes(), &mut about);
        push_bytes(field::metadata::HELP, family.help.as_bytes(), &mut about);
        if let Some(unit) = family.unit {
            push_bytes(field::metadata::UNIT, unit.as_bytes(), &mut about);
        }
        let mut metadata = Vec::new();
        push_bytes(field::request::METADATA, &about, &mut metadata);
        Self {
            name: name.to_owned(),
            labels: labels.to_vec(),
            millis: time.unix_micros().div_euclid(1_000),
            metadata,
            series: Vec::new(),
            one: Vec::new(),
            part: Vec::new(),
        }
    }

    /// Adds a series; its name ends with the suffix, and it may have one more label.
    fn push(&mut self, suffix: &str, labels: &[u8], more: Option<(&str, &str)>, value: Value) {
        let name = [self.name.as_str(), suffix].concat();
        let mut all: Vec<LabelBytes<'_>> = vec![(b"__name__", name.as_bytes())];
        let common = self.labels.iter();
        all.extend(common.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        all.extend(more.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let renamed = self.renamed(labels);
        let own = label_pairs(labels).enumerate();
        all.extend(own.map(|(at, (name, value))| match renamed.get(at) {
            Some(Some(renamed)) => (renamed.as_bytes(), value),
            _ => (name, value),
        }));
        all.sort_unstable();
        self.one.clear();
        for (name, value) in all {
            self.part.clear();
            push_bytes(field::label::NAME, name, &mut self.part);
            push_bytes(field::label::VALUE, value, &mut self.part);
            push_bytes(field::series::LABEL, &self.part, &mut self.one);
        }
        self.part.clear();
        push_double(field::sample::VALUE, value.to_f64(), &mut self.part);
        push_signed(field::sample::MILLIS, self.millis, &mut self.part);
        push_bytes(field::series::SAMPLE, &self.part, &mut self.one);
        self.series.append(&mut self.metadata);
        push_bytes(field::request::SERIES, &self.one, &mut self.series);
    }

    /// Returns another name for each label that has the name of a common one; nothing if
    /// there is none.
    fn renamed(&self, labels: &[u8]) -> Vec<Option<String>> {
        let is_common = |name: &[u8]| self.labels.iter().any(|(one, _)| one.as_bytes() == name);
        if !label_pairs(labels).any(|(name, _)| is_common(name)) {
            return Vec::new();
        }
        let is_own = |free: &str| label_pairs(labels).any(|(name, _)| name == free.as_bytes());
        let renamed = label_pairs(labels).map(|(name, _)| {
            is_common(name).then(|| {
                let name = String::from_utf8_lossy(name);
                let mut free = format!("exported_{name}");
                while is_own(&free) || is_common(free.as_bytes()) {
                    free.insert_str(0, "exported_");
                }
                free
            })
        });
        renamed.collect()
    }
}

impl Encoder for TimeSeries {
    fn number(&mut self, labels: &[u8], value: Value, _exemplar: Option<&[u8]>) {
        self.push("", labels, None, value);
    }

    fn histogram(&mut self, labels: &[u8], histogram: &Histogram<'_>) {
        for bucket in &histogram.buckets {
            let bound = Some(("le", bucket.bound.text.as_str()));
            let count = Value::Whole(bucket.cumulative_count);
            self.push("_bucket", labels, bound, count);
        }
        if let Some(sum) = histogram.sum {
            self.push("_sum", labels, None, sum);
        }
        self.push("_count", labels, None, Value::Whole(histogram.count));
    }

    fn summary(&mut self, labels: &[u8], summary: &Summary) {
        for (_, text, value) in &summary.quantiles {
            self.push("", labels, Some(("quantile", text)), *value);
        }
        self.push("_sum", labels, None, summary.sum);
        self.push("_count", labels, None, Value::Whole(summary.count));
    }

    fn len(&self) -> usize {
        self.series.len()
    }

    fn write(&mut self, text: &mut Vec<u8>) {
        text.append(&mut self.series);
    }
}
