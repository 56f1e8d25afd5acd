//! What looks at events beside the metrics: taps and sessions.
//!
//! It changes on its own: a tap comes and goes, and no metric notices.

use std::sync::Arc;

use fantail_event::Dialect;

use crate::{
    sessions::{self, SessionRules},
    tap::Tap,
};

/// What looks at events beside the metrics; never changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Onlookers {
    pub(crate) taps: Vec<Arc<Tap>>,
    pub(crate) sessions: Option<SessionRules>,
}

impl Onlookers {
    /// The filter for the clients: what the metrics want, and what is wanted
    /// here.
    pub(crate) fn handshake(&self, metrics: Vec<u8>, dialect: Dialect) -> Vec<u8> {
        let mut filter = metrics;
        let taps = self.taps.iter();
        let more = taps.map(|tap| tap.filter.exact().to_vec());
        let sessions = self.sessions.iter().map(|_| sessions::wanted(dialect));
        for text in more.chain(sessions) {
            if !filter.is_empty() {
                filter.extend_from_slice(b" OR ");
            }
            filter.extend_from_slice(&text);
        }
        filter
    }
}
