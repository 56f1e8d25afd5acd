//! What a hostile configuration asks for is refused, and quickly.

use fantail_config::{Limits, LoadOptions, Loaded, Memory, load};

fn read(files: &Memory, limits: Limits) -> Loaded {
    let options = LoadOptions {
        limits,
        ..LoadOptions::default()
    };
    load(b"main", files, &options)
}

/// The diagnostics without places and messages, each once.
#[track_caller]
fn check(files: &Memory, limits: Limits, expected: &[&str]) {
    let loaded = read(files, limits);
    let mut codes: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    codes.dedup();
    assert_eq!(codes, expected);
}

fn main_file(text: impl Into<Vec<u8>>) -> Memory {
    Memory::new().with("main", text)
}

#[test]
fn depth() {
    let deep = format!("{}{}", "a {\n".repeat(33), "}\n".repeat(33));
    check(&main_file(deep), Limits::default(), &["config/too-deep"]);
    let allowed = format!("{}{}", "a {\n".repeat(32), "}\n".repeat(32));
    check(&main_file(allowed), Limits::default(), &[]);
    let million = "a {\n".repeat(100_000);
    let codes = [
        "config/unclosed-block",
        "config/too-deep",
        "config/too-many-errors",
    ];
    let loaded = read(&main_file(million), Limits::default());
    assert!(
        loaded
            .diagnostics
            .iter()
            .all(|one| codes.contains(&one.code.as_str()))
    );
}

#[test]
fn depth_over_files() {
    let nested = format!("{}!include b\n{}", "a {\n".repeat(20), "}\n".repeat(20));
    let files = main_file(nested.clone()).with("b", nested.replace("include b", "include_try c"));
    check(&files, Limits::default(), &["config/too-deep"]);
}

#[test]
fn sizes() {
    let mut limits = Limits::default();
    limits.total_size = 10;
    check(
        &main_file("a = 123456789\n"),
        limits.clone(),
        &["config/too-large"],
    );
    let files = main_file("!include b").with("b", "a=1\n");
    check(&files, limits.clone(), &["config/too-large"]);
    limits.total_size = 100;
    limits.lines = 3;
    check(&main_file("a=1\nb=2\nc=3\n"), limits.clone(), &[]);
    check(
        &main_file("a=1\nb=2\nc=3\nd=4\n"),
        limits,
        &["config/too-large"],
    );
}

#[test]
fn files() {
    let mut limits = Limits::default();
    limits.files = 3;
    let files = main_file("!include b*\n").with("b1", "").with("b2", "");
    check(&files, limits.clone(), &[]);
    check(&files.with("b3", ""), limits, &["config/too-many-files"]);
}

#[test]
fn include_depth() {
    let mut limits = Limits::default();
    limits.include_depth = 2;
    let files = main_file("!include b\n")
        .with("b", "!include c\n")
        .with("c", "x = y\n");
    check(&files, limits.clone(), &[]);
    let files = files.with("c", "!include d\n").with("d", "");
    check(&files, limits, &["config/include-too-deep"]);
}

/// Each setting is twice as long as the one before it.
#[test]
fn variables_do_not_explode() {
    let mut text = "a0 = 0123456789\n".to_owned();
    for n in 1..100 {
        text += &format!("a{n} = $a{0} $a{0}\n", n - 1);
    }
    let loaded = read(&main_file(text), Limits::default());
    assert!(
        loaded
            .diagnostics
            .iter()
            .all(|one| one.code.as_str() == "config/too-large")
    );
    assert!(loaded.diagnostics.has_errors());
}

#[test]
fn errors() {
    let mut limits = Limits::default();
    limits.errors = 3;
    let loaded = read(&main_file("x\n".repeat(1_000_000)), limits);
    let codes: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    assert_eq!(codes.len(), 4);
    assert_eq!(codes[3], "config/too-many-errors");
}

/// 16 MiB of one kind of line, as many as are allowed.
#[test]
fn long_files_are_read_in_time() {
    for line in [
        "a=\n",
        "#\n",
        "\n",
        "x \\\n",
        "a {\n}\n",
        "filter=x\n",
        "\"\"\"\"\"\"\n",
    ] {
        let text = format!("metric m {{\n{}", line.repeat(200_000));
        let loaded = read(&main_file(text), Limits::default());
        assert!(loaded.diagnostics.has_errors(), "{line}");
    }
}
