//! Configurations that real servers ran with give the settings they mean.

use bstr::ByteSlice;
use fantail_config::{Metric, Settings};
use fantail_event::Dialect;

fn read(name: &str, dialect: Dialect) -> Settings {
    let loaded = crate::load_file(&crate::testdata("golden").join(name), Some(dialect));
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    loaded.settings
}

/// Name, filter, fields, levels, exporter and parts, one metric a line.
fn metrics(settings: &Settings) -> Vec<String> {
    settings.metrics.iter().map(metric).collect()
}

fn metric(metric: &Metric) -> String {
    let names = |list: &[Vec<u8>]| bstr::join(" ", list).as_bstr().to_string();
    let levels: Vec<String> = metric
        .settings
        .group_by
        .iter()
        .map(|level| format!("{} {:?}", level.field.as_bstr(), level.method))
        .collect();
    let include = metric.include;
    let parts = [
        (include.name, 'n'),
        (include.hostname, 'h'),
        (include.timestamps, 't'),
        (include.categories, 'c'),
        (include.fields, 'f'),
    ];
    let parts: String = parts
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, letter)| letter)
        .collect();
    let exporter = metric
        .exporters
        .first()
        .map(|exporter| exporter.value.as_slice());
    format!(
        "{} | {} | {} | {} | {} {parts}",
        metric.settings.name.as_bstr(),
        metric.filter,
        names(&metric.settings.fields),
        levels.join(", "),
        exporter.unwrap_or(b"-").as_bstr(),
    )
}

fn exporters(settings: &Settings) -> Vec<String> {
    settings
        .exporters
        .iter()
        .map(|exporter| {
            let name = exporter.name.as_bstr();
            let (format, time) = (exporter.format, exporter.time_style);
            format!("{name} {format:?} {time:?} {}", exporter.transport.name())
        })
        .collect()
}

/// The filter of the article that all of these configurations have.
const SELECT: &str = r#"((((event="imap_command_finished" AND "tagged_reply_state"="OK") AND ("cmd_name"="SELECT" OR "cmd_name"="EXAMINE")) AND (NOT "mailbox"="INBOX")))"#;
const ALL: &str = r#"((event="*" AND (NOT event="mail_cache_lookup_finished")))"#;

/// What Dovecot 2.4.1 makes of defaults, paths and groups: its stats process
/// was asked with `doveadm stats dump`.
#[test]
fn defaults_and_groups() {
    let read = |name: &str| {
        let loaded = crate::load_file(&crate::testdata("2.4/good").join(name), None);
        metrics(&loaded.settings)
    };
    assert_eq!(
        read("defaults.conf"),
        [r#"m | (event="x") | x |  | a nhtcf"#]
    );
    assert_eq!(
        read("groups.conf"),
        [
            r#"auth_successes | ((event="auth_request_finished" AND "success"="yes")) |  |  | - nhtcf"#,
            r#"auth_failures | ((event="auth_request_finished" AND (NOT "success"="yes"))) |  |  | - nhtcf"#,
            r#"login_aborted | (event="login_aborted") |  | reason Discrete([]) | - nhtcf"#,
            r#"a | (event="x") |  |  | - nhtcf"#,
        ]
    );
    assert_eq!(
        read("lists.conf"),
        [r#"a | (event="x") | a c d e |  | - ntcf"#]
    );
}

#[test]
fn the_article() {
    let settings = read("2.3.19-seed.conf", Dialect::V2_3);
    let fields = "user cmd_name mailbox duration bytes_in bytes_out session remote_ip";
    assert_eq!(
        metrics(&settings),
        [
            format!("imap/log/select | {SELECT} | {fields} |  | log_tab tf"),
            format!("log/all | {ALL} |  |  | log_tab nhtcf"),
            "pop3_disconnects | ((event=\"server_connection_disconnected\" AND category=\"service:pop3\")) |  |  | - nhtcf".to_owned(),
        ]
    );
    assert_eq!(exporters(&settings), ["log_tab TabText Rfc3339 log"]);
}

#[test]
fn wide_2_3() {
    let settings = read("2.3.19-wide.conf", Dialect::V2_3);
    let fields = "user cmd_name mailbox duration bytes_in bytes_out session remote_ip";
    let finished = r#"(event="imap_command_finished")"#;
    assert_eq!(
        metrics(&settings),
        [
            format!("imap/log/select | {SELECT} | {fields} |  | log_tab tf"),
            format!("log/all | {ALL} |  |  | log_tab nhtcf"),
            r#"log/json | ((event="smtp_server*" OR category="storage")) |  |  | log_json ntcf"#.to_owned(),
            format!(
                "imap_commands | {finished} |  | cmd_name Discrete([]), tagged_reply_state Discrete([]) | - nhtcf"
            ),
            format!(
                "imap_duration | {finished} |  | cmd_name Discrete([]), duration Exponential(Exponential {{ min_magnitude: 1, max_magnitude: 5, base: 10 }}) | - nhtcf"
            ),
            r#"bytes | ((event="imap_command_finished" AND "bytes_out">"100")) | bytes_in bytes_out running_usecs | bytes_out Linear(Linear { min: 0, max: 1000, step: 100 }) | - nhtcf"#.to_owned(),
            r#"reasons | (event="*") |  | reason_code Discrete([]) | - nhtcf"#.to_owned(),
            r#"unnamed | (category="auth") |  |  | - nhtcf"#.to_owned(),
            r#"pop3_bye | ((event="server_connection_disconnected" AND category="service:pop3")) |  |  | - nhtcf"#.to_owned(),
        ]
    );
    assert_eq!(
        exporters(&settings),
        ["log_tab TabText Rfc3339 log", "log_json Json Unix log"]
    );
}

#[test]
fn wide_2_4() {
    let settings = read("2.4.1-wide.conf", Dialect::V2_4);
    let fields = "user cmd_name mailbox duration net_in_bytes net_out_bytes session remote_ip";
    let finished = r#"(event="imap_command_finished")"#;
    assert_eq!(
        metrics(&settings),
        [
            format!("imap-log-select | {SELECT} | {fields} |  | log_tab tf"),
            format!("log-all | {ALL} |  |  | log_tab nhtcf"),
            r#"log-json | ((event="smtp_server*" OR category="storage")) |  |  | log_json ntcf"#.to_owned(),
            format!(
                "imap_commands | {finished} |  | cmd_name Discrete([]), tagged_reply_state Discrete([]) | - nhtcf"
            ),
            format!(
                "imap_duration | {finished} |  | cmd_name Discrete([]), duration Exponential(Exponential {{ min_magnitude: 1, max_magnitude: 5, base: 10 }}) | - nhtcf"
            ),
            r#"bytes | ((event="imap_command_finished" AND "net_out_bytes">"1024")) | net_in_bytes net_out_bytes running_usecs | net_out_bytes Linear(Linear { min: 0, max: 1000, step: 100 }) | - nhtcf"#.to_owned(),
            r#"reasons | (event="*") |  | reason_code Discrete([]) | - nhtcf"#.to_owned(),
            r#"domains | (event="auth_request_finished") | user | user Discrete([Domain, Upper]) | - nhtcf"#.to_owned(),
            r#"local | ("remote_ip"="127.0.0.0/8") |  |  | - nhtcf"#.to_owned(),
            r#"pop3_bye | ((event="server_connection_disconnected" AND category="service:pop3")) |  |  | - nhtcf"#.to_owned(),
        ]
    );
    assert_eq!(
        exporters(&settings),
        ["log_tab TabText Rfc3339 log", "log_json Json Unix log"]
    );
}
