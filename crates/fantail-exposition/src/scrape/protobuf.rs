//! Scrapes as protobuf: messages `MetricFamily` of `io.prometheus.client`, each after its
//! length.
//!
//! The messages are written by hand. They have few kinds of fields, and those of a series
//! are written at once; a generated type would allocate for each label of each series, and
//! needs a generator.

mod native;

use fantail_event::Timestamp;

use super::{
    encoder::{Encoder, Histogram, Summary},
    family::Kind,
    value::Value,
    wire::{push_bytes, push_double, push_label_pair, push_signed, push_unsigned, push_varint},
};

/// The numbers of the fields of each message, as in `io/prometheus/client/metrics.proto`.
mod field {
    pub(super) mod family {
        pub(in super::super) const NAME: u32 = 1;
        pub(in super::super) const HELP: u32 = 2;
        pub(in super::super) const TYPE: u32 = 3;
        pub(in super::super) const METRIC: u32 = 4;
    }
    pub(super) mod metric {
        pub(in super::super) const GAUGE: u32 = 2;
        pub(in super::super) const COUNTER: u32 = 3;
        pub(in super::super) const SUMMARY: u32 = 4;
        pub(in super::super) const HISTOGRAM: u32 = 7;
    }
    pub(super) mod number {
        pub(in super::super) const VALUE: u32 = 1;
        pub(in super::super) const EXEMPLAR: u32 = 2;
        pub(in super::super) const CREATED: u32 = 3;
    }
    pub(super) mod summary {
        pub(in super::super) const COUNT: u32 = 1;
        pub(in super::super) const SUM: u32 = 2;
        pub(in super::super) const QUANTILE: u32 = 3;
        pub(in super::super) const CREATED: u32 = 4;
    }
    pub(super) mod quantile {
        pub(in super::super) const QUANTILE: u32 = 1;
        pub(in super::super) const VALUE: u32 = 2;
    }
    pub(super) mod histogram {
        pub(in super::super) const COUNT: u32 = 1;
        pub(in super::super) const SUM: u32 = 2;
        pub(in super::super) const BUCKET: u32 = 3;
        pub(in super::super) const CREATED: u32 = 15;
    }
    pub(super) mod bucket {
        pub(in super::super) const CUMULATIVE_COUNT: u32 = 1;
        pub(in super::super) const UPPER_BOUND: u32 = 2;
        pub(in super::super) const EXEMPLAR: u32 = 3;
    }
    pub(super) mod exemplar {
        pub(in super::super) const VALUE: u32 = 2;
        pub(in super::super) const TIME: u32 = 3;
    }
    pub(super) mod time {
        pub(in super::super) const SECONDS: u32 = 1;
        pub(in super::super) const NANOS: u32 = 2;
    }
}

/// The values of `MetricType`.
const fn type_of(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge | Kind::Info => 1,
        Kind::Summary => 2,
        Kind::Histogram => 4,
    }
}

/// The messages of one family.
#[derive(Debug)]
pub(crate) struct Messages {
    kind: Kind,
    /// The fields before the series.
    head: Vec<u8>,
    series: Vec<u8>,
    /// The time when counting began, encoded.
    created: Option<Vec<u8>>,
    /// The buffers of a series and of its number.
    metric: Vec<u8>,
    number: Vec<u8>,
}

impl Messages {
    /// Begins a family with the name that its series have.
    pub(crate) fn new(name: &str, help: &str, kind: Kind, created: Option<Timestamp>) -> Self {
        let mut head = Vec::new();
        push_bytes(field::family::NAME, name.as_bytes(), &mut head);
        push_bytes(field::family::HELP, help.as_bytes(), &mut head);
        push_unsigned(field::family::TYPE, type_of(kind), &mut head);
        let created = created.map(|time| encode_time(time.seconds(), time.subsec_micros()));
        Self {
            kind,
            head,
            series: Vec::new(),
            created,
            metric: Vec::new(),
            number: Vec::new(),
        }
    }

    /// Adds a series with the encoded number in a field.
    fn push(&mut self, labels: &[u8], field: u32) {
        self.metric.clear();
        self.metric.extend_from_slice(labels);
        push_bytes(field, &self.number, &mut self.metric);
        push_bytes(field::family::METRIC, &self.metric, &mut self.series);
    }
}

impl Encoder for Messages {
    fn number(&mut self, labels: &[u8], value: Value, exemplar: Option<&[u8]>) {
        self.number.clear();
        push_double(field::number::VALUE, value.to_f64(), &mut self.number);
        let field = match self.kind {
            Kind::Counter => {
                if let Some(exemplar) = exemplar {
                    push_bytes(field::number::EXEMPLAR, exemplar, &mut self.number);
                }
                if let Some(created) = &self.created {
                    push_bytes(field::number::CREATED, created, &mut self.number);
                }
                field::metric::COUNTER
            }
            Kind::Gauge | Kind::Info | Kind::Histogram | Kind::Summary => field::metric::GAUGE,
        };
        self.push(labels, field);
    }

    fn histogram(&mut self, labels: &[u8], histogram: &Histogram<'_>) {
        let out = &mut self.number;
        out.clear();
        push_unsigned(field::histogram::COUNT, histogram.count, out);
        if let Some(sum) = histogram.sum {
            push_double(field::histogram::SUM, sum.to_f64(), out);
        }
        let mut buffer = Vec::new();
        for bucket in &histogram.buckets {
            buffer.clear();
            let count = bucket.cumulative_count;
            push_unsigned(field::bucket::CUMULATIVE_COUNT, count, &mut buffer);
            push_double(field::bucket::UPPER_BOUND, bucket.bound.number, &mut buffer);
            if let Some(exemplar) = &bucket.exemplar {
                push_bytes(field::bucket::EXEMPLAR, exemplar, &mut buffer);
            }
            push_bytes(field::histogram::BUCKET, &buffer, out);
        }
        if let Some(native) = &histogram.native {
            native::encode(native, out);
        }
        if let Some(created) = &self.created {
            push_bytes(field::histogram::CREATED, created, out);
        }
        self.push(labels, field::metric::HISTOGRAM);
    }

    fn summary(&mut self, labels: &[u8], summary: &Summary) {
        let out = &mut self.number;
        out.clear();
        push_unsigned(field::summary::COUNT, summary.count, out);
        push_double(field::summary::SUM, summary.sum.to_f64(), out);
        let mut buffer = Vec::new();
        for (quantile, _, value) in &summary.quantiles {
            buffer.clear();
            push_double(field::quantile::QUANTILE, *quantile, &mut buffer);
            push_double(field::quantile::VALUE, value.to_f64(), &mut buffer);
            push_bytes(field::summary::QUANTILE, &buffer, out);
        }
        if let Some(created) = &self.created {
            push_bytes(field::summary::CREATED, created, out);
        }
        self.push(labels, field::metric::SUMMARY);
    }

    fn len(&self) -> usize {
        self.series.len()
    }

    /// Writes a message. Readers treat several messages with the same head as one family.
    fn write(&mut self, text: &mut Vec<u8>) {
        push_varint((self.head.len() + self.series.len()) as u64, text);
        text.extend_from_slice(&self.head);
        text.extend_from_slice(&self.series);
        self.series.clear();
    }
}

/// Encodes an exemplar with one label.
pub(crate) fn encode_exemplar(label: (&str, &str), value: f64, unix_micros: u64) -> Vec<u8> {
    const MILLION: u64 = 1_000_000;
    let mut out = Vec::new();
    push_label_pair(label.0, label.1, &mut out);
    push_double(field::exemplar::VALUE, value, &mut out);
    let seconds = (unix_micros / MILLION).cast_signed();
    let micros = u32::try_from(unix_micros % MILLION).unwrap_or(0);
    let time = encode_time(seconds, micros);
    push_bytes(field::exemplar::TIME, &time, &mut out);
    out
}

/// Encodes a `google.protobuf.Timestamp`.
fn encode_time(seconds: i64, micros: u32) -> Vec<u8> {
    let mut out = Vec::new();
    push_signed(field::time::SECONDS, seconds, &mut out);
    push_signed(field::time::NANOS, i64::from(micros) * 1_000, &mut out);
    out
}
