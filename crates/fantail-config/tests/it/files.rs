//! The folders of good and bad files. What is drawn for a bad `x.conf` stands
//! in `x.txt` beside it; `UPDATE_EXPECT=1` writes it anew.

use std::path::Path;

use fantail_config::{Loaded, Style, render};

/// What a reader gets to see, without the folders' names.
fn drawn(loaded: &Loaded, path: &Path) -> String {
    let folder = path.parent().unwrap().to_str().unwrap();
    let text = render(&loaded.diagnostics, &loaded.sources, Style::Plain);
    text.replace(&format!("{folder}/"), "")
}

fn check_good(folder: &str) {
    for path in crate::configurations(folder) {
        let loaded = crate::load_file(&path, None);
        let lines = loaded.diagnostics.to_lines(&loaded.sources);
        assert!(!loaded.diagnostics.has_errors(), "{lines}");
        assert!(loaded.accept().is_ok());
    }
}

fn check_bad(folder: &str) {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    for path in crate::configurations(folder) {
        let loaded = crate::load_file(&path, None);
        assert!(loaded.diagnostics.has_errors(), "{}", path.display());
        let text = drawn(&loaded, &path);
        let expected = path.with_extension("txt");
        if update {
            std::fs::File::create(&expected)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                .unwrap();
        }
        let expected = std::io::read_to_string(std::fs::File::open(expected).unwrap()).unwrap();
        assert_eq!(text, expected, "{}", path.display());
    }
}

#[test]
fn good_2_3() {
    check_good("2.3/good");
}

#[test]
fn good_2_4() {
    check_good("2.4/good");
}

#[test]
fn bad_2_3() {
    check_bad("2.3/bad");
}

#[test]
fn bad_2_4() {
    check_bad("2.4/bad");
}

/// Colours change nothing of the text.
#[test]
fn colours() {
    let path = crate::testdata("2.3/bad/group-by.conf");
    let loaded = crate::load_file(&path, None);
    let coloured = render(&loaded.diagnostics, &loaded.sources, Style::Coloured);
    assert!(coloured.contains("\u{1b}["));
    let mut plain = String::new();
    for (index, part) in coloured.split("\u{1b}[").enumerate() {
        plain.push_str(match part.split_once('m') {
            Some((_, rest)) if index > 0 => rest,
            _ => part,
        });
    }
    assert_eq!(
        plain,
        render(&loaded.diagnostics, &loaded.sources, Style::Plain)
    );
}
