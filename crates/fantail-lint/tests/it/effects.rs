//! Settings that have no effect, or another one than was meant.

use fantail_event::Dialect::{V2_3, V2_4};

use crate::found::{filter, found, metric};

/// `=""` asks whether a field is there: a misspelt one never is.
#[test]
fn fields_that_are_asked_to_be_there_or_not() {
    let imap = |rest: &str| format!("event=imap_command_finished AND {rest}");
    let usr = "warning[lint/unknown-field]: no event of Dovecot is known to carry `usr`";
    filter(V2_4, &imap("usr=\"\""), &[&format!("2:44: {usr}")]);
    filter(V2_4, &imap("NOT usr=\"\""), &[&format!("2:48: {usr}")]);
    let renamed = "2:48: warning[lint/renamed-field]: Dovecot 2.4 calls `bytes_in` `net_in_bytes`";
    filter(V2_4, &imap("NOT bytes_in=\"\""), &[renamed]);
    // That other events carry it matters only where it is asked for.
    let other = "hint[lint/field-not-carried]: `rcpt_to` is not known to be a field of \
                 `imap_command_finished`";
    filter(V2_4, &imap("rcpt_to=\"\""), &[]);
    filter(
        V2_4,
        &imap("NOT rcpt_to=\"\""),
        &[&format!("2:48: {other}")],
    );
    filter(V2_4, &imap("NOT user=\"\""), &[]);
}

#[test]
fn settings_without_effect() {
    let imap = "event=imap_command_finished";
    let hint = |place: &str, field: &str| {
        format!(
            "{place}: hint[lint/no-effect]: `{field}` is no number: in a metric without an \
             exporter it has no effect but a row of zeros"
        )
    };
    metric(V2_4, imap, "  fields = net_in_bytes duration\n", &[]);
    let fields = "  fields = net_in_bytes user cmd_name\n";
    metric(V2_4, imap, fields, &[&hint("3:25", "user")]);
    metric(
        V2_3,
        "event=*",
        "  fields = user\n",
        &[
            "2:12: hint[lint/matches-everything]: every event that has a name matches this filter",
            &hint("3:12", "user"),
        ],
    );
    // Of what no event carries it is not known whether it is a number.
    let own = "  fields = own\n";
    let unknown = "3:12: hint[lint/unknown-field]: no event of Dovecot is known to carry `own`";
    metric(V2_4, imap, own, &[unknown]);
    let include = "3:3: hint[lint/no-effect]: `exporter_include` has no effect in a metric without \
                   an `exporter`";
    metric(V2_4, imap, "  exporter_include = fields\n", &[include]);
    assert!(
        found(
            V2_3,
            &crate::exporting(V2_3, "imap_command_finished", &["user"]),
            false
        )
        .is_empty()
    );
}

#[test]
fn tabs_on_their_way_through_syslog() {
    let exporter = |more: &str| {
        let exporter = "event_exporter e {\n  format = tab-text\n  format_args = time-unix\n  \
                        transport = log\n}\nmetric m {\n  filter = event=fs\n  exporter = e\n}\n";
        found(V2_3, &format!("{exporter}{more}"), false)
    };
    let hint = "2:12: hint[lint/tabs-in-syslog]: the TABs of `e` go to syslog (`log_path`, \
                `info_log_path`), where rsyslog writes `#011`";
    assert_eq!(exporter(""), [hint]);
    assert_eq!(exporter("log_path = syslog\n"), [hint]);
    assert_eq!(exporter("log_path = /var/log/dovecot.log\n"), [""; 0]);
    assert_eq!(exporter("info_log_path = /var/log/dovecot.log\n"), [""; 0]);
    assert_eq!(
        exporter("event_exporter e {\n  message_tabs = replace\n}\n"),
        [""; 0]
    );
    assert_eq!(
        exporter("event_exporter e {\n  format = json\n}\n"),
        [""; 0]
    );
}
