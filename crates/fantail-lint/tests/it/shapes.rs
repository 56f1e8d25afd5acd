//! Configurations of the shapes that people run: read whole, and found good.

use fantail_config::{FileSystem, LoadOptions, Severity, load};
use fantail_lint::{Catalogue, check};

#[test]
fn are_read_without_an_error() {
    let folder = crate::testdata("config/shapes");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let loaded = load(
            path.to_str().unwrap().as_bytes(),
            &FileSystem,
            &LoadOptions::default(),
        );
        let lines = loaded.diagnostics.to_lines(&loaded.sources);
        assert_eq!(lines, "", "{}", path.display());
        let findings = check(&loaded, &Catalogue::new(), &|_| false);
        let doubts = findings.iter().filter(|one| one.severity > Severity::Hint);
        let doubts: Vec<_> = doubts.map(|one| one.to_line(&loaded.sources)).collect();
        assert!(doubts.is_empty(), "{}: {doubts:?}", path.display());
        read += 1;
    }
    assert!(read > 10, "{read}");
}
