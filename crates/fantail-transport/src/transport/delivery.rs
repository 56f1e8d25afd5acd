//! What became of payloads in one attempt.

use std::ops::Range;

use crate::TransportError;

/// What became of payloads in one attempt, told from the front.
///
/// ```
/// use std::io;
/// use fantail_transport::{Delivery, Retry, TransportError, TransportErrorKind};
///
/// let error = |retry| {
///     let source = io::Error::other("status 413");
///     TransportError::new(TransportErrorKind::Refused, source).with_retry(retry)
/// };
/// let mut delivery = Delivery::new();
/// delivery.arrived(3);
/// delivery.refused(1, error(Retry::Never));
/// delivery.arrived(2);
/// delivery.stopped(error(Retry::Backoff));
/// assert_eq!(delivery.settled(), 6);
/// assert_eq!(delivery.refusals()[0].payloads, 3..4);
/// assert!(delivery.error().is_some());
/// ```
#[derive(Debug, Default)]
pub struct Delivery {
    settled: usize,
    refusals: Vec<Refusal>,
    error: Option<TransportError>,
}

/// Payloads that the target will never take.
#[derive(Debug)]
pub struct Refusal {
    /// Which, counted from the front of what was delivered.
    pub payloads: Range<usize>,
    /// Why.
    pub error: TransportError,
}

impl Delivery {
    /// Nothing has been tried yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            settled: 0,
            refusals: Vec::new(),
            error: None,
        }
    }

    /// The next payloads arrived: the target confirmed them, as far as it
    /// confirms anything.
    pub const fn arrived(&mut self, payloads: usize) {
        self.settled += payloads;
    }

    /// The next payloads were refused for good; they are not sent again,
    /// whatever the error's [`Retry`](crate::Retry) says.
    pub fn refused(&mut self, payloads: usize, error: TransportError) {
        let start = self.settled;
        self.settled += payloads;
        self.refusals.push(Refusal {
            payloads: start..self.settled,
            error,
        });
    }

    /// No more was tried, or nobody knows whether the next payloads arrived;
    /// they are to be sent again.
    pub fn stopped(&mut self, error: TransportError) {
        self.error = Some(error);
    }

    /// How many payloads need no further attempt: those that arrived, and
    /// those that were refused.
    #[must_use]
    pub const fn settled(&self) -> usize {
        self.settled
    }

    /// What was refused for good.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Why the attempt ended early.
    #[must_use]
    pub const fn error(&self) -> Option<&TransportError> {
        self.error.as_ref()
    }
}
