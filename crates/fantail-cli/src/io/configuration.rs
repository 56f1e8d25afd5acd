//! Configurations, read for a command.

use std::{
    io::{self, IsTerminal},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use fantail::{
    config::{self, FileSystem, Loaded, Options, Settings, Style},
    event,
};

use crate::{
    dialect::Dialect,
    exit::{Failure, say},
};

/// Reads a configuration and says what is wrong with it. `None` if it has
/// errors; warnings do not matter.
pub(crate) fn load(path: &Path, dialect: Option<Dialect>) -> Result<Option<Settings>, Failure> {
    Ok(load_whole(path, dialect).map(|loaded| loaded.settings))
}

/// Like [`load`], with all that was read.
pub(crate) fn load_whole(path: &Path, dialect: Option<Dialect>) -> Option<Loaded> {
    load_as(path, dialect.map(Into::into))
}

/// Like [`load_whole`], by the rules of a dialect.
pub(crate) fn load_as(path: &Path, dialect: Option<event::Dialect>) -> Option<Loaded> {
    let options = Options {
        dialect,
        ..Options::default()
    };
    let loaded = config::load(path.as_os_str().as_bytes(), &FileSystem, &options);
    if !loaded.diagnostics.is_empty() {
        say(format_args!(
            "{}",
            config::render(&loaded.diagnostics, &loaded.sources, style()).trim_end()
        ));
    }
    (!loaded.diagnostics.has_errors()).then_some(loaded)
}

/// Colours on terminals, unless `NO_COLOR` forbids them.
pub(crate) fn style() -> Style {
    if colours_allowed() && io::stderr().is_terminal() {
        Style::Coloured
    } else {
        Style::Plain
    }
}

/// Whether `NO_COLOR` does not forbid them.
pub(crate) fn colours_allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
