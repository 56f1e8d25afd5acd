//! State that all connections of a thread share.

use fantail_event::{CategoryTree, LiveEvents, Parser};

/// The parser, the categories and the live events of all connections of one
/// thread.
#[derive(Debug, Default)]
pub struct Intake {
    /// The categories that clients registered.
    pub categories: CategoryTree,
    pub(crate) parser: Parser,
    pub(crate) live: LiveEvents,
}

impl Intake {
    /// Creates an intake without categories and events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the live events of all connections.
    #[must_use]
    pub const fn live_events(&self) -> &LiveEvents {
        &self.live
    }
}
