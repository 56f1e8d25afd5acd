//! The exporters of a metric.

use fantail_engine::ExporterId;
use fantail_event::Dialect;
use fantail_wire::Limits;

use crate::{GREETING, check, settings};

const EXPORTERS: &str = "\
event_exporter json {\n  format = json\n  format_args = time-unix\n  transport = drop\n}\n\
event_exporter text {\n  format = tab-text\n  format_args = time-unix\n  transport = drop\n}\n\
event_exporter \"json text\" {\n  format = none\n  transport = drop\n}\n";

/// Exports an event by a metric with these exporters; compares each exporter and the
/// first bytes of its payload.
#[track_caller]
fn check_exporters(blocks: &str, names: &str, expected: &[(usize, &str)]) {
    let metric = format!(
        "metric m {{\n  filter = event=x\n  exporter = {names}\n  exporter_include = name\n}}\n"
    );
    let settings = settings(format!("{blocks}{metric}").as_bytes(), Dialect::V2_3);
    let lines = [GREETING.as_bytes(), b"EVENT\t0\t0\t0\t1\t0\tnx"];
    let outcome = check(&settings, &[lines.to_vec()], &Limits::default());
    let exports = outcome.recorded.exports.iter();
    let exports: Vec<(usize, &str)> = exports
        .map(|(ExporterId(at), payload)| (*at, std::str::from_utf8(payload).unwrap()))
        .collect();
    assert_eq!(exports, expected);
}

#[test]
fn a_metric_has_several_exporters() {
    let two = EXPORTERS.split("event_exporter \"").next().unwrap();
    let (json, text) = ((0, "{\"event\":\"x\"}"), (1, "event:x"));
    check_exporters(two, "json", &[json]);
    check_exporters(two, "json text", &[json, text]);
    check_exporters(two, "text json", &[text, json]);
    check_exporters(two, "\"json  text\"", &[json, text]);
}

#[test]
fn a_name_with_a_space_is_one_exporter() {
    check_exporters(EXPORTERS, "json text", &[(2, "")]);
}
