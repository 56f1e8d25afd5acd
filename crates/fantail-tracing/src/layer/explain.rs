//! Why events match a filter, or do not.

use std::sync::Arc;

use fantail_filter::Filter;

use super::{
    probes::{Explained, Probe},
    shared::Shared,
};

/// Explains a filter for the events of the program while it exists.
///
/// [`LayerHandle::explain`](crate::LayerHandle::explain) creates it.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let (layer, handle) = fantail_tracing::layer("")?;
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     let explain = handle.explain("status>=500")?;
///     tracing::info!(status = 503, "request");
///     tracing::info!(status = 200, "request");
///     let explained = explain.take();
///     assert!(explained[0].explanation.matches());
///     assert!(!explained[1].explanation.matches());
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Explain {
    shared: Arc<Shared>,
    probe: Arc<Probe>,
}

impl Explain {
    pub(crate) fn new(shared: &Arc<Shared>, filter: Filter) -> Self {
        let probe = Arc::new(Probe::new(filter));
        shared
            .probes
            .change(|probes| probes.push(Arc::clone(&probe)));
        shared.rebuild_interest();
        Self {
            shared: Arc::clone(shared),
            probe,
        }
    }

    /// Returns the events since the last call, at most the last 100.
    #[must_use]
    pub fn take(&self) -> Vec<Explained> {
        self.probe.take()
    }
}

impl Drop for Explain {
    fn drop(&mut self) {
        let probes = &self.shared.probes;
        probes.change(|probes| probes.retain(|probe| !Arc::ptr_eq(probe, &self.probe)));
        self.shared.rebuild_interest();
    }
}
