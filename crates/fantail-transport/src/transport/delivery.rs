//! The result of one attempt to deliver payloads.

use std::ops::Range;

use crate::TransportError;

/// The result of one attempt to deliver payloads, recorded in their order.
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

/// Payloads that the target refused for good.
#[derive(Debug)]
pub struct Refusal {
    /// The range of payloads, counted from the first payload of the attempt.
    pub payloads: Range<usize>,
    /// The reason.
    pub error: TransportError,
}

impl Delivery {
    /// Returns the result of an attempt that has not begun.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            settled: 0,
            refusals: Vec::new(),
            error: None,
        }
    }

    /// Records that the next payloads arrived. A target that confirms payloads
    /// has confirmed them.
    pub const fn arrived(&mut self, payloads: usize) {
        self.settled += payloads;
    }

    /// Records that the next payloads were refused for good. They are not sent
    /// again; the [`Retry`](crate::Retry) of the error is ignored.
    pub fn refused(&mut self, payloads: usize, error: TransportError) {
        let start = self.settled;
        self.settled += payloads;
        self.refusals.push(Refusal {
            payloads: start..self.settled,
            error,
        });
    }

    /// Records that the attempt stopped here. Whether later payloads arrived is
    /// unknown; they are sent again.
    pub fn stopped(&mut self, error: TransportError) {
        self.error = Some(error);
    }

    /// Returns how many payloads need no further attempt: those that arrived
    /// and those that were refused.
    #[must_use]
    pub const fn settled(&self) -> usize {
        self.settled
    }

    /// Returns the payloads that were refused for good.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Returns why the attempt ended early.
    #[must_use]
    pub const fn error(&self) -> Option<&TransportError> {
        self.error.as_ref()
    }
}
