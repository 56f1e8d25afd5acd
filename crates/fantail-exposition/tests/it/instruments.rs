//! Instruments that a program updates itself.

use std::process::Command;

use fantail_exposition::{Exposition, ExpositionOptions, Format, LeftOut};
use fantail_metrics::{Buckets, Exponential, Instruments};
use fantail_testkit::{program, python, skip};

use crate::{
    checkers::{complaints, parser_of},
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
    let bounds = Exponential::new(10, 3, 5).unwrap();
    instruments.set_buckets("query_seconds", Buckets::Exponential(bounds));
    let buckets = instruments.histogram("query_seconds", &[]);
    for seconds in [0.001, 0.02, 7.0] {
        buckets.record(seconds);
    }
    instruments
}

fn text(options: ExpositionOptions) -> (String, Vec<LeftOut>) {
    let mut answer = Exposition::new(Vec::new(), options);
    answer.instruments(&instruments().snapshot()).unwrap();
    let (text, left_out) = answer.finish().unwrap();
    (String::from_utf8(text).unwrap(), left_out)
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
