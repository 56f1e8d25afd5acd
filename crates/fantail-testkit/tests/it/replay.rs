//! The fuzz targets' properties on all inputs that are kept: those that once
//! broke one, and some to start from; and on what real clients sent.
//!
//! Fuzzing itself is `cargo xtask fuzz`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fantail_fuzz::{TARGETS, wire_decode};
use fantail_wire::capture::Capture;

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
fn recorded_clients_hold() {
    check_capture("dovecot-2.3.19.tsv", b'3');
    check_capture("dovecot-2.4.1.tsv", b'4');
}

fn check_capture(name: &str, dialect: u8) {
    let bytes = read(&testdata("captures").join(name));
    let capture = Capture::parse(&bytes);
    assert_eq!(capture.errors, []);
    assert!(capture.connections.len() > 10);
    for connection in &capture.connections {
        let mut input = vec![dialect];
        // Without the handshake, which the property makes itself.
        for recorded in &connection.lines[1..] {
            input.extend_from_slice(recorded.line);
            input.push(b'\n');
        }
        wire_decode(&input);
    }
}
