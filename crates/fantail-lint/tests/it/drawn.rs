//! What people see: the findings of whole files as they are drawn.
//!
//! `testdata/lint/NAME.conf` gives `NAME.txt`; `UPDATE_EXPECT=1` writes those
//! anew.

use std::io::Write;

use fantail_config::{FileSystem, LoadOptions, Style, load, render_reports};
use fantail_lint::{Catalogue, Finding, check};

#[test]
fn files() {
    let folder = crate::testdata("lint");
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "conf")
    });
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let options = LoadOptions::default();
        let loaded = load(path.to_str().unwrap().as_bytes(), &FileSystem, &options);
        let mut findings: Vec<Finding> = loaded.diagnostics.iter().map(Finding::from).collect();
        findings.extend(check(&loaded, &Catalogue::new(), &|_| false));
        let drawn = render_reports(
            findings.iter().map(Finding::report),
            &loaded.sources,
            Style::Plain,
        );
        let drawn = drawn.replace(&format!("{}/", folder.display()), "");
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let mut file = std::fs::File::create(&expected).unwrap();
            file.write_all(drawn.as_bytes()).unwrap();
        }
        let expected = String::from_utf8(crate::contents(&expected)).unwrap();
        assert_eq!(drawn, expected, "{}", path.display());
    }
}
