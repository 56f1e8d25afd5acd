//! Configurations as people write them: read from `testdata/config`, and
//! compared with what real Dovecots make of them where those are installed.

// What a test cannot open or start is a failed test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod add;
mod doveconf;
mod event_ids;
mod files;
mod globs;
mod golden;
mod include;
mod include_patterns;
mod installed;
mod limits;
mod log;
mod places;
mod registry;
mod top;
mod tree;
mod values;
mod write;

use std::path::PathBuf;

use fantail_config::{FileSystem, LoadOptions, Loaded, load, load_text};
use fantail_event::Dialect;

/// A file or folder of the test data.
fn testdata(name: &str) -> PathBuf {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crates.join("../../testdata/config").join(name)
}

/// The configurations in a folder of the test data, in order.
fn configurations(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(testdata(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "conf")
    });
    paths.sort();
    assert!(!paths.is_empty(), "no configurations in {folder}");
    paths
}

fn load_file(path: &std::path::Path, dialect: Option<Dialect>) -> Loaded {
    let options = LoadOptions {
        dialect,
        ..LoadOptions::default()
    };
    load(path.to_str().unwrap().as_bytes(), &FileSystem, &options)
}

/// Reads a text as the file `x`.
fn read(dialect: Dialect, text: impl Into<Vec<u8>>) -> Loaded {
    let options = LoadOptions {
        dialect: Some(dialect),
        ..LoadOptions::default()
    };
    load_text("x", text, &options)
}
