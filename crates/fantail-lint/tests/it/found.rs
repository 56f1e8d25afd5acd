//! Each check: what it finds, and what it leaves alone.

use fantail_config::{LoadOptions, Memory, Release, load, load_text};
use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_lint::{Catalogue, Reader, check, check_reader};

/// What is found in a configuration, as `line:column code` and message.
pub(crate) fn found(dialect: Dialect, text: &str, public: bool) -> Vec<String> {
    let loaded = crate::read(dialect, text);
    let findings = check(&loaded, &Catalogue::new(), &|_| public);
    let lines = findings.iter().map(|one| one.to_line(&loaded.sources));
    lines
        .map(|line| line.trim_start_matches("x:").to_owned())
        .collect()
}

/// What is found in a metric with this filter and these further lines.
#[track_caller]
pub(crate) fn metric(dialect: Dialect, filter: &str, more: &str, expected: &[&str]) {
    let text = format!("metric m {{\n  filter = {filter}\n{more}}}\n");
    assert_eq!(found(dialect, &text, false), expected, "{filter} {more}");
}

#[track_caller]
pub(crate) fn filter(dialect: Dialect, text: &str, expected: &[&str]) {
    metric(dialect, text, "", expected);
}

#[test]
fn the_language_itself() {
    filter(
        V2_4,
        "event=imap_command_finished AND cmd_name=A OR cmd_name=B",
        &["2:12: warning[lint/odd-filter]: filter: AND and OR are mixed without parentheses (W01)"],
    );
    let clear = "event=imap_command_finished AND (cmd_name=A OR cmd_name=B)";
    filter(V2_4, clear, &[]);
}

#[test]
fn events() {
    for name in [
        "imap_command_finished",
        "imap_*",
        "*_finished",
        "dict_set_key",
    ] {
        filter(V2_4, &format!("event={name}"), &[]);
    }
    filter(
        V2_3,
        "event=mail_delivery",
        &["2:18: warning[lint/unknown-event]: Dovecot has no event `mail_delivery`"],
    );
    filter(
        V2_3,
        "event=quota",
        &["2:18: warning[lint/unknown-event]: Dovecot has no event `quota`"],
    );
    filter(
        V2_4,
        "event=imap_cmd_*",
        &["2:18: warning[lint/unknown-event]: no event of Dovecot has a name like `imap_cmd_*`"],
    );
    // Letter case counts.
    filter(
        V2_4,
        "event=Imap_command_finished",
        &["2:18: warning[lint/unknown-event]: Dovecot has no event `Imap_command_finished`"],
    );
}

/// What is found in a metric with this filter by a release of Dovecot.
#[track_caller]
fn by_release(release: &str, filter: &str, expected: &[&str]) {
    let options = LoadOptions {
        release: Release::parse(release),
        ..LoadOptions::default()
    };
    let text = format!("metric m {{\n  filter = {filter}\n}}\n");
    let loaded = load_text("x", text, &options);
    let findings = check(&loaded, &Catalogue::new(), &|_| false);
    let lines = findings.iter().map(|one| one.to_line(&loaded.sources));
    let lines: Vec<String> = lines
        .map(|line| line.trim_start_matches("x:").to_owned())
        .collect();
    assert_eq!(lines, expected, "{filter} in {release}");
}

#[test]
fn events_and_fields_of_a_release() {
    let event = "event=proxy_session_started";
    let finding = "2:18: warning[lint/event-version]: Dovecot 2.3.13 does not send \
                   `proxy_session_started`";
    by_release("2.3.13", event, &[finding]);
    by_release("2.3.18", event, &[]);
    filter(V2_3, event, &[]);
    // Dropped in 2.3.18.
    let dropped = "event=mail_cache_lookup_finished";
    by_release("2.3.17", dropped, &[]);
    let finding = "2:18: warning[lint/event-version]: Dovecot 2.3.19 does not send \
                   `mail_cache_lookup_finished`";
    by_release("2.3.19.1", dropped, &[finding]);
    let field = "event=imap_id_received AND trusted=yes";
    let finding = "2:39: warning[lint/field-version]: Dovecot 2.4.1 does not send `trusted` in \
                   these events";
    by_release("2.4.1", field, &[finding]);
    by_release("2.4.5", field, &[]);
    filter(V2_4, field, &[]);
}

#[test]
fn the_release_is_that_of_the_configuration() {
    let findings = |version: &str| {
        let text = format!(
            "dovecot_config_version = {version}\nmetric m {{\n  filter = \
             event=imap_id_received AND trusted=yes\n}}\n"
        );
        let loaded = load_text("x", text, &LoadOptions::default());
        check(&loaded, &Catalogue::new(), &|_| false).len()
    };
    assert_eq!(findings("2.4.1"), 1);
    assert_eq!(findings("2.4.3"), 0);
}

#[test]
fn versions_of_events() {
    filter(
        V2_3,
        "event=imap_id_received",
        &["2:18: warning[lint/event-version]: Dovecot 2.3 does not send `imap_id_received`"],
    );
    filter(
        V2_4,
        "event=mail_cache_lookup_finished",
        &[
            "2:18: warning[lint/event-version]: Dovecot 2.4 does not send `mail_cache_lookup_finished`",
        ],
    );
    // Excluding what is not there does no harm.
    filter(
        V2_4,
        "event=imap_* AND NOT event=mail_cache_lookup_finished",
        &[],
    );
}

#[test]
fn none_and_all() {
    filter(
        V2_4,
        "event=imap_command_finished AND event=pop3_command_finished",
        &["2:12: warning[lint/never-matches]: no event can match this filter"],
    );
    filter(
        V2_4,
        "event=imap_command_finished OR event=pop3_command_finished",
        &[],
    );
    filter(
        V2_4,
        "event=imap_* AND NOT event=imap*",
        &["2:12: warning[lint/never-matches]: no event can match this filter"],
    );
    let all =
        "2:12: hint[lint/matches-everything]: every event that has a name matches this filter";
    filter(V2_3, "event=*", &[all]);
    filter(V2_4, "event=*", &[all]);
    filter(
        V2_4,
        "event=* AND NOT event=mail_cache_lookup_finished",
        &[all],
    );
    filter(V2_4, "event=* AND user=a", &[]);
}

#[test]
fn categories() {
    for name in ["imap", "mail", "service:imap", "service:own", "error"] {
        filter(V2_4, &format!("category={name}"), &[]);
    }
    filter(
        V2_4,
        "category=imaps",
        &["2:21: warning[lint/unknown-category]: Dovecot has no category `imaps`"],
    );
    filter(
        V2_4,
        "category=sieve*",
        &["2:21: warning[lint/unknown-category]: Dovecot has no category `sieve*`"],
    );
}

#[test]
fn fields() {
    let imap = |rest: &str| format!("event=imap_command_finished AND {rest}");
    for rest in [
        "user=a",
        "duration>5",
        "mailbox=INBOX",
        "reason_code=imap:cmd_select",
        "foo=\"\"",
    ] {
        filter(V2_4, &imap(rest), &[]);
    }
    filter(
        V2_4,
        &imap("usr=a"),
        &["2:44: warning[lint/unknown-field]: no event of Dovecot is known to carry `usr`"],
    );
    filter(
        V2_4,
        &imap("frobnication=a"),
        &["2:44: hint[lint/unknown-field]: no event of Dovecot is known to carry `frobnication`"],
    );
    filter(
        V2_4,
        &imap("rcpt_to=a"),
        &[
            "2:44: hint[lint/field-not-carried]: `rcpt_to` is not known to be a field of `imap_command_finished`",
        ],
    );
    filter(
        V2_3,
        "event=auth_request_finished AND protocol=imap",
        &[
            "2:44: warning[lint/field-version]: Dovecot 2.3 does not send `protocol` in these events",
        ],
    );
    filter(
        V2_4,
        "event=auth_request_finished AND service=imap",
        &["2:44: warning[lint/field-version]: Dovecot 2.4 does not send `service` in these events"],
    );
    // What an unknown event carries is unknown, too.
    metric(
        V2_4,
        "event=my_own AND frob=1",
        "  fields = nicate\n",
        &["2:18: warning[lint/unknown-event]: Dovecot has no event `my_own`"],
    );
    // In an alternative, it is enough that one of the events has the field.
    filter(
        V2_4,
        "(event=imap_command_finished AND cmd_name=LIST) OR (event=pop3_command_finished AND reply_state=OK)",
        &[],
    );
}

#[test]
fn renamed_fields() {
    metric(
        V2_4,
        "event=imap_command_finished AND bytes_in>5",
        "  fields = bytes_out\n",
        &[
            "2:44: warning[lint/renamed-field]: Dovecot 2.4 calls `bytes_in` `net_in_bytes`",
            "3:12: warning[lint/renamed-field]: Dovecot 2.4 calls `bytes_out` `net_out_bytes`",
        ],
    );
    filter(
        V2_3,
        "event=imap_command_finished AND net_in_bytes>5",
        &["2:44: warning[lint/renamed-field]: Dovecot 2.3 calls `net_in_bytes` `bytes_in`"],
    );
    filter(
        V2_4,
        "event=pop3_command_finished AND reply=OK",
        &[
            "2:44: warning[lint/renamed-field]: `reply` is documented, but what is sent is `reply_state`",
        ],
    );
}

#[test]
fn types() {
    filter(
        V2_4,
        "event=imap_command_finished AND cmd_name>5",
        &[
            "2:44: warning[lint/operator-type]: `>` compares numbers, but `cmd_name` is a text: this never holds",
        ],
    );
    filter(
        V2_4,
        "event=imap_command_finished AND last_run_time>5",
        &[
            "2:44: warning[lint/operator-type]: `last_run_time` is a point in time, which filters cannot compare",
        ],
    );
    filter(
        V2_4,
        "event=auth_request_finished AND remote_ip>10.0.0.0",
        &[
            "2:44: warning[lint/operator-type]: `>` compares numbers, but `remote_ip` is an address: this never holds",
        ],
    );
    filter(
        V2_4,
        "event=imap_command_finished AND net_in_bytes=many",
        &["2:57: warning[lint/value-type]: `net_in_bytes` is a number, which `many` never is"],
    );
    filter(
        V2_3,
        "event=imap_command_finished AND bytes_in>=1M",
        &["2:54: warning[lint/value-type]: `bytes_in` is a number, which `1M` never is"],
    );
    for value in ["1k", "40*", "5"] {
        filter(
            V2_4,
            &format!("event=imap_command_finished AND net_in_bytes={value}"),
            &[],
        );
    }
    filter(
        V2_4,
        "event=auth_request_finished AND remote_ip=localhost",
        &["2:54: warning[lint/value-type]: `remote_ip` is an address, which `localhost` never is"],
    );
    filter(
        V2_4,
        "event=auth_request_finished AND remote_ip=127.0.0.0/8",
        &[],
    );
}

#[test]
fn values() {
    for (rest, column, never) in [
        (
            "event=auth_request_finished AND success=no",
            52,
            "`success` is never `no`",
        ),
        (
            "event=auth_request_finished AND NOT success=no",
            56,
            "`success` is never `no`",
        ),
        (
            "event=imap_command_finished AND tagged_reply_state=OKAY",
            63,
            "`tagged_reply_state` is never `OKAY`",
        ),
        (
            "event=imap_* AND reason_code=imap:fetchbody",
            41,
            "Dovecot has no reason code `imap:fetchbody`",
        ),
    ] {
        filter(
            V2_3,
            rest,
            &[&format!(
                "2:{column}: warning[lint/value-never-sent]: {never}"
            )],
        );
    }
    for rest in [
        "event=auth_request_finished AND NOT success=yes",
        "event=auth_request_finished AND success=\"\"",
        "event=imap_command_finished AND tagged_reply_state=ok",
        "event=imap_command_finished AND tagged_reply_state=B*",
    ] {
        filter(V2_3, rest, &[]);
    }
}

#[test]
fn crashes() {
    let crash = "2:44: error[lint/crashes-dovecot]: this kills every process of Dovecot 2.3 that evaluates it: `bytes_in` is a number";
    filter(
        V2_3,
        "event=imap_command_finished AND bytes_in=1k",
        &[crash],
    );
    for rest in ["bytes_in=1*", "bytes_in=1", "cmd_name=1k"] {
        filter(
            V2_3,
            &format!("event=imap_command_finished AND {rest}"),
            &[],
        );
    }
    filter(V2_4, "event=imap_command_finished AND net_in_bytes=1k", &[]);
}

#[test]
fn grouping() {
    let delivery = "event=mail_delivery_finished";
    let group = |by: &str| format!("  group_by = {by}\n");
    metric(
        V2_3,
        delivery,
        &group("duration:exponential:1:5:10"),
        &[
            "3:14: warning[lint/buckets-miss]: everything of more than 100 ms falls into the last of these buckets",
        ],
    );
    metric(V2_3, delivery, &group("duration:exponential:1:7:10"), &[]);
    metric(
        V2_3,
        "event=imap_command_finished",
        &group("duration:exponential:1:5:10"),
        &[],
    );
    metric(
        V2_3,
        "event=imap_command_finished",
        &group("duration:linear:0:500:100"),
        &["3:14: warning[lint/buckets-miss]: these buckets end before a millisecond"],
    );
    metric(
        V2_3,
        "event=imap_command_finished",
        &group("cmd_name:exponential:1:5:10"),
        &["3:14: warning[lint/buckets-of-text]: `cmd_name` is no number: there will be no buckets"],
    );
    metric(
        V2_3,
        "event=imap_command_finished",
        &group("cmd_name user"),
        &[
            "3:23: warning[lint/many-values]: a series for each value of `user` can become very many",
        ],
    );
    metric(
        V2_4,
        "event=imap_command_finished",
        "  group_by user {\n    method discrete {\n      modifier = %{value | domain}\n    }\n  }\n",
        &[],
    );
}

#[test]
fn names() {
    let text = "metric a/b {\n filter = event=fs\n}\nmetric c-d {\n filter = event=fs\n}\nmetric e:f {\n filter = event=fs\n}\n";
    assert_eq!(
        found(V2_3, text, false),
        ["1:8: hint[lint/hidden-metric]: Prometheus does not see the metric `a/b`"]
    );
    let on_purpose = text.replace("\n}", "\n expose = no\n}");
    assert!(found(V2_3, &on_purpose, false).is_empty());
    let in_vain = text.replace("\n}", "\n expose = yes\n}");
    assert_eq!(found(V2_3, &in_vain, false).len(), 1);
}

#[test]
fn a_series_limit_without_sub_metrics_has_no_effect() {
    let text = "metric a {\n filter = event=fs\n series_limit = 10\n}\n";
    assert_eq!(
        found(V2_3, text, false),
        ["3:2: hint[lint/no-effect]: `series_limit` has no effect in a metric without `group_by`"]
    );
    let grouped = text.replace("\n}", "\n group_by = error\n}");
    let found = found(V2_3, &grouped, false);
    assert!(
        !found.iter().any(|one| one.contains("no-effect")),
        "{found:?}"
    );
}

#[test]
fn exporters() {
    let exporter = "event_exporter e {\n  transport = drop\n  format = none\n}\n";
    assert_eq!(
        found(V2_3, exporter, false),
        ["1:16: warning[lint/unused-exporter]: no metric uses the exporter `e`"]
    );
    let metric = "metric m {\n  filter = event=fs\n  exporter = e\n}\n";
    assert!(found(V2_3, &format!("{exporter}{metric}"), false).is_empty());
    // A metric that has errors uses it, too; and one that names another may
    // have meant it.
    for metric in [
        "  filter = event=\n  exporter = e\n",
        "  filter = event=fs\n  exporter = f\n",
    ] {
        assert!(found(V2_3, &format!("{exporter}metric m {{\n{metric}}}\n"), false).is_empty());
    }
}

/// What is wrong with a metric is told even if its filter cannot be read.
#[test]
fn broken_metrics() {
    metric(
        V2_3,
        "event=",
        "  fields = usr user\n  group_by = cmd_nam\n",
        &[
            "3:12: warning[lint/unknown-field]: no event of Dovecot is known to carry `usr`",
            "4:14: warning[lint/unknown-field]: no event of Dovecot is known to carry `cmd_nam`",
        ],
    );
}

#[test]
fn secrets() {
    let text = "doveadm_password = x\nimapc_password = </etc/secret\npassdb {\n  auth_verbose_passwords = no\n}\n";
    let secret = "1:1: warning[lint/readable-secret]: everybody on this machine can read `doveadm_password` in this file";
    assert_eq!(found(V2_3, text, true), [secret]);
    assert!(found(V2_3, text, false).is_empty());
    for (url, is_secret) in [
        ("https://a:b@host/", true),
        ("https://host/?token=x", true),
        ("https://host/a@b:c", false),
        ("https://host/?format=x", false),
    ] {
        let exporter = format!(
            "event_exporter e {{\n  transport = http-post\n  transport_args = {url}\n  format = none\n}}\n"
        );
        let text = format!("{exporter}metric m {{\n  filter = event=fs\n  exporter = e\n}}\n");
        assert_eq!(
            found(V2_3, &text, true).len(),
            usize::from(is_secret),
            "{url}"
        );
    }
}

/// The sockets of the stats service, none of them Dovecot's.
const LEFT_ALONE: &str = "service stats {\n  unix_listener stats-writer {\n    mode = 0\n  }\n  \
     unix_listener login/stats-writer {\n    mode = 0\n  }\n  \
     unix_listener stats-reader {\n    mode = 0\n  }\n}\n";

/// What `check_reader` says of `fantail.conf`, which includes this
/// `dovecot.conf`, and of that alone.
#[track_caller]
fn sockets(dovecot: &str, fantail: &str, of_both: &[&str], of_dovecots: &[&str]) {
    let memory = Memory::new().with("/d/dovecot.conf", dovecot).with(
        "/f/fantail.conf",
        format!("!include /d/dovecot.conf\n{fantail}"),
    );
    let found = ["/f/fantail.conf", "/d/dovecot.conf"].map(|main| {
        let loaded = load(main.as_bytes(), &memory, &LoadOptions::default());
        let findings = check_reader(&loaded, Reader::ByName).into_iter();
        let messages = findings.map(|one| format!("{}: {}", one.code, one.message));
        messages.collect::<Vec<_>>()
    });
    let expected = [of_both, of_dovecots].map(|messages| {
        let messages = messages.iter();
        messages
            .map(|message| format!("lint/same-sockets: {message}"))
            .collect::<Vec<_>>()
    });
    assert_eq!(found, expected);
}

#[test]
fn sockets_that_dovecot_binds_too() {
    let end = "it does not start while fantail";
    let all = format!(
        "Dovecot binds `stats-writer`, `login/stats-writer` and `stats-reader`, too: {end} runs"
    );
    sockets(LEFT_ALONE, "", &[], &[]);
    // A Dovecot with its own stats process is all right.
    sockets("", "", &[&all], &[]);
    sockets("", LEFT_ALONE, &[&all], &[]);
    sockets("", "base_dir = /elsewhere\n", &[], &[]);
    let partly = LEFT_ALONE.replace("mode = 0\n  }\n}", "mode = 0600\n  }\n}");
    let one = format!("Dovecot binds `stats-reader`, too: {end} runs");
    sockets(&partly, "", &[&one], &[&one]);
    let http = "service stats {\n  inet_listener http {\n    port = 9900\n  }\n}\n";
    let port = format!("Dovecot listens on port 9900, too: {end} does");
    sockets(&format!("{LEFT_ALONE}{http}"), "", &[&port], &[&port]);
    sockets(LEFT_ALONE, http, &[], &[]);
}

/// What `check_reader` says of the file `main` and those that it includes.
#[track_caller]
fn readers(reader: Reader, main: &str, expected: &[&str]) {
    let own = "metric m {\n  filter = event=fs\n  declare = fs:1\n}\n";
    let exporter = "event_exporter e {\n  format = ndjson\n  format_args = time-unix\n  \
                    transport = journal\n  sample = 7\n}\n";
    let memory = Memory::new()
        .with(
            "/d/dovecot.conf",
            format!("{own}!include conf.d/x.conf\n{LEFT_ALONE}"),
        )
        .with("/d/conf.d/x.conf", exporter)
        .with("/f/plain.conf", format!("{exporter}fantail {{\n}}\n"))
        .with(
            "/f/fantail.conf",
            "!include /d/dovecot.conf\n!include plain.conf\n",
        )
        .with("/e/dovecot/conf.d/90-stats.conf", own)
        .with("/e/dovecot/conf.d/notes.ext", own)
        .with("/e/dovecot/local.conf", exporter)
        .with(
            "/e/dovecot/fantail.conf",
            "!include local.conf\n!include conf.d/*\n",
        );
    let loaded = load(main.as_bytes(), &memory, &LoadOptions::default());
    let findings = check_reader(&loaded, reader);
    let lines = findings.iter().map(|one| {
        let line = one.to_line(&loaded.sources);
        let end = ": it refuses the file, and cannot start";
        line.strip_suffix(end).unwrap_or(&line).to_owned()
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{reader:?} {main}");
}

#[test]
fn files_that_dovecot_reads() {
    let known = |place: &str, level: &str, what: &str| {
        let what = format!("Dovecot does not know `{what}`");
        format!("{place}: {level}[lint/unknown-to-dovecot]: {what}")
    };
    let of_dovecot = [
        known("/d/dovecot.conf:3:3", "warning", "declare"),
        known("/d/conf.d/x.conf:2:12", "warning", "ndjson"),
    ];
    let of_dovecot: Vec<&str> = of_dovecot.iter().map(String::as_str).collect();
    readers(Reader::ByName, "/d/dovecot.conf", &of_dovecot);
    readers(Reader::ByName, "/f/fantail.conf", &of_dovecot);
    readers(Reader::Fantail, "/f/fantail.conf", &of_dovecot);
    readers(Reader::Fantail, "/d/dovecot.conf", &[]);
    readers(Reader::ByName, "/f/plain.conf", &[]);
    let included = [
        known("/e/dovecot/local.conf:2:12", "warning", "ndjson"),
        known("/e/dovecot/conf.d/90-stats.conf:3:3", "warning", "declare"),
    ];
    let included: Vec<&str> = included.iter().map(String::as_str).collect();
    readers(Reader::ByName, "/e/dovecot/fantail.conf", &included);
    readers(
        Reader::ByName,
        "/e/dovecot/conf.d/90-stats.conf",
        &included[1..],
    );
    readers(Reader::Fantail, "/e/dovecot/conf.d/90-stats.conf", &[]);
    let certain = [
        known("/f/plain.conf:2:12", "error", "ndjson"),
        known("/f/plain.conf:7:1", "error", "fantail"),
    ];
    let certain: Vec<&str> = certain.iter().map(String::as_str).collect();
    readers(Reader::Dovecot, "/f/plain.conf", &certain);
}
