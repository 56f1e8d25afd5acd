//! Configurations: which one, and what is wrong with it.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use fantail::config::{self, FileSystem, LoadOptions, Loaded, Settings};

use crate::{exit::say, io::terminal};

/// Where the configuration is, by this variable of the environment.
const VARIABLE: &str = "FANTAIL_CONFIG";

/// The configuration of `fantail serve` in the unit file, and Dovecot's.
const USUAL: [&str; 2] = ["/etc/fantail/fantail.conf", "/etc/dovecot/dovecot.conf"];

/// The configuration that a flag names; else that of `FANTAIL_CONFIG`; else
/// `/etc/fantail/fantail.conf`, if it is there; else Dovecot's.
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

/// The configuration of this machine, if there is one; nothing is said of it.
pub(crate) fn of_this_machine() -> Option<(PathBuf, Settings)> {
    let path = find(None);
    let settings = load_silently(&path, &LoadOptions::default()).settings;
    path.exists().then_some((path, settings))
}

/// Reads a configuration, and says nothing.
pub(crate) fn load_silently(path: &Path, options: &LoadOptions) -> Loaded {
    config::load(path.as_os_str().as_bytes(), &FileSystem, options)
}

/// Reads a configuration and says what is wrong with it. `None` if it has
/// errors; warnings do not matter.
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
