//! Dovecot's settings of its log, which exporters with `transport = log` follow.

use fantail_config::TransportSettings;
use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_transport::{Facility, LogSettings, LogTarget};

use crate::read;

/// The settings of a log exporter with these lines before and after it.
#[track_caller]
fn check(dialect: Dialect, before: &str, after: &str, expected: &LogSettings) {
    let own = match dialect {
        V2_3 => "transport = log\n  format_args = time-unix",
        V2_4 => "driver = log",
    };
    let text = format!("{before}\nevent_exporter e {{\n  format = json\n  {own}\n}}\n{after}\n");
    let loaded = read(dialect, text);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    let transport = &loaded.settings.exporters[0].transport;
    assert_eq!(*transport, TransportSettings::Log(expected.clone()));
}

fn to(target: LogTarget) -> LogSettings {
    LogSettings {
        target,
        ..LogSettings::default()
    }
}

#[test]
fn a_log_exporter_follows_the_log_of_dovecot() {
    for dialect in [V2_3, V2_4] {
        let file = |path: &str| to(LogTarget::File(path.into()));
        check(dialect, "", "", &to(LogTarget::Syslog));
        check(dialect, "log_path = syslog", "", &to(LogTarget::Syslog));
        check(dialect, "log_path = /a", "", &file("/a"));
        check(dialect, "", "log_path = /a", &file("/a"));
        let both = "log_path = /a\ninfo_log_path = /b";
        check(dialect, both, "", &file("/b"));
        check(dialect, "log_path = /a\ninfo_log_path =", "", &file("/a"));
        let standard_error = to(LogTarget::StandardError);
        check(dialect, "log_path = /dev/stderr", "", &standard_error);
    }
}

#[test]
fn a_log_exporter_writes_in_the_format_of_dovecot() {
    let lines = "log_timestamp = \"%H:%M:%S \"\nsyslog_facility = local3\ninstance_name = foo";
    let expected = LogSettings {
        timestamp: "%H:%M:%S ".to_owned(),
        facility: Facility::Local3,
        program: "foo".to_owned(),
        ..LogSettings::default()
    };
    check(V2_3, lines, "", &expected);
    check(V2_4, lines, "", &expected);
}
