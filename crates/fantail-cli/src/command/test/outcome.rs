//! The outcome of a test.

use fantail::config::Span;

use super::diff::Diff;

/// The outcome of one test.
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

/// An expectation that is not met.
pub(super) struct Failed {
    /// The position of the expectation.
    pub(super) place: Span,
    pub(super) what: What,
}

pub(super) enum What {
    /// A metric that matches an event and should not, or does not and should.
    Match {
        metric: Vec<u8>,
        /// The number of the event in the test, from 1.
        event: usize,
        /// Whether the metric should match.
        wanted: bool,
        /// The explanation of the result.
        explanation: String,
    },
    /// An exporter with other output.
    Export { exporter: Vec<u8>, diff: Diff },
}

impl What {
    /// Returns a short description.
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
