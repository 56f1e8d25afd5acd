//! Values as Dovecot reads them. The expectations are what `doveconf` 2.3.19
//! and 2.4.1 print.

use bstr::ByteSlice;
use fantail_config::{RawEntry, load_text};
use fantail_event::Dialect::{self, V2_3, V2_4};

/// The value of the last `base_dir` outside of blocks.
fn base_dir(dialect: Dialect, text: &str) -> Option<String> {
    let loaded = crate::read(dialect, text);
    let mut value = None;
    for entry in loaded.raw.top() {
        if let RawEntry::Setting(setting) = entry
            && setting.key.bytes() == b"base_dir"
        {
            value = Some(setting.value.bytes().as_bstr().to_string());
        }
    }
    value
}

#[track_caller]
fn check(text: &str, expected: Option<&str>) {
    for dialect in [V2_3, V2_4] {
        assert_eq!(base_dir(dialect, text).as_deref(), expected, "{text:?}");
    }
}

#[test]
fn comments() {
    check("base_dir = /a # c\n", Some("/a"));
    check("base_dir = /a# c\n", Some("/a"));
    check("base_dir = \"/a # c\" # d\n", Some("/a # c"));
    check("base_dir = '/a # c'\n", Some("/a # c"));
    check("base_dir = a \"b # c\" d # e\n", Some("a \"b # c\" d"));
    check("  # base_dir = /a\n", None);
}

#[test]
fn quotes() {
    check("base_dir = \"/a\" b\n", Some("\"/a\" b"));
    check(
        "base_dir = \"/a\\\"b\\\\c\\nd\\td\"\n",
        Some("/a\"b\\cndtd"),
    );
    check("base_dir = '/a\\'b\\\\c'\n", Some("/a'b\\c"));
    check("base_dir = \"  a  \"\n", Some("  a  "));
    check("base_dir = \"a\"\"b\"\n", Some("a\"\"b"));
    check("base_dir = \"\"\n", Some(""));
    check("base_dir = \"abc\\\"\n", Some("abc"));
    check("base_dir = it's\n", Some("it's"));
}

#[test]
fn blanks() {
    check("base_dir=/a\n", Some("/a"));
    check("   base_dir\t=\t/a \t\r\n", Some("/a"));
    check("base_dir = \n", Some(""));
    check("base_dir = /a", Some("/a"));
    check("base_dir = /a\r\n", Some("/a"));
}

#[test]
fn continuations() {
    check("base_dir = /a \\\n  b   \\\n\tc\n", Some("/a b c"));
    check("base_dir = /a \\ # x\nb\n", Some("/a b"));
    check("base_dir = \"/a \\\n   b\"\n", Some("/a b"));
    check("base_dir =\\\n /a\n", Some("/a"));
    check("base_dir \\\n = /a\n", Some("/a"));
    check("base_dir = \\\n\\\n /b\n", Some("/b"));
    check("\\\nbase_dir = /b\n", Some("/b"));
}

#[test]
fn lost_continuations() {
    check("base_dir = /b\nbase_dir = /a \\\n\n", Some("/b"));
    check("base_dir = /b\nbase_dir = /a \\\n# c\n", Some("/b"));
    check("base_dir = /a\\\n", None);
    check("base_dir = \"/a \\\n", None);
}

/// The description of the metric, or the codes of the errors.
fn description(dialect: Dialect, before: &str, value: &str) -> Result<String, Vec<&'static str>> {
    let text = format!("{before}metric m {{\n  filter = event=x\n  description = {value}\n}}\n");
    let loaded = crate::read(dialect, text);
    match loaded.settings.metrics.first() {
        Some(metric) => Ok(metric.settings.description.as_bstr().to_string()),
        None => Err(loaded
            .diagnostics
            .iter()
            .map(|one| one.code.as_str())
            .collect()),
    }
}

#[track_caller]
fn check_variable(dialect: Dialect, value: &str, expected: Result<&str, &str>) {
    let got = description(dialect, "base_dir = /foo\n", value);
    let expected = expected.map(str::to_owned).map_err(|code| vec![code]);
    assert_eq!(got, expected, "{value}");
}

#[test]
fn variables_of_2_3() {
    check_variable(V2_3, "$base_dir", Ok("/foo"));
    check_variable(V2_3, "a $base_dir b", Ok("a /foo b"));
    check_variable(V2_3, "a\t$base_dir\tb", Ok("a\t/foo\tb"));
    check_variable(
        V2_3,
        "x \"a $base_dir b\" $base_dir y",
        Ok("x \"a /foo b\" /foo y"),
    );
    check_variable(V2_3, "it's $base_dir y", Ok("it's /foo y"));
    check_variable(V2_3, "a \"$base_dir\" b", Ok("a \"$base_dir\" b"));
    check_variable(V2_3, "\"a $base_dir b\"", Ok("a $base_dir b"));
    check_variable(V2_3, "a=$base_dir", Ok("a=$base_dir"));
    check_variable(V2_3, "$base_dir/bar", Err("config/unknown-variable"));
    check_variable(V2_3, "a $ b", Err("config/unknown-variable"));
    check_variable(V2_3, "$filter", Err("config/unknown-variable"));
    check_variable(V2_3, "$ENV:HOME", Err("config/unknown-variable"));
}

#[test]
fn variables_of_2_4() {
    check_variable(V2_4, "$base_dir $ b", Ok("$base_dir $ b"));
    check_variable(V2_4, "a$SET:base_dir", Ok("a$SET:base_dir"));
    check_variable(V2_4, "\"$SET:base_dir\"", Ok("$SET:base_dir"));
    check_variable(V2_4, "x $SET:nope z", Err("config/unknown-variable"));
    check_variable(V2_4, "$SET:base_dir/x", Err("config/unknown-variable"));
    check_variable(V2_4, "%{env:HOME}", Ok("%{env:HOME}"));
}

#[test]
fn the_version_is_found() {
    let dialect = |text: &str| load_text("x", text, &Default::default()).settings.dialect;
    assert_eq!(dialect("# c\n\ndovecot_config_version = 2.4.1\n"), V2_4);
    assert_eq!(dialect("dovecot_config_version = 2.4.0-5\n"), V2_4);
    assert_eq!(dialect("base_dir = /x\n"), V2_3);
    assert_eq!(dialect(""), V2_3);
}

/// A metric with an error in one place is checked in the others, too.
#[test]
fn all_errors_of_a_block() {
    let check = |lines: &str, expected: &[&str]| {
        let loaded = crate::read(V2_3, format!("metric m {{\n{lines}}}\n"));
        let codes: Vec<&str> = loaded
            .diagnostics
            .iter()
            .map(|one| one.code.as_str())
            .collect();
        assert_eq!(codes, expected, "{lines}");
        let broken = loaded.broken_metrics.first();
        let broken = broken.map(|one| (one.fields.len(), one.filter.is_some()));
        (loaded.settings.metrics.len(), broken)
    };
    let left = check(
        "filter = event=\nexporter = nobody\nfields = a b\ngroup_by = c:linear:1\n",
        &[
            "config/filter-syntax",
            "config/unknown-exporter",
            "config/method-arguments",
        ],
    );
    assert_eq!(left, (0, Some((2, false))));
    let left = check(
        "filter = event=x\nexporter = nobody\ngroup_by = c:linear:1\n",
        &["config/unknown-exporter", "config/method-arguments"],
    );
    assert_eq!(left, (0, Some((0, true))));
    let left = check(
        "filter = event=x\nexporter = nobody\n",
        &["config/unknown-exporter"],
    );
    assert_eq!(left, (1, None));
}
