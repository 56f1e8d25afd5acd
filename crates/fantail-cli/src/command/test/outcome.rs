//! How a test ended.

use fantail::config::Span;

use super::diff::Diff;

/// The end of one test.
pub(super) struct Outcome {
    pub(super) name: Vec<u8>,
    pub(super) place: Span,
    pub(super) failures: Vec<Failed>,
}

impl Outcome {
    pub(super) fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// An expectation that does not hold.
pub(super) struct Failed {
    /// Where it was written.
    pub(super) place: Span,
    pub(super) what: What,
}

pub(super) enum What {
    /// A metric that matches an event and should not, or the other way round.
    Match {
        metric: Vec<u8>,
        /// Which event of the test, from 1.
        event: usize,
        /// Whether it should.
        wanted: bool,
        /// Why it is as it is.
        explanation: String,
    },
    /// An exporter that writes something else.
    Export { exporter: Vec<u8>, diff: Diff },
}

impl What {
    /// In a few words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Match {
                metric,
                event,
                wanted,
                ..
            } => {
                let metric = metric.escape_ascii();
                let (must, does) = match wanted {
                    true => ("must", "does not"),
                    false => ("must not", "does"),
                };
                format!("metric `{metric}` {must} match event {event}, and {does}")
            }
            Self::Export { exporter, .. } => {
                let exporter = exporter.escape_ascii();
                format!("exporter `{exporter}` writes something else")
            }
        }
    }
}
