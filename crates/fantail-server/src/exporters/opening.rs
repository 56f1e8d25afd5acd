//! Bounded waits for the targets and spools of exporters.
//!
//! Each queue opens its target and its spool on threads of its own, so that a
//! blocked file system blocks neither the start nor a reload.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fantail_config::{Exporter, TransportSettings};
use fantail_transport::Opening;

use super::{ExportersError, Running};

/// The maximum time for which a start or a reload waits for all targets and
/// spools to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(1);

/// Waits until the targets and spools are open; returns an error for each
/// exporter whose target or spool is not.
pub(super) fn wait(running: &[Arc<Running>]) -> Vec<ExportersError> {
    let until = Instant::now() + OPEN_TIMEOUT;
    let errors = running.iter().filter_map(|one| {
        let left = until.saturating_duration_since(Instant::now());
        match one.queue.wait_until_open(left) {
            Opening::Open => None,
            Opening::Failed(error) => Some(ExportersError::new(&one.settings, error.message)),
            Opening::Pending => {
                let paths = paths(&one.settings);
                let late = format!("{paths} did not open within {OPEN_TIMEOUT:?}");
                Some(ExportersError::new(&one.settings, late))
            }
        }
    });
    errors.collect()
}

/// The files and folders that the queue of an exporter opens.
fn paths(exporter: &Exporter) -> String {
    let target = match &exporter.transport {
        TransportSettings::File(settings) => Some(settings.path.as_path()),
        TransportSettings::HttpPost(settings) | TransportSettings::Otlp(settings) => {
            settings.ca_file.as_deref()
        }
        TransportSettings::Nats(settings) => settings.credentials_file.as_deref(),
        _ => None,
    };
    let spool = exporter.queue.level.spool();
    let spool = spool.map(|spool| spool.folder.as_path());
    let paths = [target, spool, exporter.dead_letters.as_deref()];
    let paths = paths.into_iter().flatten();
    let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    paths.join(" or ")
}
