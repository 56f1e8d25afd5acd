//! Metrics that arrive while the server runs.

use fantail_config::MetricRequest;
use fantail_event::Dialect::{V2_3, V2_4};

fn request(filter: &str, group_by: &str, exporter: &str) -> MetricRequest {
    MetricRequest {
        name: b"m".to_vec(),
        filter: filter.into(),
        group_by: group_by.into(),
        exporter: exporter.into(),
        ..MetricRequest::default()
    }
}

#[track_caller]
fn check(request: &MetricRequest, expected: &[&str]) {
    let codes = match request.resolve(V2_3, &[]) {
        Ok(_) => Vec::new(),
        Err(refused) => refused
            .diagnostics()
            .iter()
            .map(|one| one.code.as_str())
            .collect(),
    };
    assert_eq!(codes, expected);
}

#[test]
fn taken() {
    let request = MetricRequest {
        fields: b"a b".to_vec(),
        description: b"two\nlines".to_vec(),
        exporter_include: b"name".to_vec(),
        ..request("event=x", "a b:linear:0:10:1", "")
    };
    let metric = request.resolve(V2_3, &[]).unwrap();
    assert_eq!(metric.settings.name, b"m");
    assert_eq!(metric.settings.fields, [b"a", b"b"]);
    assert_eq!(metric.settings.description, b"two\nlines");
    assert_eq!(metric.settings.group_by.len(), 2);
    assert!(metric.include.name && !metric.include.fields);
}

/// Dovecot 2.3.19, 2.4.1 and 2.4.5 export `{}` of such a metric.
#[test]
fn no_part_is_written_if_none_is_named() {
    let request = request("event=x", "", "e");
    let exporter =
        "event_exporter e {\n  format = json\n  format_args = time-unix\n  transport = log\n}\n";
    let exporters = crate::read(V2_3, exporter).settings.exporters;
    for dialect in [V2_3, V2_4] {
        let metric = request.resolve(dialect, &exporters).unwrap();
        let include = metric.include;
        assert!(
            !include.name && !include.fields && !include.timestamps,
            "{include:?}"
        );
    }
}

#[test]
fn refused() {
    check(&request("event=x", "", ""), &[]);
    check(&request("", "", ""), &["config/missing-filter"]);
    check(&request("  ", "", ""), &["config/empty-filter"]);
    check(
        &request("event=", "a:log", ""),
        &["config/unknown-method", "config/filter-syntax"],
    );
    check(
        &request("event=x", "", "none"),
        &["config/unknown-exporter"],
    );
    check(
        &MetricRequest::default(),
        &["config/empty-name", "config/missing-filter"],
    );
}

#[test]
fn filters_are_of_the_dialect() {
    let request = request("remote_ip=10.0.0.0/8", "", "");
    assert!(request.resolve(V2_4, &[]).is_ok());
    check(&request, &["config/filter-syntax"]);
}
