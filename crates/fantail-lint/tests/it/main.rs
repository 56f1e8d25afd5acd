//! The checker: what it finds, what it draws, and that it finds nothing wrong
//! with what real Dovecots sent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod drawn;
mod effects;
mod found;
mod live;
mod names_as_sent;
mod recorded;
mod shapes;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use fantail_config::{LoadOptions, Loaded, load_text};
use fantail_event::Dialect;

/// A metric that exports these fields of an event.
fn exporting(dialect: Dialect, event: &str, keys: &[&str]) -> String {
    let target = match dialect {
        Dialect::V2_3 => "transport",
        Dialect::V2_4 => "driver",
    };
    format!(
        "event_exporter e {{\n format = none\n {target} = drop\n}}\nmetric m {{\n filter = \
         event={event}\n fields = {}\n exporter = e\n}}\n",
        keys.join(" ")
    )
}

/// A file or folder of the test data.
fn testdata(name: &str) -> PathBuf {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crates.join("../../testdata").join(name)
}

fn contents(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Reads a text as the file `x`.
fn read(dialect: Dialect, text: impl Into<Vec<u8>>) -> Loaded {
    let options = LoadOptions {
        dialect: Some(dialect),
        ..LoadOptions::default()
    };
    load_text("x", text, &options)
}
