//! A real Prometheus scrapes the answer to a recording, and stores the numbers
//! of the dump.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fantail_event::{Dialect, Timestamp, ValueRef};
use fantail_exposition::{ExpositionOptions, Format};
use fantail_metrics::{Label, MetricSnapshot, Percentile, Registry, Series, Snapshot};
use fantail_testkit::{check_killed, process::Process, program};
use tempfile::TempDir;

use crate::{
    RECORDED,
    exposition::answer,
    hostile::{discrete, event, linear, metric, observed},
    native::protobuf,
    rules::{self, Sample},
};

/// How long a server may take to start and scrape on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Answers every scrape with the same answer.
fn serve(listener: &TcpListener, format: Format, answer: &[u8]) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut accept = String::new();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while let Some(Ok(line)) = lines
            .next()
            .filter(|line| !matches!(line, Ok(l) if l.is_empty()))
        {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("accept")
            {
                value.trim().clone_into(&mut accept);
            }
        }
        assert_eq!(Format::negotiate(&accept), format, "{accept}");
        let kind = format.content_type();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            answer.len()
        );
        // Prometheus may be stopped during a scrape.
        let _ = stream.write_all([head.as_bytes(), answer].concat().as_slice());
    }
}

/// A Prometheus that ends with the test, with its folder.
struct Server {
    // Dropped before the folder: fields are dropped in this order.
    _process: Process,
    _folder: TempDir,
    address: SocketAddr,
}

impl Server {
    fn start(prometheus: &Path, target: SocketAddr, features: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let config = path.join("prometheus.yml");
        let text = format!(
            "scrape_configs:\n- job_name: test\n  honor_labels: true\n  scrape_interval: 1s\n  \
             scrape_timeout: 1s\n  static_configs:\n  - targets: ['{target}']\n"
        );
        std::fs::File::create(&config)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        // The port was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new(prometheus);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                path.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .args(features)
            .current_dir(path);
        let process = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        });
        Self {
            _process: process,
            _folder: folder,
            address,
        }
    }

    /// Sends a query; returns `None` while Prometheus does not answer.
    fn ask(&self, query: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let form = format!("query={query}");
        let request = format!(
            "POST /api/v1/query HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }

    /// Returns the number that a query gives.
    fn number(&self, query: &str) -> f64 {
        let body = self.ask(query).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        let result = &answer["data"]["result"];
        let number = result[0]["value"][1].as_str();
        number
            .unwrap_or_else(|| panic!("{query}: {body}"))
            .parse()
            .unwrap()
    }

    /// Waits for the first scrape, and returns the names of all its samples.
    fn names(&self) -> BTreeSet<String> {
        let samples = self.samples();
        let samples = samples.as_array().unwrap().iter();
        let names = samples.filter_map(|one| one["metric"]["__name__"].as_str());
        names.map(str::to_owned).collect()
    }

    /// Waits for the first scrape, and returns all its samples.
    fn samples(&self) -> serde_json::Value {
        let start = Instant::now();
        // {__name__=~"dovecot_.+"}
        let all = "%7B__name__%3D~%22dovecot_.%2B%22%7D";
        loop {
            let body = self.ask(all).unwrap_or_default();
            let answer = serde_json::from_str(&body).unwrap_or(serde_json::Value::Null);
            let result = &answer["data"]["result"];
            if result.as_array().is_some_and(|samples| !samples.is_empty()) {
                return result.clone();
            }
            assert!(start.elapsed() < START_TIMEOUT, "no scrape yet: {body}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

type Stored = BTreeMap<String, f64>;

fn key(name: &str, mut labels: Vec<(String, String)>) -> String {
    labels.sort();
    format!("{name}{labels:?}")
}

/// Returns the stored samples without the labels that Prometheus adds.
fn stored(samples: &serde_json::Value) -> Stored {
    let samples = samples.as_array().unwrap().iter().map(|sample| {
        let labels = sample["metric"].as_object().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let own = labels
            .iter()
            .filter(|(name, _)| !["__name__", "job", "instance"].contains(&name.as_str()));
        let own = own
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        let value = text(&sample["value"][1]).parse().unwrap();
        (key(&text(&labels["__name__"]), own), value)
    });
    samples.collect()
}

/// Returns the samples of an answer.
fn exposed(text: &str) -> Stored {
    let families = rules::read(text, Format::OpenMetrics);
    let samples = families.into_values().flat_map(|family| family.samples);
    let one = |Sample {
                   name,
                   labels,
                   number,
               }: Sample| {
        // Prometheus writes bounds in another form: 5 is 5.0.
        let usual = |(name, value): (String, String)| match value.parse::<f64>() {
            Ok(bound) if name == "le" => (name, format!("{bound:?}")),
            _ => (name, value),
        };
        let labels = labels.into_iter().map(usual).collect();
        (key(&name, labels), number.parse().unwrap())
    };
    samples.map(one).collect()
}

/// Converts bounds to the form of [`exposed`].
fn with_usual_bounds(stored: &serde_json::Value) -> serde_json::Value {
    let mut samples = stored.clone();
    for sample in samples.as_array_mut().unwrap() {
        let bound = sample["metric"]["le"].as_str().map(str::parse::<f64>);
        if let Some(Ok(bound)) = bound {
            sample["metric"]["le"] = format!("{bound:?}").into();
        }
    }
    samples
}

/// Compares each count and sum of a metric without a histogram.
fn check_dump(metric: &MetricSnapshot, stored: &Stored) -> usize {
    let settings = metric.settings();
    let name = String::from_utf8_lossy(&settings.name).into_owned();
    let mut path: Vec<(String, String)> = Vec::new();
    let mut checked = 0;
    for series in metric.series().iter() {
        path.truncate(series.depth().saturating_sub(1));
        if let Some(level) = series.level(settings) {
            let field = String::from_utf8_lossy(&level.field).into_owned();
            path.push((field, series.label().text(level)));
        }
        let labels: Vec<_> = path
            .iter()
            .filter(|(_, v)| !v.is_empty())
            .cloned()
            .collect();
        if !metric.is_leaf(&series) || series.label() == Label::Missing {
            continue;
        }
        let value = |name: &str| stored.get(&key(name, labels.clone())).copied();
        check_series(&series, &name, value);
        checked += 1;
    }
    checked
}

fn check_series(series: &Series<'_>, name: &str, value: impl Fn(&str) -> Option<f64>) {
    let count = value(&format!("dovecot_{name}_total"));
    assert_eq!(count, Some(series.duration().count() as f64), "{name}");
    let seconds = value(&format!("dovecot_{name}_duration_seconds_total")).unwrap();
    let expected = series.duration().sum() as f64 / 1e6;
    assert!((seconds - expected).abs() <= expected * 1e-12, "{name}");
}

#[test]
fn a_killed_test_leaves_no_prometheus() {
    let Some(prometheus) = program("prometheus") else {
        return;
    };
    let test = "prometheus::a_killed_test_leaves_no_prometheus";
    // No server listens on this port.
    let target = SocketAddr::from(([127, 0, 0, 1], 9));
    check_killed(test, || Server::start(&prometheus, target, &[]));
}

#[test]
fn a_real_prometheus_stores_what_the_dump_says() {
    let Some(prometheus) = program("prometheus") else {
        return;
    };
    for case in &RECORDED[1..] {
        let snapshot = case.snapshot();
        let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let page = text.clone().into_bytes();
        // Ends with the process: it waits for the next scrape.
        thread::spawn(move || serve(&listener, Format::OpenMetrics, &page));
        let server = Server::start(&prometheus, target, &[]);
        let samples = server.samples();
        drop(server);
        assert_eq!(
            stored(&with_usual_bounds(&samples)),
            exposed(&text),
            "{}",
            case.name
        );
        let stored = stored(&samples);
        let checked: usize = snapshot
            .metrics()
            .iter()
            .filter(|metric| {
                let name = String::from_utf8_lossy(&metric.settings().name).into_owned();
                let counter = format!("dovecot_{name}_total");
                stored.keys().any(|key| key.starts_with(&counter))
            })
            .map(|metric| check_dump(metric, &stored))
            .sum();
        assert!(checked > 10, "{checked}");
    }
}

/// Returns a metric with a field, and one with classic buckets.
fn with_native_histograms() -> Snapshot {
    let took = metric("took", &[], &[("duration", linear(2_000, 1_000))]);
    let metrics = [metric("m", &["x"], &[("user", discrete())]), took];
    let mut registry = Registry::new(Dialect::V2_4);
    let ids = metrics.map(|one| registry.add(one).unwrap());
    for number in 0..1_000 {
        let times = [1_000_000, 1_001_500].map(Timestamp::from_unix_micros);
        let x = ("x", ValueRef::Int(number * number % 977));
        let event = event(times, vec![x, ("user", ValueRef::from("anna"))]);
        observed(&mut registry, &ids, &event);
    }
    registry.snapshot()
}

/// With native histograms, Prometheus asks for protobuf and stores them beside the classic
/// buckets.
#[test]
fn a_real_prometheus_stores_native_histograms() {
    let Some(prometheus) = program("prometheus") else {
        return;
    };
    let snapshot = with_native_histograms();
    let answer = protobuf(&snapshot, ExpositionOptions::new(Format::Protobuf));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    thread::spawn(move || serve(&listener, Format::Protobuf, &answer));
    let server = Server::start(&prometheus, target, &["--enable-feature=native-histograms"]);
    let expected = [
        "dovecot_m_duration_seconds",
        "dovecot_m_duration_seconds_total",
        "dovecot_m_total",
        "dovecot_m_x",
        "dovecot_m_x_total",
        "dovecot_took_bucket",
        "dovecot_took_count",
        "dovecot_took_duration_seconds",
        "dovecot_took_sum",
    ];
    assert_eq!(server.names(), BTreeSet::from(expected.map(str::to_owned)));
    let leaf = snapshot.metrics()[0].series().get(1).unwrap();
    let x = leaf.fields().first().unwrap();
    let near = |query: &str, expected: f64, error: f64| {
        let number = server.number(query);
        assert!(
            (number - expected).abs() <= expected * error,
            "{query}: {number}"
        );
    };
    let only = "{user=\"anna\"}";
    near(&format!("histogram_count(dovecot_m_x{only})"), 1_000.0, 0.0);
    near(
        &format!("histogram_sum(dovecot_m_x{only})"),
        x.sum() as f64,
        0.0,
    );
    // A bucket is 9 % wide, and a value may be 1 % beyond its bound.
    near(
        "histogram_quantile(0.5, dovecot_m_x)",
        x.median() as f64,
        0.11,
    );
    let p95 = x.percentile(Percentile::P95) as f64;
    near("histogram_quantile(0.95, dovecot_m_x)", p95, 0.11);
    for metric in ["m", "took"] {
        let durations = format!("dovecot_{metric}_duration_seconds");
        near(&format!("histogram_count({durations})"), 1_000.0, 0.0);
        near(&format!("histogram_sum({durations})"), 1.5, 1e-12);
        near(
            &format!("histogram_quantile(0.5, {durations})"),
            0.001_5,
            0.11,
        );
    }
    near("dovecot_took_bucket{le=\"0.002\"}", 1_000.0, 0.0);
    near("dovecot_took_count", 1_000.0, 0.0);
}
