//! Pushes: remote write and OTLP have the series and numbers of Prometheus text.

use std::{collections::BTreeMap, process::Command};

use fantail_event::{Timestamp, ValueRef};
use fantail_exposition::{ExpositionOptions, Family, Format, Kind};
use fantail_metrics::{Limits, Snapshot};
use fantail_testkit::{checked, python, skip};
use serde_json::Value;

use crate::{
    RECORDED, SMALL,
    decoded::{self, Labels, Native},
    exposition::answer,
    hostile::{discrete, hostile_values, linear, metric, played},
    native::protobuf,
    rules,
};

/// Reads a request by the official definitions, and writes it back as JSON.
const READ: &str = r"
import sys
try:
    from google.protobuf.json_format import MessageToJson, Parse
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest)
except ImportError:
    sys.exit(3)
request = Parse(sys.stdin.read(), ExportMetricsServiceRequest())
binary = ExportMetricsServiceRequest.FromString(request.SerializeToString())
print(MessageToJson(binary))
";

const TIME: Timestamp = Timestamp::from_unix_micros(1_795_328_191_200_999);

fn options(format: Format) -> ExpositionOptions {
    ExpositionOptions {
        time: TIME,
        created: Some(Timestamp::from_unix_micros(1_700_000_000_000_001)),
        ..ExpositionOptions::new(format)
    }
}

/// A sample's name, labels, and number.
type Row = (String, Labels, String);

fn row(name: &str, mut labels: Labels, number: f64) -> Row {
    labels.sort();
    (name.to_owned(), labels, format!("{number:?}"))
}

fn text_rows(snapshot: &Snapshot) -> Vec<Row> {
    let (text, _) = answer(snapshot, ExpositionOptions::new(Format::Prometheus));
    let families = rules::read(&text, Format::Prometheus).into_values();
    let samples = families.flat_map(|family| family.samples);
    let rows = samples.map(|one| row(&one.name, one.labels, one.number.parse().unwrap()));
    let mut rows: Vec<Row> = rows.collect();
    rows.sort();
    rows
}

/// A series as it is written, and its time.
fn series(message: &[u8]) -> (Labels, f64, u64) {
    let fields = decoded::fields(message);
    let (sample, labels) = fields.split_last().unwrap();
    assert_eq!(sample.0, 2, "the last field");
    let labels = labels.iter().map(|(number, one)| {
        assert_eq!(*number, 1);
        decoded::label(one.bytes())
    });
    match decoded::fields(sample.1.bytes())[..] {
        [(1, value), (2, millis)] => (labels.collect(), value.double(), millis.number()),
        ref other => panic!("{other:?} is no sample"),
    }
}

/// Returns the rows of a request, and the type of each family by name.
fn written_rows(request: &[u8]) -> (Vec<Row>, BTreeMap<String, u64>) {
    let (mut rows, mut kinds) = (Vec::new(), BTreeMap::new());
    for (number, contents) in decoded::fields(request) {
        if number == 3 {
            let metadata = decoded::fields(contents.bytes());
            let [(1, kind), (2, name), (4, help), ref rest @ ..] = metadata[..] else {
                panic!("{metadata:?}");
            };
            assert!(!help.text().is_empty() && rest.iter().all(|(unit, _)| *unit == 5));
            assert_eq!(kinds.insert(name.text(), kind.number()), None, "once");
            continue;
        }
        assert_eq!(number, 1);
        let (mut labels, value, millis) = series(contents.bytes());
        assert_eq!(millis, 1_795_328_191_200);
        assert!(
            labels.is_sorted_by(|one, next| one.0 < next.0),
            "{labels:?}"
        );
        let at = labels.iter().position(|(name, _)| name == "__name__");
        let (_, name) = labels.remove(at.unwrap());
        rows.push(row(&name, labels, value));
    }
    rows.sort();
    (rows, kinds)
}

fn hostile() -> Snapshot {
    let values = hostile_values();
    let events = values.iter().map(|value| {
        vec![
            ("user", ValueRef::from(&**value)),
            ("n", ValueRef::from(7_u64)),
        ]
    });
    let by_user = metric("hostile", &["n"], &[("user", discrete())]);
    let took = metric("took", &[], &[("user", discrete()), ("n", linear(10, 5))]);
    played(vec![by_user, took], Limits::default(), events.collect())
}

fn all_snapshots() -> impl Iterator<Item = (&'static str, Snapshot)> {
    let cases = SMALL.iter().chain(&RECORDED);
    let cases = cases.map(|case| (case.name, case.snapshot()));
    cases.chain([("hostile", hostile())])
}

#[test]
fn remote_write_has_the_series_of_the_text() {
    for (name, snapshot) in all_snapshots() {
        let request = protobuf(&snapshot, options(Format::RemoteWrite));
        let (rows, kinds) = written_rows(&request);
        assert_eq!(rows, text_rows(&snapshot), "{name}");
        let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::Prometheus));
        let families = rules::read(&text, Format::Prometheus).into_iter();
        let families = families.filter(|(_, family)| !family.samples.is_empty());
        let expected = families.map(|(name, family)| match &*family.kind {
            "counter" => (name, 1),
            "gauge" => (name, 2),
            "histogram" => (name, 3),
            other => panic!("{other}"),
        });
        assert_eq!(kinds, expected.collect(), "{name}");
    }
}

/// As Prometheus does with the labels of a target.
#[test]
fn labels_of_all_series_keep_their_names() {
    let fields = ["instance", "exported_instance", "job"];
    let levels = fields.map(|field| (field, discrete()));
    let event = vec![
        ("instance", ValueRef::from("a")),
        ("exported_instance", ValueRef::from("b")),
        ("job", ValueRef::from("c")),
    ];
    let snapshot = played(
        vec![metric("m", &[], &levels)],
        Limits::default(),
        vec![event],
    );
    let mut options = options(Format::RemoteWrite);
    let common = [("job", "fantail"), ("instance", "mx1")];
    options.labels = common
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    let (rows, _) = written_rows(&protobuf(&snapshot, options));
    let expected = [
        ("exported_exported_instance", "a"),
        ("exported_instance", "b"),
        ("exported_job", "c"),
        ("instance", "mx1"),
        ("job", "fantail"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(rows[1], row("dovecot_m_total", expected.into(), 1.0));
}

/// Returns the metrics of a request with these lines, as the official definitions read
/// them; `None` without them.
fn officially_read(lines: &[u8]) -> Option<Vec<Value>> {
    let lines = String::from_utf8(lines.to_vec()).unwrap();
    let metrics: Vec<&str> = lines.lines().collect();
    let metrics = metrics.join(",");
    let request =
        format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}"#);
    let verdict = checked(
        Command::new(python()?).args(["-c", READ]),
        request.as_bytes(),
    );
    if !verdict.content && verdict.said.is_empty() {
        skip("Python has no opentelemetry-proto");
        return None;
    }
    assert!(verdict.content, "{}", verdict.said);
    let read: Value = serde_json::from_str(&verdict.said).unwrap();
    let metrics = &read["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    Some(metrics.as_array().cloned().unwrap_or_default())
}

fn integer(value: &Value) -> u64 {
    value.as_str().unwrap_or("0").parse().unwrap()
}

fn attributes(point: &Value) -> Labels {
    let all = point["attributes"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.map(|one| (text(&one["key"]), text(&one["value"]["stringValue"])))
        .collect()
}

fn check_times(point: &Value, is_counted: bool) {
    let start = is_counted.then(|| Value::from("1700000000000001000"));
    assert_eq!(point.get("startTimeUnixNano"), start.as_ref());
    assert_eq!(point["timeUnixNano"], "1795328191200999000");
}

/// Adds the rows of a histogram; bounds are numbers.
fn push_histogram(name: &str, point: &Value, rows: &mut Vec<Row>) {
    let bounds = point["explicitBounds"].as_array().unwrap().iter();
    let bounds = bounds.map(|bound| bound.as_f64().unwrap());
    let mut total = 0;
    let counts = point["bucketCounts"].as_array().unwrap();
    assert_eq!(counts.len(), bounds.len() + 1);
    for (bound, count) in bounds.chain([f64::INFINITY]).zip(counts) {
        total += integer(count);
        let bound = ("le".to_owned(), format!("{bound:?}"));
        let labels = [attributes(point), vec![bound]].concat();
        rows.push(row(&format!("{name}_bucket"), labels, total as f64));
    }
    if let Some(sum) = point.get("sum") {
        let sum = sum.as_f64().unwrap();
        rows.push(row(&format!("{name}_sum"), attributes(point), sum));
    }
    let count = integer(&point["count"]);
    assert_eq!(count, total);
    rows.push(row(
        &format!("{name}_count"),
        attributes(point),
        count as f64,
    ));
}

/// The count, and the number of values up to each upper bound, of each series.
type Exponential = BTreeMap<(String, Labels), (u64, Vec<(f64, u64)>)>;

fn cumulative(point: &Value) -> (u64, Vec<(f64, u64)>) {
    assert_eq!(point["scale"], 3);
    let positive = &point["positive"];
    let offset = positive["offset"].as_i64().unwrap_or(0);
    let counts = positive["bucketCounts"].as_array().into_iter().flatten();
    let counts = (offset + 1..).zip(counts.map(integer));
    let native = Native {
        schema: 3,
        zeros: integer(&point["zeroCount"]),
        counts: counts.filter(|(_, count)| *count > 0).collect(),
    };
    (integer(&point["count"]), native.cumulative())
}

/// Divides metrics into the rows of text and exponential histograms.
fn otlp_rows(metrics: &[Value]) -> (Vec<Row>, Exponential) {
    let (mut rows, mut exponential) = (Vec::new(), Exponential::new());
    for metric in metrics {
        let name = metric["name"].as_str().unwrap();
        let kinds = ["sum", "gauge", "histogram", "exponentialHistogram"];
        let [kind] = kinds
            .into_iter()
            .filter(|kind| metric.get(*kind).is_some())
            .collect::<Vec<_>>()[..]
        else {
            panic!("{metric}");
        };
        let data = &metric[kind];
        if kind != "gauge" {
            assert_eq!(
                data["aggregationTemporality"],
                "AGGREGATION_TEMPORALITY_CUMULATIVE"
            );
        }
        for point in data["dataPoints"].as_array().unwrap() {
            check_times(point, kind != "gauge");
            match kind {
                "histogram" => push_histogram(name, point, &mut rows),
                "exponentialHistogram" => {
                    let key = (name.to_owned(), sorted(attributes(point)));
                    assert_eq!(exponential.insert(key, cumulative(point)), None);
                }
                _ => {
                    let whole = point["asInt"].as_str().map(|text| text.parse().unwrap());
                    let number = whole.or(point["asDouble"].as_f64()).unwrap();
                    let is_whole = metric["unit"] != "s" && number < 2_f64.powi(63);
                    assert_eq!(whole.is_some(), is_whole, "{metric}");
                    assert_eq!(kind == "sum", data["isMonotonic"] == true);
                    rows.push(row(name, attributes(point), number));
                }
            }
        }
    }
    rows.sort();
    (rows, exponential)
}

fn sorted(mut labels: Labels) -> Labels {
    labels.sort();
    labels
}

/// Returns the native histograms of a scrape.
fn scraped(snapshot: &Snapshot) -> Exponential {
    let families = decoded::read(&protobuf(
        snapshot,
        ExpositionOptions::new(Format::Protobuf),
    ));
    let mut all = Exponential::new();
    for (name, family) in families {
        for metric in family.metrics {
            let histogram = metric.histogram.unwrap_or_default();
            if let Some(mut native) = histogram.native {
                native.counts.retain(|_, count| *count > 0);
                let key = (name.clone(), sorted(metric.labels));
                all.insert(key, (histogram.count, native.cumulative()));
            }
        }
    }
    all
}

#[test]
fn otlp_has_the_series_of_the_text_and_native_histograms() {
    for (name, snapshot) in all_snapshots() {
        let lines = protobuf(&snapshot, options(Format::Otlp));
        let Some(metrics) = officially_read(&lines) else {
            return;
        };
        let (rows, exponential) = otlp_rows(&metrics);
        let expected = text_rows(&snapshot)
            .into_iter()
            .map(|(name, labels, number)| {
                let usual = |(name, value): (String, String)| match value.parse::<f64>() {
                    Ok(bound) if name == "le" => (name, format!("{bound:?}")),
                    _ => (name, value),
                };
                (
                    name,
                    sorted(labels.into_iter().map(usual).collect()),
                    number,
                )
            });
        let mut expected: Vec<Row> = expected.collect();
        expected.sort();
        assert_eq!(rows, expected, "{name}");
        assert_eq!(exponential, scraped(&snapshot), "{name}");
    }
}

#[test]
fn otlp_writes_numbers_of_each_kind() {
    let mut exposition = fantail_exposition::Exposition::new(Vec::new(), options(Format::Otlp));
    let family = Family {
        name: "bytes",
        kind: Kind::Gauge,
        help: "\u{1}\"",
        unit: Some("bytes"),
    };
    exposition
        .family(&family, |samples| {
            samples.add(&[("kind", "largest")], u64::MAX)?;
            samples.add(&[("kind", "most")], i64::MAX as u64)?;
            samples.add(&[("kind", "none")], f64::NAN)?;
            samples.add(&[("kind", "all")], f64::INFINITY)
        })
        .unwrap();
    let Some(metrics) = officially_read(&exposition.finish().unwrap().0) else {
        return;
    };
    assert_eq!(metrics[0]["description"], "\u{1}\"");
    assert_eq!(metrics[0]["unit"], "By");
    let points = metrics[0]["gauge"]["dataPoints"].as_array().unwrap().iter();
    let numbers = points.map(|point| {
        let number = [&point["asInt"], &point["asDouble"]];
        number.map(Value::clone)
    });
    let none = Value::Null;
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [
            [none.clone(), Value::from(18_446_744_073_709_551_616.0)],
            [Value::from("9223372036854775807"), none.clone()],
            [none.clone(), Value::from("NaN")],
            [none, Value::from("Infinity")],
        ]
    );
}

/// A large family is divided into records of bounded size.
#[test]
fn records_are_bounded() {
    let users: Vec<String> = (0..3_000).map(|number| format!("user-{number}")).collect();
    let events = users
        .iter()
        .map(|user| vec![("user", ValueRef::from(user))]);
    let metrics = vec![metric("m", &[], &[("user", discrete())])];
    let snapshot = played(metrics, Limits::default(), events.collect());
    let lines = protobuf(&snapshot, options(Format::Otlp));
    let longest = lines.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!((1..80_000).contains(&longest.unwrap()), "{longest:?}");
}
