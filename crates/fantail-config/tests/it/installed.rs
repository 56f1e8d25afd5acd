//! The configurations that Debian installs are read without an error, with
//! everything they include.

use std::path::PathBuf;

use fantail_config::{FileSystem, LoadError, Loader, Options, load};
use fantail_event::Dialect;

/// The files under a folder that is taken for `/`.
struct Root(PathBuf);

impl Root {
    fn inside(&self, path: &[u8]) -> Vec<u8> {
        [self.0.to_str().unwrap().as_bytes(), path].concat()
    }
}

impl Loader for Root {
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        FileSystem.read(&self.inside(path), limit)
    }

    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        let paths = FileSystem.expand(&self.inside(pattern))?;
        let root = self.0.to_str().unwrap().len();
        Ok(paths
            .into_iter()
            .map(|path| path[root..].to_vec())
            .collect())
    }
}

fn check(root: Option<PathBuf>, dialect: Dialect) {
    let path = b"/etc/dovecot/dovecot.conf";
    let root = Root(root.unwrap_or_default());
    let loaded = load(path, &root, &Options::default());
    if loaded.sources.is_empty() || loaded.settings.dialect != dialect {
        fantail_testkit::skip(&format!(
            "no configuration of Dovecot {dialect} is installed"
        ));
        return;
    }
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    assert!(loaded.sources.len() > 10, "its conf.d is not included");
}

#[test]
fn debian_2_3() {
    check(None, Dialect::V2_3);
}

#[test]
fn debian_2_4() {
    let root = std::env::var_os("DOVECOT_2_4_ROOT").map(PathBuf::from);
    check(root, Dialect::V2_4);
}
