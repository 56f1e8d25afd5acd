//! Ctrl-C handling: long commands stop early and keep their results.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{consts::SIGINT, flag};

/// A flag that Ctrl-C sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    raised: Arc<AtomicBool>,
}

impl Interrupt {
    /// Handles Ctrl-C from now on. A second one ends the program at once.
    pub(crate) fn watch() -> Self {
        let this = Self::default();
        // If this fails, Ctrl-C ends the program as usual.
        let _ = flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&this.raised));
        let _ = flag::register(SIGINT, Arc::clone(&this.raised));
        this
    }

    /// Returns whether Ctrl-C was pressed.
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }
}
