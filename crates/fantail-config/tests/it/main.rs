//! Configurations as people write them, read from `testdata/config`.

mod golden;

use std::path::PathBuf;

/// A file or folder of the test data.
fn testdata(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/config")
        .join(name)
}
