//! The file of the configuration, and a configuration that was read from it.

use std::{io::ErrorKind, os::unix::ffi::OsStrExt as _, path::PathBuf};

use fantail_config::{LoadOptions, Loaded, Release, Settings};
use fantail_event::Dialect;

use super::crashes;
use crate::{
    ControlError, ControlErrorKind, ServerError, ServerOptions,
    process::{
        seen_files::{NotingLoader, SeenFiles},
        thread,
    },
};

/// The file of the configuration, and how it is read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) release: Option<Release>,
}

/// A configuration that was read for a server; it may have errors.
///
/// A program that reports what it contains passes it on to
/// [`Server::start_with`](crate::Server::start_with), which does not read it again.
#[derive(Debug)]
pub struct Configuration {
    loaded: Loaded,
    files: SeenFiles,
}

impl Configuration {
    /// Reads the configuration of these options on a thread of its own, within the time
    /// limit of a reload.
    ///
    /// # Errors
    /// A file does not answer in time, or the system starts no thread.
    pub fn read(options: &ServerOptions) -> Result<Self, ServerError> {
        let source = Source::of(options);
        let read = thread::run_within("configuration", options.limits.reload, move || {
            source.read()
        });
        let read = read.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => ControlErrorKind::Stuck.into(),
            _ => ControlError::new(ControlErrorKind::Configuration, error),
        });
        Ok(read?)
    }

    /// Returns the settings with their diagnostics.
    #[must_use]
    pub const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Returns the settings if a server can use them, and the files that they are from.
    pub(crate) fn accept(&self) -> Result<(Settings, SeenFiles), ControlError> {
        let loaded = &self.loaded;
        if loaded.diagnostics.has_errors()
            && let Err(refused) = loaded.clone().accept()
        {
            return Err(ControlError::new(ControlErrorKind::Configuration, refused));
        }
        crashes::check_all(loaded)?;
        Ok((loaded.settings.clone(), self.files.clone()))
    }

    /// Returns the settings, if there are no errors, and the files that they are from.
    pub(crate) fn into_whole(self) -> (Option<Settings>, SeenFiles) {
        let is_whole = !self.loaded.diagnostics.has_errors();
        (is_whole.then_some(self.loaded.settings), self.files)
    }
}

impl Source {
    pub(crate) fn of(options: &ServerOptions) -> Self {
        Self {
            path: options.config.clone(),
            dialect: options.dialect,
            release: options.release,
        }
    }

    /// Returns the options with which the configuration is read.
    pub(crate) fn options(&self) -> LoadOptions {
        LoadOptions {
            dialect: self.dialect,
            release: self.release,
            ..LoadOptions::default()
        }
    }

    /// Reads the configuration.
    pub(crate) fn read(&self) -> Configuration {
        let loader = NotingLoader::default();
        let path = self.path.as_os_str().as_bytes();
        let loaded = fantail_config::load(path, &loader, &self.options());
        Configuration {
            loaded,
            files: loader.into_seen(),
        }
    }
}
