//! Includes, and values from files.

use fantail_config::{LoadOptions, Loaded, Memory, load};

fn read(files: &Memory) -> Loaded {
    load(b"/etc/dovecot.conf", files, &LoadOptions::default())
}

/// Names of metrics, and the diagnostics without their messages.
#[track_caller]
fn check(files: &Memory, metrics: &[&str], diagnostics: &[&str]) {
    let loaded = read(files);
    let names: Vec<_> = loaded
        .settings
        .metrics
        .iter()
        .map(|metric| String::from_utf8_lossy(&metric.settings.name))
        .collect();
    assert_eq!(names, metrics);
    let lines = loaded.diagnostics.to_lines(&loaded.sources);
    let codes: Vec<_> = lines
        .lines()
        .map(|line| &line[..=line.find(']').unwrap()])
        .collect();
    assert_eq!(codes, diagnostics, "{lines}");
}

fn metric(name: &str) -> String {
    format!("metric {name} {{\n  filter = event={name}\n}}\n")
}

#[test]
fn in_the_order_of_names_and_relative() {
    let files = Memory::new()
        .with(
            "/etc/dovecot.conf",
            format!("{}!include conf.d/*.conf\n{}", metric("a"), metric("z")),
        )
        .with("/etc/conf.d/20.conf", metric("c"))
        .with(
            "/etc/conf.d/10.conf",
            format!("!include more\n{}", metric("b")),
        )
        .with("/etc/conf.d/more", metric("bb"))
        .with("/etc/conf.d/.hidden.conf", metric("h"))
        .with("/etc/conf.d/sub/30.conf", metric("s"));
    check(&files, &["a", "bb", "b", "c", "z"], &[]);
}

#[test]
fn within_a_block() {
    let files = Memory::new()
        .with("/etc/dovecot.conf", "metric a {\n!include f\n}\n")
        .with("/etc/f", "filter = event=x\nfields = y\n");
    let loaded = read(&files);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    let metric = &loaded.settings.metrics[0];
    assert_eq!(metric.settings.fields, [b"y"]);
    assert_eq!(
        loaded.sources.name(metric.filter_text.span().file),
        b"/etc/f"
    );
}

#[test]
fn missing_files() {
    let main = "!include nothing\n!include no*\n!include_try nothing\n!include_try no*\n!include\n";
    check(
        &Memory::new().with("/etc/dovecot.conf", main),
        &[],
        &[
            "/etc/dovecot.conf:1:10: error[config/file-not-found]",
            "/etc/dovecot.conf:2:10: error[config/file-not-found]",
            "/etc/dovecot.conf:5:1: warning[config/missing-include]",
        ],
    );
    check(&Memory::new(), &[], &["error[config/file-not-found]"]);
}

#[test]
fn loops() {
    let files = Memory::new()
        .with("/etc/dovecot.conf", "!include a\n!include a\n")
        .with("/etc/a", format!("!include b\n{}", metric("m")))
        .with("/etc/b", "!include dovecot.conf\n!include b\n");
    check(
        &files,
        &["m"],
        &[
            "/etc/b:1:10: error[config/include-loop]",
            "/etc/b:2:10: error[config/include-loop]",
            "/etc/a:3:3: warning[config/merged-block]",
            "/etc/b:1:10: error[config/include-loop]",
            "/etc/b:2:10: error[config/include-loop]",
        ],
    );
}

#[test]
fn braces_balance_in_each_file() {
    let files = Memory::new()
        .with(
            "/etc/dovecot.conf",
            format!(
                "metric a {{\n!include f\nfilter = event=x\n}}\n{}",
                metric("b")
            ),
        )
        .with("/etc/f", "}\nmetric c {\n");
    check(
        &files,
        &["a", "b"],
        &[
            "/etc/f:1:1: error[config/unexpected-brace]",
            "/etc/f:2:1: error[config/unclosed-block]",
            "/etc/f:2:1: error[config/unknown-block]",
        ],
    );
}

#[test]
fn values_from_files() {
    let main = "login_greeting = </etc/none\nmetric a {\n  filter = <filter\n}\nmetric b {\n  filter = <none\n}\n";
    let files = Memory::new()
        .with("/etc/dovecot.conf", main)
        .with("/etc/filter", "event=x AND\n  a == b\n");
    check(
        &files,
        &[],
        &[
            "/etc/dovecot.conf:6:13: error[config/file-unreadable]",
            "/etc/filter:2:5: error[config/filter-syntax]",
        ],
    );
}
