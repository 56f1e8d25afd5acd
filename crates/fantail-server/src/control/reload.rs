//! Reload: reads the configuration again while the server runs.
//!
//! All steps that may fail come before the first change: a refused configuration
//! changes nothing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use fantail_config::{FileSystem, Options as ReadOptions, Refused, Settings};
use fantail_event::Dialect;

use super::Control;
use crate::{
    ControlError, ControlErrorKind, Log,
    handle::{Live, count},
    process::thread,
};

/// How long exporters of the previous configuration may send what they have.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The file of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) dialect: Option<Dialect>,
}

impl Source {
    /// Reads the configuration.
    pub(crate) fn read(&self) -> Result<Settings, Refused> {
        use std::os::unix::ffi::OsStrExt as _;
        let options = ReadOptions {
            dialect: self.dialect,
            ..ReadOptions::default()
        };
        let path = self.path.as_os_str().as_bytes();
        let loaded = fantail_config::load(path, &FileSystem, &options).accept()?;
        Ok(loaded.settings)
    }
}

impl Control {
    /// Reads the configuration again, and logs the outcome.
    pub(crate) async fn reload(&mut self) -> Result<(), ControlError> {
        let reloaded = self.try_reload().await;
        match &reloaded {
            Ok(()) => {
                count(&self.tally.reloads);
                self.log.say(format_args!("the configuration was reloaded"));
            }
            Err(error) => {
                count(&self.tally.reloads_refused);
                let log = &self.log;
                log.say(format_args!("the configuration stays as it was:\n{error}"));
            }
        }
        reloaded
    }

    async fn try_reload(&mut self) -> Result<(), ControlError> {
        let source = self.source.clone();
        let before = Arc::clone(&self.live.borrow());
        let log = self.log.clone();
        let old = Arc::clone(&before);
        let prepared = thread::run("reload", move || prepare(&source, &old, &log)).await;
        let failed = |error| ControlError::new(ControlErrorKind::Configuration, error);
        let mut live = prepared.map_err(failed)??;
        // Taps may have opened and ended while the files were read.
        live.observers = Arc::clone(&self.live.borrow().observers);
        let now = live.exporters.clone();
        let in_force = self.enforce(live);
        let log = self.log.clone();
        tokio::spawn(async move {
            for worker in in_force {
                let _ = worker.await;
            }
            let ended = before.exporters.clone();
            let close = move || ended.close_unless_in(&now, CLOSE_TIMEOUT);
            if let Err(error) = thread::run("close", close).await {
                // Without a thread to wait on, they end on their own.
                log.say(format_args!("cannot wait for former exporters: {error}"));
            }
        });
        Ok(())
    }
}

/// Reads and compiles a configuration, and opens its exporters.
fn prepare(source: &Source, old: &Live, log: &Log) -> Result<Live, ControlError> {
    let refused = |error| ControlError::new(ControlErrorKind::Configuration, error);
    let mut settings = source.read().map_err(refused)?;
    let configured = settings.metrics.len();
    keep_added(&mut settings, old, log);
    let added = settings.metrics.len() - configured;
    let refused = |error| ControlError::new(ControlErrorKind::Configuration, error);
    let plan = old.compile(&settings).map_err(refused)?;
    let exporters = old.exporters.follow(&settings)?;
    let live = Live {
        settings,
        added,
        plan: Arc::new(plan),
        exporters,
        observers: Arc::clone(&old.observers),
        session_rules: old.session_rules.clone(),
    };
    Ok(live)
}

/// Keeps the metrics that were added at run time, as far as they fit the new
/// configuration.
fn keep_added(settings: &mut Settings, old: &Live, log: &Log) {
    let from = old.settings.metrics.len() - old.added;
    for metric in old.settings.metrics.iter().skip(from) {
        let exporter = metric.exporter.as_ref().map(|name| &name.value);
        let mut exporters = settings.exporters.iter();
        let exports = exporter.is_none_or(|name| exporters.any(|known| known.name == *name));
        let mut metrics = settings.metrics.iter();
        let named = metrics.any(|known| known.settings.name == metric.settings.name);
        if exports && !named && settings.dialect == old.settings.dialect {
            settings.metrics.push(metric.clone());
        } else {
            let name = metric.settings.name.escape_ascii();
            log.say(format_args!(
                "the metric {name}, added at run time, does not fit the new configuration and is removed"
            ));
        }
    }
}
