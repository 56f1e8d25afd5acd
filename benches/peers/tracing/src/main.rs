//! What a callsite costs with the layer, beside what the users of `tracing` have.
//!
//! Subjects run in turns, since the speed of a machine drifts. A row is the median over
//! the rounds of the processor time of an event, in the kernel too: other programs that
//! run meanwhile are no part of it, and threads that wait for each other pay for their
//! system calls.

use std::{env, io, sync::LazyLock, thread, time::Duration};

use fantail_metrics::{Instruments, Recorder};
use fantail_tracing::LayerFilter;
use metrics_exporter_prometheus::PrometheusBuilder;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use rustix::time::{ClockId, clock_gettime};
use tracing::{Dispatch, Event, debug, dispatcher, info, info_span};
use tracing_subscriber::{EnvFilter, Layer, filter::LevelFilter, fmt, layer::Context, prelude::*};

const ROUNDS: usize = 15;
/// Events of each thread in a round.
const EVENTS: u32 = 20_000;

/// A layer that does nothing.
struct Nothing;

impl<S: tracing::Subscriber> Layer<S> for Nothing {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {}
}

/// One row: a subscriber, and an event within a span of a user.
struct Subject {
    group: &'static str,
    name: &'static str,
    subscriber: fn() -> Dispatch,
    event: fn(u32),
}

type AnyRecorder = Box<dyn metrics::Recorder + Send + Sync>;

/// The recorders of the crate `metrics`: ours, and that of the exporter for Prometheus.
static OURS: LazyLock<AnyRecorder> = LazyLock::new(|| Box::new(Recorder::new(Instruments::new())));
static PROMETHEUS: LazyLock<AnyRecorder> =
    LazyLock::new(|| Box::new(PrometheusBuilder::new().build_recorder()));

fn disabled(number: u32) {
    debug!(number, user = "anna", "disabled");
}

fn enabled(number: u32) {
    info!(number, status = 200, path = "/index.html", "request done");
}

fn span(number: u32) {
    let _span = info_span!("request", number, status = 200).entered();
}

/// The event that tracing-opentelemetry counts.
fn otel(_: u32) {
    info!(
        monotonic_counter.requests = 1_u64,
        status = 200,
        "request done"
    );
}

fn count() {
    metrics::counter!("requests", "status" => "200").increment(1);
}

fn count_and_time(number: u32) {
    count();
    metrics::histogram!("request_seconds", "status" => "200").record(f64::from(number));
}

fn with_ours(event: impl FnOnce()) {
    metrics::with_local_recorder(&**OURS, event);
}

fn with_prometheus(event: impl FnOnce()) {
    metrics::with_local_recorder(&**PROMETHEUS, event);
}

/// The metrics of tracing-opentelemetry, read once an hour.
fn otel_layer() -> Dispatch {
    let reader = PeriodicReader::builder(InMemoryMetricExporter::default());
    let reader = reader.with_interval(Duration::from_secs(3600)).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let layer = tracing_opentelemetry::MetricsLayer::new(provider);
    tracing_subscriber::registry().with(layer).into()
}

fn layer(text: &str) -> Dispatch {
    let (layer, _) = fantail_tracing::layer(text).expect("a configuration");
    tracing_subscriber::registry().with(layer).into()
}

fn with_filter(filter: &str) -> Dispatch {
    let filter: LayerFilter = filter.parse().expect("a filter");
    tracing_subscriber::registry()
        .with(Nothing.with_filter(filter))
        .into()
}

fn with_env_filter(filter: &str) -> Dispatch {
    let filter: EnvFilter = filter.parse().expect("a filter");
    tracing_subscriber::registry()
        .with(Nothing.with_filter(filter))
        .into()
}

fn fmt_to_sink(json: bool) -> Dispatch {
    let layer = fmt::layer().with_writer(io::sink);
    match json {
        true => tracing_subscriber::registry().with(layer.json()).into(),
        false => tracing_subscriber::registry().with(layer).into(),
    }
}

const COUNTED: &str =
    "metric requests {\n filter = message=\"request done\"\n group_by status {\n }\n}\n";
const OTEL: &str =
    "metric requests {\n filter = monotonic_counter.requests=1\n group_by status {\n }\n}\n";
const SPANS: &str = "metric requests {\n filter = event=request\n group_by status {\n }\n}\n";
const EXPORTED: &str = "event_exporter out {\n format = json\n driver = drop\n}\n\
                        metric requests {\n filter = message=\"request done\"\n exporter = out\n}\n";

fn subjects() -> Vec<Subject> {
    let row = |group, name, subscriber: fn() -> Dispatch, event: fn(u32)| Subject {
        group,
        name,
        subscriber,
        event,
    };
    vec![
        row("disabled", "no subscriber", Dispatch::none, disabled),
        row(
            "disabled",
            "registry, level off",
            || tracing_subscriber::registry().with(LevelFilter::OFF).into(),
            disabled,
        ),
        row(
            "disabled",
            "fantail layer",
            || layer("metric m {\n filter = severity>=9\n}\n"),
            disabled,
        ),
        row(
            "disabled",
            "fantail filter",
            || with_filter("severity>=9"),
            disabled,
        ),
        row(
            "disabled",
            "EnvFilter",
            || with_env_filter("info"),
            disabled,
        ),
        row(
            "filtered by target",
            "fantail filter",
            || with_filter("target=other*"),
            enabled,
        ),
        row(
            "filtered by target",
            "EnvFilter",
            || with_env_filter("other=info"),
            enabled,
        ),
        row(
            "filtered by a span's field",
            "fantail filter",
            || with_filter("user=bob"),
            enabled,
        ),
        row(
            "filtered by a span's field",
            "EnvFilter",
            || with_env_filter("[{user=bob}]=info"),
            enabled,
        ),
        row(
            "filtered by a value",
            "fantail filter",
            || with_filter("status>=500"),
            enabled,
        ),
        row(
            "filtered by a value",
            "fantail layer",
            || layer("metric m {\n filter = status>=500\n}\n"),
            enabled,
        ),
        row("counted", "fantail layer", || layer(COUNTED), enabled),
        row("two fields counted", "fantail layer", || layer(OTEL), otel),
        row(
            "two fields counted",
            "tracing-opentelemetry metrics",
            otel_layer,
            otel,
        ),
        row(
            "counted by metrics",
            "fantail recorder",
            || layer(""),
            |_| with_ours(count),
        ),
        row(
            "counted by metrics",
            "metrics-exporter-prometheus",
            || layer(""),
            |_| with_prometheus(count),
        ),
        row(
            "counted and timed by metrics",
            "fantail recorder",
            || layer(""),
            |number| with_ours(|| count_and_time(number)),
        ),
        row(
            "counted and timed by metrics",
            "metrics-exporter-prometheus",
            || layer(""),
            |number| with_prometheus(|| count_and_time(number)),
        ),
        row("counted", "fmt to nowhere", || fmt_to_sink(false), enabled),
        row(
            "span counted and timed",
            "fantail layer",
            || layer(SPANS),
            span,
        ),
        row(
            "span counted and timed",
            "fmt to nowhere",
            || fmt_to_sink(false),
            span,
        ),
        row(
            "exported as JSON",
            "fantail layer",
            || layer(EXPORTED),
            enabled,
        ),
        row(
            "exported as JSON",
            "fmt json to nowhere",
            || fmt_to_sink(true),
            enabled,
        ),
    ]
}

/// Returns the processor time of an event in nanoseconds.
fn measure(subject: &Subject, threads: u32) -> f64 {
    let dispatch = (subject.subscriber)();
    let run = |events: u32| {
        dispatcher::with_default(&dispatch, || {
            let _session = info_span!("session", user = "anna").entered();
            let start = clock_gettime(ClockId::ThreadCPUTime);
            (0..events).for_each(subject.event);
            let end = clock_gettime(ClockId::ThreadCPUTime);
            (end.tv_sec - start.tv_sec) as f64 * 1e9 + (end.tv_nsec - start.tv_nsec) as f64
        })
    };
    run(EVENTS / 10);
    let nanos: f64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| run(EVENTS))).collect();
        let times = threads.into_iter().map(|thread| thread.join());
        times.map(|time| time.expect("no panic")).sum()
    });
    nanos / (f64::from(threads) * f64::from(EVENTS))
}

fn main() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // Rows whose group and name contain all arguments, such as `counted layer`.
    let parts: Vec<String> = env::args().skip(1).collect();
    let mut subjects = subjects();
    subjects.retain(|subject| {
        let row = format!("{}, {}", subject.group, subject.name);
        parts.iter().all(|part| row.contains(part.as_str()))
    });
    println!("{cores} cores, nanoseconds of processor time an event: median (quartiles)\n");
    println!("| | | 1 thread | 8 threads |\n| --- | --- | ---: | ---: |");
    let mut results = vec![[Vec::new(), Vec::new()]; subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, results) in subjects.iter().zip(&mut results) {
            for (threads, results) in [1, 8].into_iter().zip(results) {
                results.push(measure(subject, threads));
            }
        }
    }
    for (subject, results) in subjects.iter().zip(&mut results) {
        let cells = results.each_mut().map(|times| {
            times.sort_by(f64::total_cmp);
            let at = |quarter: usize| times[(times.len() - 1) * quarter / 4];
            format!("{:.0} ({:.0}–{:.0})", at(2), at(1), at(3))
        });
        println!(
            "| {} | {} | {} | {} |",
            subject.group, subject.name, cells[0], cells[1]
        );
    }
}
