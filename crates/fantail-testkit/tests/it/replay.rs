//! The fuzz targets' properties on all inputs that are kept: those that once
//! broke one, and some to start from; and on what real clients sent.
//!
//! Fuzzing itself is `cargo xtask fuzz`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fantail_event::{CategoryTree, Dialect, text};
use fantail_fuzz::{TARGETS, wire_decode};

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata")
        .join(path)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

#[allow(clippy::disallowed_methods, reason = "test data")]
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn kept_inputs_hold() {
    for (target, property) in TARGETS {
        let inputs = entries(&testdata("fuzz").join(target));
        assert!(!inputs.is_empty(), "nothing is kept for {target}");
        for input in inputs {
            // Shown only if the property panics: for which input it did.
            println!("{}", input.display());
            property(&read(&input));
        }
    }
}

#[test]
fn kept_inputs_have_a_target() {
    for folder in entries(&testdata("fuzz")) {
        let name = folder.file_name().unwrap().to_string_lossy();
        let known = TARGETS.iter().any(|(target, _)| **target == name);
        assert!(known, "{name}");
    }
}

#[test]
fn captured_events_hold() {
    check_capture("dovecot-2.3.19.tsv", Dialect::V2_3, b'3');
    check_capture("dovecot-2.4.1.tsv", Dialect::V2_4, b'4');
}

fn check_capture(name: &str, dialect: Dialect, code: u8) {
    let capture = read(&testdata("captures").join(name));
    let mut categories = CategoryTree::default();
    let mut registrations = vec![code];
    let mut events = 0;
    for line in capture.split(|&byte| byte == b'\n') {
        let arguments: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
        // Connection, time, command; then what stands before the event.
        let event = match arguments.get(2) {
            Some(&b"EVENT" | &b"BEGIN") => &arguments[6..],
            Some(&b"UPDATE") => &arguments[5..],
            Some(&b"CATEGORY") => {
                let known = categories.contains(arguments[3]);
                categories
                    .register(arguments[3], arguments.get(4).copied())
                    .unwrap();
                if !known {
                    registrations.extend(arguments[2..].join(&b'\t'));
                    registrations.push(b'\n');
                }
                continue;
            }
            _ => continue,
        };
        // What is no event would hold for want of a property.
        text::parse(event.iter().copied(), &categories, dialect).unwrap();
        wire_decode(&[registrations.as_slice(), &event.join(&b'\t')].concat());
        events += 1;
    }
    assert!(events > 1_000, "{events} events");
}
