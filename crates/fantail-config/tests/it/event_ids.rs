//! `event_id` of exporters, in both dialects.

use fantail_event::Dialect::{self, V2_3, V2_4};

use crate::read;

/// Whether the exporter has ids, or the codes of the errors.
#[track_caller]
fn check(dialect: Dialect, before: &str, setting: &str, expected: Result<bool, &str>) {
    let time = match dialect {
        V2_3 => "transport = log\n  format_args = time-unix",
        V2_4 => "driver = log",
    };
    let text = format!("{before}event_exporter e {{\n  format = json\n  {time}\n  {setting}\n}}\n");
    let loaded = read(dialect, text);
    let codes = loaded.diagnostics.iter().map(|one| one.code.as_str());
    let codes: Vec<&str> = codes.collect();
    let exporters = loaded.settings.exporters.iter();
    let ids: Vec<bool> = exporters.map(|exporter| exporter.event_id).collect();
    match expected {
        Ok(expected) => assert_eq!((ids, codes), (vec![expected], vec![]), "{setting}"),
        Err(code) => assert_eq!((ids, codes), (vec![], vec![code]), "{setting}"),
    }
}

#[test]
fn events_have_ids_if_they_are_asked_for() {
    for dialect in [V2_3, V2_4] {
        check(dialect, "", "", Ok(false));
        check(dialect, "", "event_id = no", Ok(false));
        check(dialect, "", "event_id = yes", Ok(true));
        check(
            dialect,
            "",
            "event_id = perhaps",
            Err("config/invalid-boolean"),
        );
    }
    check(V2_4, "", "event_exporter_event_id = yes", Ok(true));
    check(V2_4, "event_exporter_event_id = yes\n", "", Ok(true));
}
