//! Tests that skipped themselves and reported it.
//!
//! A test whose program is not installed appends a line to the file in
//! [`VARIABLE`] (with `fantail_testkit::skip`), and passes. Test runners hide
//! the output of passed tests, so a file is used, to which any number of
//! processes can append.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::Error;

/// The environment variable with the path of the file.
pub(crate) const VARIABLE: &str = "FANTAIL_SKIP_LOG";

/// The file, empty at the start of this run.
#[derive(Debug)]
pub(crate) struct SkipLog {
    path: PathBuf,
}

impl SkipLog {
    /// Creates the file in `folder`, and replaces that of the last run.
    pub(crate) fn create(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("skips.txt");
        fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
        fs::write(&path, "").map_err(Error::at("write", &path))?;
        Ok(Self { path })
    }

    /// Returns the value for [`VARIABLE`].
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the reasons, each once, with its number.
    pub(crate) fn reasons(&self) -> Result<Vec<String>, Error> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(count(&String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::at("read", &self.path)(error)),
        }
    }
}

fn count(log: &str) -> Vec<String> {
    let mut times = BTreeMap::<&str, usize>::new();
    for line in log.lines() {
        let reason = line.strip_prefix("skipped: ").unwrap_or(line);
        *times.entry(reason).or_default() += 1;
    }
    times
        .into_iter()
        .map(|(reason, times)| match times {
            1 => format!("a test: {reason}"),
            _ => format!("{times} tests: {reason}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::count;

    fn check(log: &str, expected: &[&str]) {
        assert_eq!(count(log), expected);
    }

    #[test]
    fn equal_reasons_are_counted() {
        check("", &[]);
        check("skipped: no promtool\n", &["a test: no promtool"]);
        check(
            "skipped: no promtool\nskipped: no doveconf\nskipped: no promtool\n",
            &["a test: no doveconf", "2 tests: no promtool"],
        );
    }
}
