//! Which files a pattern includes, in which order, and which includes are loops, as
//! the installed `doveconf` says.

use std::{path::Path, process::Command};

use fantail_config::RawEntry;
use fantail_event::Dialect;

/// The files. Each sets the log path to its own name, except those that include
/// themselves.
const FILES: [&str; 7] = ["a.c", "b.c", "ab.c", "{a.c", "x,y.c", "[a.c", "sub.d/.h.c"];

/// What is included.
const PATTERNS: [&str; 45] = [
    "{a,b}.c",
    "{b,a}.c",
    "{b*,a}.c",
    "a{,b}.c",
    "{}a.c",
    "{a}.c",
    "{a,b}.{c,x}",
    "{no,a}.c",
    "{a.c",
    "{a,b",
    "\\{a.c",
    "[{]a.c",
    "{x\\,y,z}.c",
    "x\\,y.c",
    "{a,{b,a}}.c",
    "*.c",
    "?.c",
    "[ab].c",
    "[!a].c",
    "\\a.c",
    "[[]a.c",
    "[\\]\\[]a.c",
    "sub.d/*.c",
    "sub.d/.*.c",
    "sub.d/\\.h.c",
    "sub.d/[.]h.c",
    "*/.h.c",
    "none",
    "loop1.l",
    "loop*.l",
    "{loop2,loop1}.l",
    "{a,a}.c",
    "[[:alpha:]].c",
    "[![:alpha:]]a.c",
    "[[:digit:]].c",
    "[[:punct:]]a.c",
    "[[:upper:][:lower:]].c",
    "[[:lower:]-c].c",
    "[[:nonsense:]a].c",
    "[[:alpha]a.c",
    "[[:Alpha:]]a.c",
    "[[.a.]].c",
    "[[=b=]].c",
    "[[.a.]-b].c",
    "*[[:punct:]]*.c",
];

/// The value of `log_path` by `doveconf`; `None` if it refuses the file.
fn by_doveconf(doveconf: &Path, main: &Path) -> Option<String> {
    let mut command = Command::new(doveconf);
    let command = command.arg("-c").arg(main).args(["-h", "log_path"]);
    let output = command.output().unwrap();
    let value = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| value.trim_end().to_owned())
}

/// The same by fantail; the default if nothing sets it.
fn by_fantail(main: &Path) -> Option<String> {
    let loaded = crate::load_file(main, Some(Dialect::V2_3));
    let settings = loaded.raw.top().filter_map(|entry| match entry {
        RawEntry::Setting(setting) if setting.key.bytes() == b"log_path" => Some(setting),
        _ => None,
    });
    let last = settings
        .last()
        .map_or(&b"syslog"[..], |one| one.value.bytes());
    let last = String::from_utf8_lossy(last).into_owned();
    (!loaded.diagnostics.has_errors()).then_some(last)
}

#[test]
fn patterns_include_what_doveconf_includes() {
    let Some(doveconf) = fantail_testkit::program("doveconf") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        path
    };
    for name in FILES {
        write(name, &format!("log_path = /{name}\n"));
    }
    write("loop1.l", "!include loop2.l\n");
    write("loop2.l", "log_path = /loop2\n");
    let mut refused = 0;
    for pattern in PATTERNS {
        let main = write("main.conf", &format!("!include_try {pattern}\n"));
        let expected = by_doveconf(&doveconf, &main);
        assert_eq!(by_fantail(&main), expected, "{pattern}");
        refused += usize::from(expected.is_none());
    }
    assert!(refused > 1, "doveconf refuses loops");
}
