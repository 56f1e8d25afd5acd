//! Names with wildcards, with the answers of the C library.
//!
//! A line of `testdata/config/globs.tsv` is a pattern, a name and `1` if the pattern
//! matches the name: the answers of glibc 2.36's `fnmatch` with `FNM_PATHNAME` and
//! `FNM_PERIOD`, which `glob`, by which Dovecot includes files, is made of.

use fantail_config::{Loader as _, Memory};

#[test]
fn as_the_c_library() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../testdata/config/globs.tsv"
    );
    let cases = std::io::read_to_string(std::fs::File::open(path).unwrap()).unwrap();
    let mut matching = 0;
    for case in cases.lines() {
        let parts: Vec<&str> = case.split('\t').collect();
        let [pattern, name, expected] = parts[..] else {
            panic!("{case}");
        };
        let found = Memory::new().with(name, "").expand(pattern.as_bytes());
        let matches = !found.unwrap().is_empty();
        assert_eq!(matches, expected == "1", "{pattern} {name}");
        matching += usize::from(matches);
    }
    assert!(matching > 100, "{matching}");
}
