//! Instruments that a program updates itself.

use std::process::Command;

use fantail_exposition::{Exposition, ExpositionOptions, Format, LeftOut};
use fantail_metrics::{Buckets, Exponential, Instruments};
use fantail_testkit::{program, python, skip};

use crate::{
    checkers::{complaints, parser_of},
    decoded::{self, Summary},
    exposition::all_options,
};

fn instruments() -> Instruments {
    let instruments = Instruments::new();
    instruments.describe("http.requests", "Requests \\ \"of\" clients");
    for route in ["/", "/a \"b\"\\\n", "ü"] {
        instruments
            .counter("http.requests", &[("route", route)])
            .increment(3);
    }
    instruments.gauge("load", &[]).set(-0.5);
    instruments
        .gauge("temperature", &[("le", "x")])
        .set(f64::NAN);
    let quantiles = instruments.histogram("request_seconds", &[("route", "/")]);
    (1..=100).for_each(|number| quantiles.record(f64::from(number) / 100.0));
    let bounds = Exponential::new(3, 5, 10).unwrap();
    instruments.set_buckets("query_seconds", Buckets::Exponential(bounds));
    let buckets = instruments.histogram("query_seconds", &[]);
    for seconds in [0.001, 0.02, 7.0] {
        buckets.record(seconds);
    }
    instruments
}

fn scrape(options: ExpositionOptions) -> (Vec<u8>, Vec<LeftOut>) {
    let mut answer = Exposition::new(Vec::new(), options);
    answer.instruments(&instruments().snapshot()).unwrap();
    answer.finish().unwrap()
}

fn text(options: ExpositionOptions) -> (String, Vec<LeftOut>) {
    let (text, left_out) = scrape(options);
    (String::from_utf8(text).unwrap(), left_out)
}

#[test]
fn protobuf_has_the_same_values() {
    let (answer, left_out) = scrape(ExpositionOptions::new(Format::Protobuf));
    assert_eq!(left_out, []);
    let families = decoded::read(&answer);
    let first = |name: &str| families[name].metrics[0].clone();
    assert_eq!(first("http_requests_total").number, Some(3.0));
    assert_eq!(first("load").number, Some(-0.5));
    let summary = Summary {
        count: 100,
        sum: 50.5,
        quantiles: vec![(0.5, 0.5), (0.95, 0.95), (0.99, 0.99)],
    };
    assert_eq!(first("request_seconds").summary, Some(summary));
    let histogram = first("query_seconds").histogram.unwrap();
    assert_eq!((histogram.count, histogram.sum), (3, Some(7.021)));
    let buckets = [(0.001, 1), (0.01, 1), (0.1, 2), (f64::INFINITY, 3)];
    assert_eq!(histogram.buckets, buckets);
}

#[test]
fn a_histogram_without_buckets_is_a_summary() {
    let (text, left_out) = text(ExpositionOptions::new(Format::Prometheus));
    assert_eq!(left_out, []);
    assert_eq!(
        text,
        r#"# HELP http_requests_total Requests \\ "of" clients
# TYPE http_requests_total counter
http_requests_total{route="/"} 3
http_requests_total{route="/a \"b\"\\\n"} 3
http_requests_total{route="ü"} 3
# HELP load No description
# TYPE load gauge
load -0.5
# HELP query_seconds No description
# TYPE query_seconds histogram
query_seconds_bucket{le="0.001"} 1
query_seconds_bucket{le="0.01"} 1
query_seconds_bucket{le="0.1"} 2
query_seconds_bucket{le="+Inf"} 3
query_seconds_sum 7.021000
query_seconds_count 3
# HELP request_seconds No description
# TYPE request_seconds summary
request_seconds{route="/",quantile="0.5"} 0.500000
request_seconds{route="/",quantile="0.95"} 0.950000
request_seconds{route="/",quantile="0.99"} 0.990000
request_seconds_sum{route="/"} 50.500000
request_seconds_count{route="/"} 100
# HELP temperature No description
# TYPE temperature gauge
temperature{label_le="x"} NaN
# EOF
"#
    );
}

#[test]
fn promtool_reads_instruments() {
    let Some(promtool) = program("promtool") else {
        return;
    };
    let (text, _) = text(ExpositionOptions::new(Format::Prometheus));
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]);
    assert_eq!(complaints(command, &text), None, "{text}");
}

#[test]
fn the_reference_parser_reads_instruments() {
    let Some(python) = python() else {
        return;
    };
    let Some(parser) = parser_of(&python) else {
        skip("Python has no prometheus_client");
        return;
    };
    for options in all_options().filter(|options| options.format == Format::OpenMetrics) {
        let (text, _) = text(options);
        assert_eq!(complaints(parser(), &text), None, "{text}");
    }
}
