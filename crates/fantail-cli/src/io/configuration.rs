//! Finds and loads configurations, and reports their errors.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use fantail::config::{self, FileSystem, LoadOptions, Loaded, Settings};

use crate::{exit::say, io::terminal};

/// The environment variable with the path of the configuration.
const VARIABLE: &str = "FANTAIL_CONFIG";

/// The default configurations: that of `fantail serve` in the unit file, and Dovecot's.
const USUAL: [&str; 2] = ["/etc/fantail/fantail.conf", "/etc/dovecot/dovecot.conf"];

/// Returns the first of these paths: that of a flag, that of `FANTAIL_CONFIG`,
/// `/etc/fantail/fantail.conf` if the file exists, Dovecot's configuration.
pub(crate) fn find(flag: Option<&Path>) -> PathBuf {
    if let Some(path) = flag {
        return path.to_owned();
    }
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return PathBuf::from(path);
    }
    let [own, dovecots] = USUAL.map(PathBuf::from);
    if own.exists() { own } else { dovecots }
}

/// Loads the configuration of this machine without reporting errors; returns `None` if
/// it does not exist.
pub(crate) fn of_this_machine() -> Option<(PathBuf, Settings)> {
    let path = find(None);
    let settings = load_silently(&path, &LoadOptions::default()).settings;
    path.exists().then_some((path, settings))
}

/// Loads a configuration without reporting errors.
pub(crate) fn load_silently(path: &Path, options: &LoadOptions) -> Loaded {
    config::load(path.as_os_str().as_bytes(), &FileSystem, options)
}

/// Loads a configuration and reports its errors and warnings. Returns `None` if it has
/// errors.
pub(crate) fn load(path: &Path, options: &LoadOptions) -> Option<Loaded> {
    let loaded = load_silently(path, options);
    if !loaded.diagnostics.is_empty() {
        say(format_args!(
            "{}",
            config::render(&loaded.diagnostics, &loaded.sources, terminal::style()).trim_end()
        ));
    }
    (!loaded.diagnostics.has_errors()).then_some(loaded)
}
