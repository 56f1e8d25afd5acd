//! Ctrl-C: what runs long ends with what it has.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{consts::SIGINT, flag};

/// Whether Ctrl-C was pressed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    raised: Arc<AtomicBool>,
}

impl Interrupt {
    /// Waits for Ctrl-C from now on. A second one ends the program at once.
    pub(crate) fn watch() -> Self {
        let this = Self::default();
        // Without them Ctrl-C ends the program, as ever.
        let _ = flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&this.raised));
        let _ = flag::register(SIGINT, Arc::clone(&this.raised));
        this
    }

    /// Whether it was pressed.
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }
}
