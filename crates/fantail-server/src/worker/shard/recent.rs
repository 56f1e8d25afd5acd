//! The last events of a shard.

use super::Shard;
use crate::{process::clock, worker::recent::RecentSnapshot};

impl Shard {
    /// The last events, as they are kept now.
    pub(crate) fn recent(&self) -> RecentSnapshot {
        // Parents before their children.
        let categories = self.intake.categories.registered_since(0).into_iter();
        let owned = categories.map(|(name, parent)| (name.to_vec(), parent.map(<[u8]>::to_vec)));
        self.recent.snapshot(owned.collect())
    }

    /// Drops events that are kept for too long.
    pub(crate) fn tidy_recent(&mut self) {
        self.recent.tidy(clock::now());
    }

    /// Returns whether series or events are kept that may become too old.
    pub(crate) fn grows_old(&self) -> bool {
        self.engine.plan().idle_series().is_some() || !self.recent.is_empty()
    }
}
