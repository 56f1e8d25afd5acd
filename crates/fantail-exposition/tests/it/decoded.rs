//! A reader of the protobuf format, written from its definition.

use std::collections::BTreeMap;

/// The contents of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contents<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Contents<'a> {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            other => panic!("{other:?} is no varint"),
        }
    }

    fn zigzag(self) -> i64 {
        let number = self.number();
        (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
    }

    pub(crate) fn double(self) -> f64 {
        match self {
            Self::Double(number) => number,
            other => panic!("{other:?} is no double"),
        }
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("{other:?} has no length"),
        }
    }

    pub(crate) fn text(self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }
}

fn varint(from: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().unwrap();
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return number;
        }
    }
    panic!("a varint of more than ten bytes");
}

fn take<'a>(from: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = from.split_at(length);
    *from = rest;
    taken
}

/// Returns the number and contents of each field of a message.
pub(crate) fn fields(mut message: &[u8]) -> Vec<(u64, Contents<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let contents = match key & 7 {
            0 => Contents::Number(varint(&mut message)),
            1 => {
                let bytes = take(&mut message, 8).try_into().unwrap();
                Contents::Double(f64::from_le_bytes(bytes))
            }
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                Contents::Bytes(take(&mut message, length))
            }
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, contents));
    }
    fields
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Family {
    pub(crate) kind: u64,
    pub(crate) metrics: Vec<Metric>,
    /// The number of messages that the family is in.
    pub(crate) messages: usize,
}

pub(crate) type Labels = Vec<(String, String)>;

#[derive(Debug, Default, Clone)]
pub(crate) struct Metric {
    pub(crate) labels: Labels,
    pub(crate) number: Option<f64>,
    pub(crate) histogram: Option<Histogram>,
    pub(crate) summary: Option<Summary>,
    pub(crate) created: Option<(u64, u64)>,
    pub(crate) exemplar: Option<Exemplar>,
}

#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// Quantiles and their values.
    pub(crate) quantiles: Vec<(f64, f64)>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Histogram {
    pub(crate) count: u64,
    pub(crate) sum: Option<f64>,
    /// The upper bound and the cumulative count of each bucket.
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) exemplars: Vec<Exemplar>,
    pub(crate) native: Option<Native>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) label: Labels,
    pub(crate) value: f64,
    pub(crate) time: (u64, u64),
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Native {
    pub(crate) schema: i64,
    pub(crate) zeros: u64,
    pub(crate) counts: BTreeMap<i64, u64>,
}

impl Native {
    /// Returns the number of values up to each upper bound.
    pub(crate) fn cumulative(&self) -> Vec<(f64, u64)> {
        let per_octave = 2_f64.powi(i32::try_from(self.schema).unwrap());
        let mut sum = self.zeros;
        let bounds = self.counts.iter().map(|(index, count)| {
            sum += count;
            (2_f64.powf(*index as f64 / per_octave), sum)
        });
        std::iter::once((0.0, self.zeros)).chain(bounds).collect()
    }
}

/// Returns the families of an answer by name.
pub(crate) fn read(mut answer: &[u8]) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    while !answer.is_empty() {
        let length = usize::try_from(varint(&mut answer)).unwrap();
        let message = fields(take(&mut answer, length));
        let find = |wanted| message.iter().find(|(number, _)| *number == wanted);
        let name = find(1).unwrap().1.text();
        assert!(find(2).is_some(), "{name} has no help");
        let family = families.entry(name).or_default();
        family.kind = find(3).unwrap().1.number();
        family.messages += 1;
        let metrics = message.iter().filter(|(number, _)| *number == 4);
        family
            .metrics
            .extend(metrics.map(|(_, one)| metric(one.bytes())));
    }
    families
}

fn metric(message: &[u8]) -> Metric {
    let mut metric = Metric::default();
    for (number, contents) in fields(message) {
        match number {
            1 => metric.labels.push(label(contents.bytes())),
            2 | 3 => {
                for (number, contents) in fields(contents.bytes()) {
                    match number {
                        1 => metric.number = Some(contents.double()),
                        2 => metric.exemplar = Some(exemplar(contents.bytes())),
                        3 => metric.created = Some(time(contents.bytes())),
                        other => panic!("field {other}"),
                    }
                }
            }
            4 => metric.summary = Some(summary(contents.bytes())),
            7 => {
                let (histogram, created) = histogram(contents.bytes());
                (metric.histogram, metric.created) = (Some(histogram), created);
            }
            other => panic!("field {other}"),
        }
    }
    metric
}

pub(crate) fn label(message: &[u8]) -> (String, String) {
    match fields(message)[..] {
        [(1, name), (2, value)] => (name.text(), value.text()),
        ref other => panic!("{other:?} is no label"),
    }
}

fn time(message: &[u8]) -> (u64, u64) {
    match fields(message)[..] {
        [(1, seconds), (2, nanos)] => (seconds.number(), nanos.number()),
        ref other => panic!("{other:?} is no time"),
    }
}

fn exemplar(message: &[u8]) -> Exemplar {
    match fields(message)[..] {
        [(1, one), (2, value), (3, at)] => Exemplar {
            label: vec![label(one.bytes())],
            value: value.double(),
            time: time(at.bytes()),
        },
        ref other => panic!("{other:?} is no exemplar"),
    }
}

fn summary(message: &[u8]) -> Summary {
    let mut summary = Summary::default();
    for (number, contents) in fields(message) {
        match number {
            1 => summary.count = contents.number(),
            2 => summary.sum = contents.double(),
            3 => match fields(contents.bytes())[..] {
                [(1, quantile), (2, value)] => {
                    summary.quantiles.push((quantile.double(), value.double()));
                }
                ref other => panic!("{other:?} is no quantile"),
            },
            other => panic!("field {other}"),
        }
    }
    summary
}

fn histogram(message: &[u8]) -> (Histogram, Option<(u64, u64)>) {
    let mut histogram = Histogram::default();
    let mut created = None;
    let mut native = Native::default();
    let mut has_threshold = false;
    let (mut spans, mut deltas) = (Vec::new(), Vec::new());
    for (number, contents) in fields(message) {
        match number {
            1 => histogram.count = contents.number(),
            2 => histogram.sum = Some(contents.double()),
            3 => {
                let bucket = fields(contents.bytes());
                let (count, bound) = (bucket[0].1.number(), bucket[1].1.double());
                histogram.buckets.push((bound, count));
                let exemplars = bucket[2..].iter();
                let exemplars = exemplars.map(|(_, one)| exemplar(one.bytes()));
                histogram.exemplars.extend(exemplars);
            }
            5 => native.schema = contents.zigzag(),
            6 => has_threshold = contents.double() > 0.0,
            7 => native.zeros = contents.number(),
            12 => {
                let span = fields(contents.bytes());
                spans.push((span[0].1.zigzag(), span[1].1.number()));
            }
            13 => deltas.push(contents.zigzag()),
            15 => created = Some(time(contents.bytes())),
            other => panic!("field {other}"),
        }
    }
    let mut deltas = deltas.into_iter();
    let (mut index, mut count) = (0, 0_i64);
    for (offset, length) in spans {
        index += offset;
        for _ in 0..length {
            count += deltas.next().unwrap();
            native.counts.insert(index, u64::try_from(count).unwrap());
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    histogram.native = has_threshold.then_some(native);
    (histogram, created)
}
