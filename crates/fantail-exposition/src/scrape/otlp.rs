//! Metrics of OTLP as JSON: lines with one `Metric`.
//!
//! Counters are cumulative monotonic sums, and histograms are cumulative; native ones are
//! exponential histograms. Integers of 64 bits are strings, as the encoding requires.

use std::io::Write as _;

use fantail_event::Timestamp;

use super::{
    encoder::{Encoder, Histogram, Summary},
    family::{Family, Kind},
    native_buckets::{NativeBuckets, SCHEMA, ZERO_THRESHOLD},
    value::Value,
    wire::label_pairs,
};
use crate::text::numbers::push_json_float;

/// The points of one family.
#[derive(Debug)]
pub(super) struct OtlpMetrics {
    /// The name, the description and the unit.
    head: Vec<u8>,
    kind: Kind,
    /// Whether the points are exponential histograms.
    is_exponential: bool,
    /// The fields of the times of a point that is counted from the start, and of others.
    counted: String,
    current: String,
    points: Vec<u8>,
}

impl OtlpMetrics {
    /// Begins a family with the name that its series have; the times are those of the start
    /// and of the points.
    pub(super) fn new(
        family: &Family<'_>,
        name: &str,
        (created, time): (Option<Timestamp>, Timestamp),
    ) -> Self {
        let mut head = br#"{"name":"#.to_vec();
        push_string(name.as_bytes(), &mut head);
        head.extend_from_slice(br#","description":"#);
        push_string(family.help.as_bytes(), &mut head);
        // The codes of UCUM.
        let unit = match family.unit {
            Some("seconds") => "s",
            Some("bytes") => "By",
            _ => "",
        };
        head.extend_from_slice(br#","unit":"#);
        push_string(unit.as_bytes(), &mut head);
        let nanos = |time: Timestamp| i128::from(time.unix_micros()) * 1_000;
        let current = format!(r#""timeUnixNano":"{}""#, nanos(time));
        let counted = match created {
            Some(created) => format!(r#""startTimeUnixNano":"{}",{current}"#, nanos(created)),
            None => current.clone(),
        };
        Self {
            head,
            kind: family.kind,
            is_exponential: false,
            counted,
            current,
            points: Vec::new(),
        }
    }

    /// Begins a point with its labels and times.
    fn begin(&mut self, labels: &[u8]) {
        if !self.points.is_empty() {
            self.points.push(b',');
        }
        self.points.extend_from_slice(br#"{"attributes":["#);
        for (at, (name, value)) in label_pairs(labels).enumerate() {
            if at > 0 {
                self.points.push(b',');
            }
            self.points.extend_from_slice(br#"{"key":"#);
            push_string(name, &mut self.points);
            self.points
                .extend_from_slice(br#","value":{"stringValue":"#);
            push_string(value, &mut self.points);
            self.points.extend_from_slice(b"}}");
        }
        self.points.extend_from_slice(b"],");
        let times = match self.kind {
            Kind::Gauge | Kind::Info => &self.current,
            Kind::Counter | Kind::Histogram | Kind::Summary => &self.counted,
        };
        self.points.extend_from_slice(times.as_bytes());
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.points.write_fmt(text);
        debug_assert!(written.is_ok(), "a vector takes any text");
    }

    fn push_sum(&mut self, count: u64, sum: Option<Value>) {
        self.push(format_args!(r#","count":"{count}""#));
        if let Some(sum) = sum {
            self.points.extend_from_slice(br#","sum":"#);
            push_json_float(sum.to_f64(), &mut self.points);
        }
    }

    /// Adds the buckets of an exponential histogram, from the first to the last one that is
    /// not empty. The bucket with the offset `index` ends at 2^((index + 1)/8).
    fn push_exponential(&mut self, native: &NativeBuckets) {
        let zeros = native.zeros;
        self.push(format_args!(
            r#","scale":{SCHEMA},"zeroThreshold":{ZERO_THRESHOLD:e},"zeroCount":"{zeros}""#
        ));
        let ends = native.counts.keys().next().zip(native.counts.keys().last());
        let Some((&first, &last)) = ends else {
            return;
        };
        let offset = first - 1;
        self.push(format_args!(r#","positive":{{"offset":{offset}"#));
        let counts = (first..=last).map(|at| native.counts.get(&at).copied().unwrap_or(0));
        self.push_counts(counts);
        self.points.push(b'}');
    }

    fn push_counts(&mut self, counts: impl Iterator<Item = u64>) {
        self.points.extend_from_slice(br#","bucketCounts":["#);
        for (at, count) in counts.enumerate() {
            let comma = if at > 0 { "," } else { "" };
            self.push(format_args!(r#"{comma}"{count}""#));
        }
        self.points.push(b']');
    }

    fn push_buckets(&mut self, histogram: &Histogram<'_>) {
        let buckets = &histogram.buckets;
        let before = [0]
            .into_iter()
            .chain(buckets.iter().map(|one| one.cumulative_count));
        let counts = buckets.iter().zip(before);
        self.push_counts(counts.map(|(one, before)| one.cumulative_count - before));
        self.points.extend_from_slice(br#","explicitBounds":["#);
        let bounds = buckets.iter().map(|bucket| bucket.bound.number);
        for (at, bound) in bounds.filter(|bound| bound.is_finite()).enumerate() {
            if at > 0 {
                self.points.push(b',');
            }
            push_json_float(bound, &mut self.points);
        }
        self.points.push(b']');
    }
}

impl Encoder for OtlpMetrics {
    fn number(&mut self, labels: &[u8], value: Value, _exemplar: Option<&[u8]>) {
        self.begin(labels);
        let whole = match value {
            Value::Whole(number) => i64::try_from(number).ok(),
            Value::Wide(number) => i64::try_from(number).ok(),
            Value::Signed(number) => Some(number),
            Value::Seconds(_) | Value::Float(_) => None,
        };
        match whole {
            Some(number) => self.push(format_args!(r#","asInt":"{number}"}}"#)),
            None => {
                self.points.extend_from_slice(br#","asDouble":"#);
                push_json_float(value.to_f64(), &mut self.points);
                self.points.push(b'}');
            }
        }
    }

    fn histogram(&mut self, labels: &[u8], histogram: &Histogram<'_>) {
        self.begin(labels);
        self.push_sum(histogram.count, histogram.sum);
        // A family has histograms of one kind.
        self.is_exponential = histogram.native.is_some();
        match &histogram.native {
            Some(native) => self.push_exponential(native),
            None => self.push_buckets(histogram),
        }
        self.points.push(b'}');
    }

    fn summary(&mut self, labels: &[u8], summary: &Summary) {
        self.begin(labels);
        self.push_sum(summary.count, Some(summary.sum));
        self.points.extend_from_slice(br#","quantileValues":["#);
        for (at, (_, quantile, value)) in summary.quantiles.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            self.push(format_args!(r#"{comma}{{"quantile":{quantile},"value":"#));
            push_json_float(value.to_f64(), &mut self.points);
            self.points.push(b'}');
        }
        self.points.extend_from_slice(b"]}");
    }

    fn len(&self) -> usize {
        self.points.len()
    }

    fn write(&mut self, text: &mut Vec<u8>) {
        const CUMULATIVE: &str = r#""aggregationTemporality":2,"#;
        let (data, temporality) = match self.kind {
            Kind::Counter => ("sum", [CUMULATIVE, r#""isMonotonic":true,"#].concat()),
            Kind::Gauge | Kind::Info => ("gauge", String::new()),
            Kind::Histogram if self.is_exponential => {
                ("exponentialHistogram", CUMULATIVE.to_owned())
            }
            Kind::Histogram => ("histogram", CUMULATIVE.to_owned()),
            Kind::Summary => ("summary", String::new()),
        };
        text.extend_from_slice(&self.head);
        let parts = [",\"", data, "\":{", &temporality, "\"dataPoints\":["];
        parts
            .iter()
            .for_each(|part| text.extend_from_slice(part.as_bytes()));
        text.append(&mut self.points);
        text.extend_from_slice(b"]}}\n");
    }
}

/// Appends a string; bytes that are not UTF-8 are replaced.
fn push_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
            '\0'..='\u{1f}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}
