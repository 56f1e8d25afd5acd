//! Everything that is wrong is found in one run, at its line and column.

use fantail_config::{LoadOptions, Memory, Release, load};
use fantail_event::Dialect::{self, V2_3, V2_4};

/// `line:column code` of every diagnostic.
#[track_caller]
fn check(dialect: Dialect, text: &str, expected: &[&str]) {
    let loaded = crate::read(dialect, text);
    let got: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|one| {
            let place = loaded.sources.position(one.primary.as_ref().unwrap().span);
            let code = one.code.as_str().strip_prefix("config/").unwrap();
            format!("{}:{} {code}", place.line, place.column)
        })
        .collect();
    assert_eq!(got, expected, "{text}");
}

/// A metric with one more line.
#[track_caller]
fn check_metric(dialect: Dialect, line: &str, expected: &[&str]) {
    check(
        dialect,
        &format!("metric m {{\n  filter = event=x\n{line}\n}}\n"),
        expected,
    );
}

/// An exporter of these lines.
#[track_caller]
fn check_exporter(dialect: Dialect, lines: &str, expected: &[&str]) {
    check(
        dialect,
        &format!("event_exporter e {{\n{lines}\n}}\n"),
        expected,
    );
}

#[test]
fn within_a_filter_of_many_lines() {
    let text = "metric m {\n  filter = event=x AND \\\n\t a == b \\ # c\n  OR \\\n    (c = \"d\" AND e)\n}\n";
    check(V2_3, text, &["3:5 filter-syntax", "5:19 filter-syntax"]);
    let text = "metric m {\n  filter = \"event=x AND \\\"a b\\\" == c\"\n}\n";
    check(V2_4, text, &["2:33 filter-syntax"]);
    let text = "metric m {\n  filter = 'a=\"b' \n}\n";
    check(V2_4, text, &["2:15 filter-syntax"]);
    check(
        V2_4,
        "metric m {\n  filter = a=\n}\n",
        &["2:14 filter-syntax"],
    );
    check(
        V2_4,
        "metric m {\n  filter = \\\n\n}\n",
        &["1:1 missing-filter", "2:3 lost-continuation"],
    );
}

#[test]
fn within_a_variable() {
    let text = "login_greeting = a ==\nmetric m {\n  filter = event=x AND $login_greeting b\n}\n";
    check(V2_3, text, &["1:20 filter-syntax"]);
}

#[test]
fn exporters_of_2_3() {
    check_exporter(V2_3, "", &["1:1 missing-format", "1:1 missing-transport"]);
    check_exporter(
        V2_3,
        "format = \ntransport = x",
        &["2:1 missing-format", "3:13 unknown-transport"],
    );
    check_exporter(V2_3, "format = none\ntransport = log", &[]);
    check_exporter(V2_3, "format=xml\ntransport=log", &["2:8 unknown-format"]);
    check_exporter(
        V2_3,
        "format = json\ntransport = log",
        &["1:1 missing-time-format"],
    );
    check_exporter(
        V2_3,
        "format = json\ntransport = log\nformat_args =",
        &["4:14 missing-time-format"],
    );
    check_exporter(
        V2_3,
        "format = json\ntransport = log\nformat_args = time-unix foo time-rfc3339 bar",
        &[
            "4:25 unknown-format-argument",
            "4:29 two-time-formats",
            "4:42 unknown-format-argument",
        ],
    );
    check_exporter(
        V2_3,
        "format = none\ntransport = log\ntransport_timeout = 5",
        &["4:21 invalid-interval"],
    );
    check_exporter(
        V2_3,
        "format = none\ntransport = unix",
        &["3:13 missing-path"],
    );
    check_exporter(
        V2_3,
        "format = none\ntransport = log\nformat = none",
        &["4:1 repeated"],
    );
}

#[test]
fn exporters_of_2_4() {
    check_exporter(V2_4, "", &["1:1 missing-format"]);
    check_exporter(V2_4, "format = json", &[]);
    check_exporter(
        V2_4,
        "format = json\ndriver = http_post",
        &["3:10 unknown-transport"],
    );
    check_exporter(
        V2_4,
        "format = json\ntime_format = rfc3339 unix",
        &["3:15 unknown-time-format"],
    );
    check_exporter(
        V2_4,
        "format = json\nevent_exporter_driver = file",
        &["3:25 missing-path"],
    );
    check_exporter(
        V2_4,
        "format = json\nunix_connect_timeout = 3\ndriver = log",
        &["3:24 invalid-interval"],
    );
    check(
        V2_4,
        "event_exporter_format = json\nevent_exporter e {\n}\n",
        &["2:1 missing-format"],
    );
}

#[test]
fn names() {
    check(V2_3, "metric {\nfilter = a=b\n}\n", &["1:1 empty-name"]);
    check(
        V2_4,
        "metric \"\" {\nfilter = a=b\n}\n",
        &["1:1 empty-name"],
    );
    check(
        V2_4,
        "metric __a {\nfilter = a=b\n}\n",
        &["1:8 reserved-name"],
    );
    check(V2_3, "metric __a {\nfilter = a=b\n}\n", &[]);
    check(
        V2_3,
        "metric a {\nfilter = a=b\n}\nmetric b {\nmetric_name = a\nfilter = a=b\n}\n",
        &["4:1 name-taken"],
    );
    check(
        V2_3,
        "metric a {\nfilter = a=b\n}\nmetric a {\nfilter = a=c\nfields = x\n}\n",
        &["5:1 merged-block"],
    );
}

#[test]
fn exporters_that_do_not_exist() {
    check_metric(V2_3, "exporter = x", &["3:12 unknown-exporter"]);
    check_metric(V2_4, "exporter = x", &["3:12 unknown-exporter"]);
    check_metric(V2_4, "exporter =", &[]);
    // One that is refused itself is not reported twice.
    check(
        V2_4,
        "event_exporter e {\nformat = x\n}\nmetric m {\nfilter = a=b\nexporter = e\n}\n",
        &["2:10 unknown-format"],
    );
}

#[test]
fn group_by_of_2_3() {
    check_metric(V2_3, "group_by = a:log", &["3:12 unknown-method"]);
    check_metric(
        V2_3,
        "group_by = a b:exponential:1:2 c",
        &["3:14 method-arguments"],
    );
    check_metric(
        V2_3,
        "group_by = a:linear:0:10:0",
        &["3:12 invalid-buckets"],
    );
    check_metric(
        V2_3,
        "group_by = a:linear:+1:10:1",
        &["3:12 method-arguments"],
    );
    check_metric(
        V2_3,
        "group_by = a:linear:0:9223372036854775808:1",
        &["3:12 method-arguments"],
    );
    check_metric(V2_3, "group_by = a:linear:0:65536:1", &[]);
    check_metric(
        V2_3,
        "group_by = a:linear:0:9223372036854775807:1",
        &["3:12 invalid-buckets"],
    );
    check_metric(V2_3, "group_by = a:discrete:x", &["3:12 invalid-modifier"]);
    check_metric(V2_3, "group_by = a:discrete:%{domain}", &[]);
    check_metric(
        V2_3,
        "group_by = \\\n  a \\\n  b:x",
        &["5:3 unknown-method"],
    );
    check_metric(V2_3, "group_by a {\n}", &["3:1 wrong-kind"]);
}

#[test]
fn group_by_of_2_4() {
    let method = |body: &str| format!("group_by a {{\nmethod {body}\n}}\n}}");
    check_metric(V2_4, &method("log {"), &["4:8 unknown-method"]);
    check_metric(V2_4, &method("linear {\nmax = 5"), &["4:1 invalid-buckets"]);
    check_metric(
        V2_4,
        &method("linear {\nmax = 5\nstep = 6"),
        &["6:8 invalid-buckets"],
    );
    check_metric(
        V2_4,
        &method("linear {\nmin = x\nstep = -6"),
        &["5:7 invalid-number", "6:8 invalid-number"],
    );
    check_metric(
        V2_4,
        &method("exponential {\nbase = 3\nmax_magnitude = 5"),
        &["5:8 invalid-buckets"],
    );
    check_metric(
        V2_4,
        &method("discrete {\nmodifier = %{value | foo}"),
        &["5:12 invalid-modifier"],
    );
    check_metric(
        V2_4,
        &method("discrete {\nmin = 1"),
        &["5:1 unknown-setting"],
    );
    check_metric(V2_4, "group_by = a", &["3:1 wrong-kind"]);
    check_metric(V2_4, "group_by {\n}", &["3:1 empty-name"]);
}

#[test]
fn unknown_names() {
    check_metric(V2_3, "event_name = x", &["3:1 unknown-setting"]);
    check_metric(V2_3, "metric_filter = x", &["3:1 unknown-setting"]);
    check_metric(V2_3, "nothing {\n}", &["3:1 unknown-block"]);
    check_metric(V2_3, "fields {\n}", &["3:1 wrong-kind"]);
    check_metric(
        V2_4,
        "nothing = x\n\"more\" = y",
        &["3:1 unknown-setting", "4:1 unknown-setting"],
    );
    check_metric(
        V2_4,
        "fields {\n a = maybe\n b {\n }\n}",
        &["4:6 invalid-boolean", "5:2 wrong-kind"],
    );
    check_metric(
        V2_4,
        "exporter_include = names, fields",
        &["3:20 unknown-part"],
    );
    check(V2_3, "metrics a {\n}\n", &["1:1 unknown-block"]);
    check(V2_3, "anything a {\n}\nelse = x\n", &[]);
    check(
        V2_3,
        "protocol imap {\n metric a {\n  x = y\n }\n}\n",
        &["2:2 out-of-sight"],
    );
}

#[test]
fn lines() {
    check(V2_3, "a\n", &["1:1 expected-brace"]);
    check(
        V2_3,
        "  a b c {\n  x\n}\n",
        &["1:7 expected-brace", "2:3 expected-brace"],
    );
    check(V2_3, "a { b = c\n}\n", &["1:4 garbage-after-brace"]);
    check(V2_3, "a { b = c }\n", &["1:4 garbage-after-brace"]);
    check(V2_3, "= b\n", &["1:1 missing-key"]);
    check(V2_3, "a {\n}\n}\n", &["3:1 unexpected-brace"]);
    check(V2_3, "a {\n b {\n}\n", &["2:2 unclosed-block"]);
    check(V2_3, "} x\n", &["1:1 expected-brace"]);
    check(V2_3, "a = \"b\n", &["1:5 unterminated-quote"]);
    check(V2_3, "a = 'b \\\n c\n", &["1:5 unterminated-quote"]);
    check(V2_3, "a \"b {\n}\n", &["1:3 unterminated-quote"]);
    check(V2_3, "a = b# c\n", &["1:6 ambiguous-comment"]);
    check(V2_3, "a = b \\", &["1:1 lost-continuation"]);
}

/// The article as it is pasted without its closing braces.
#[test]
fn blocks_that_are_not_closed_are_found_by_their_indentation() {
    let article = "event_exporter log_tab {\n  format = tab-text\n  format_args = time-rfc3339\n  \
         transport = log\n\nmetric imap/log/select {\n  filter = event=imap_command_finished\n  \
         exporter = log_tab\n";
    check(V2_3, article, &["1:1 unclosed-block"]);
    let loaded = crate::read(V2_3, article);
    let only = loaded.diagnostics.iter().next().unwrap();
    assert_eq!(only.message, "`event_exporter log_tab` is never closed");
    let other = loaded.sources.slice(only.notes[0].span.unwrap());
    assert_eq!(other, b"metric imap/log/select {");
    assert_eq!(loaded.settings.metrics.len(), 1);
    // Only the first has no brace; and a block within another.
    let first = article.replace("log_tab\n", "log_tab\n}\n");
    check(V2_3, &first, &["1:1 unclosed-block"]);
    let inner =
        "metric m {\n  filter = event=x\n  group_by a {\n}\nmetric n {\n  filter = event=x\n}\n";
    check(V2_4, inner, &["3:3 unclosed-block"]);
    // Without indentation only the braces count.
    check(V2_3, "a {\nb {\n}\nc {\n}\n", &["1:1 unclosed-block"]);
}

/// The dialect of a configuration, and what is said of it.
#[track_caller]
fn check_dialect(files: &[(&str, &str)], dialect: Dialect, expected: &[&str]) {
    let memory = files.iter().fold(Memory::new(), |memory, (name, text)| {
        memory.with(*name, *text)
    });
    let loaded = load(files[0].0.as_bytes(), &memory, &LoadOptions::default());
    let codes = loaded.diagnostics.iter().map(|one| one.code.as_str());
    assert_eq!(loaded.settings.dialect, dialect);
    assert_eq!(codes.collect::<Vec<_>>(), expected);
}

#[test]
fn the_series_is_recognised() {
    let missing = ["config/missing-version"];
    let metric = "metric m {\n  filter = event=x\n  group_by a {\n  }\n}\n";
    check_dialect(&[("f", metric)], V2_4, &missing);
    let exporter = "event_exporter e {\n  driver = log\n  format = json\n  time_format = unix\n}\n";
    check_dialect(&[("f", exporter)], V2_4, &missing);
    check_dialect(&[("f", "metric m {\n  filter = event=x\n}\n")], V2_3, &[]);
    let old = "event_exporter e {\n  transport = log\n  format = none\n}\n";
    let both = format!("{old}{metric}");
    check_dialect(&[("f", &both)], V2_3, &["config/wrong-kind"]);
    // A file of fantail's own need not say what Dovecot's says.
    let dovecot = format!("dovecot_config_version = 2.4.1\n{metric}");
    let files = [
        ("/f/fantail.conf", "!include /d/dovecot.conf\n"),
        ("/d/dovecot.conf", &dovecot),
    ];
    check_dialect(&files, V2_4, &[]);
    let memory = Memory::new().with(files[0].0, files[0].1);
    let memory = memory.with(files[1].0, files[1].1);
    let loaded = load(files[0].0.as_bytes(), &memory, &LoadOptions::default());
    assert_eq!(loaded.settings.release, Release::parse("2.4.1"));
    let late = format!("{metric}dovecot_config_version = 2.4.1\n");
    check_dialect(
        &[("f", &late)],
        V2_3,
        &["config/wrong-kind", "config/late-version"],
    );
}
