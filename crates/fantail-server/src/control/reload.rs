//! The configuration, read again while all goes on.
//!
//! Everything that may fail is done before anything changes: what is refused
//! leaves no trace but a line in the log.

use std::{path::PathBuf, sync::Arc, time::Duration};

use fantail_config::{FileSystem, Options as ReadOptions, Settings};
use fantail_event::Dialect;
use tokio::task::spawn_blocking;

use super::Control;
use crate::{
    Log,
    handle::{Live, count},
};

/// How long exporters of a former configuration may go on sending.
const LINGER: Duration = Duration::from_secs(5);

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) dialect: Option<Dialect>,
}

impl Source {
    /// Reads it; an error is the diagnostics as text.
    pub(crate) fn read(&self) -> Result<Settings, String> {
        use std::os::unix::ffi::OsStrExt as _;
        let options = ReadOptions {
            dialect: self.dialect,
            ..ReadOptions::default()
        };
        let path = self.path.as_os_str().as_bytes();
        let loaded = fantail_config::load(path, &FileSystem, &options).accept();
        loaded
            .map(|loaded| loaded.settings)
            .map_err(|refused| refused.to_string())
    }
}

impl Control {
    /// Reads the configuration anew.
    pub(crate) async fn reload(&mut self) -> Result<(), String> {
        let reloaded = self.try_reload().await;
        match &reloaded {
            Ok(()) => {
                count(&self.tally.reloads);
                self.log.say(format_args!("the configuration was reloaded"));
            }
            Err(why) => {
                count(&self.tally.reloads_refused);
                let log = &self.log;
                log.say(format_args!("the configuration stays as it was:\n{why}"));
            }
        }
        reloaded
    }

    async fn try_reload(&mut self) -> Result<(), String> {
        let source = self.source.clone();
        let before = Arc::clone(&self.live.borrow());
        let log = self.log.clone();
        let old = Arc::clone(&before);
        let prepared = spawn_blocking(move || prepare(&source, &old, &log)).await;
        let mut live = prepared.map_err(|error| error.to_string())??;
        // Taps came and went while the files were read.
        live.observers = Arc::clone(&self.live.borrow().observers);
        let now = live.exporters.clone();
        let in_force = self.enforce(live);
        tokio::spawn(async move {
            for worker in in_force {
                let _ = worker.await;
            }
            let close = move || before.exporters.close_unless_in(&now, LINGER);
            let _ = spawn_blocking(close).await;
        });
        Ok(())
    }
}

/// A new configuration with everything it needs.
fn prepare(source: &Source, old: &Live, log: &Log) -> Result<Live, String> {
    let mut settings = source.read()?;
    let configured = settings.metrics.len();
    keep_added(&mut settings, old, log);
    let added = settings.metrics.len() - configured;
    let plan = old.compile(&settings).map_err(|error| error.to_string())?;
    let exporters = old.exporters.follow(&settings);
    let exporters = exporters.map_err(|error| error.to_string())?;
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

/// Metrics that were added at run time stay, as long as they fit.
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
                "the metric {name}, added while this ran, does not fit the new configuration"
            ));
        }
    }
}
