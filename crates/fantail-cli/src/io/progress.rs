//! A progress bar on the terminal for large inputs.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The minimum input in bytes: a shorter one ends before a bar is visible.
const MIN_SHOWN_BYTES: u64 = 16 << 20;

/// The number of bytes between two updates of the bar.
const STEP_BYTES: usize = 1 << 20;

/// A progress bar.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// Bytes that the bar does not show yet.
    pending: usize,
}

impl Progress {
    /// Returns a bar for this number of bytes, on standard error if that is a terminal.
    pub(crate) fn new(what: &'static str, bytes: u64) -> Self {
        let is_shown = bytes >= MIN_SHOWN_BYTES && std::io::stderr().is_terminal();
        let bar = is_shown.then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(4);
            let bar = ProgressBar::with_draw_target(Some(bytes), target);
            let template = "{msg} {bar:30} {bytes}/{total_bytes} {eta}";
            // If the template were invalid, the default style would remain.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, pending: 0 }
    }

    /// Adds bytes.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.pending += bytes;
        if self.pending >= STEP_BYTES
            && let Some(bar) = &self.bar
        {
            bar.inc(std::mem::take(&mut self.pending) as u64);
        }
    }

    /// Hides the bar while `write` runs.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
