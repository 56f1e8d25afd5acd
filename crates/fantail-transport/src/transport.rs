//! The interface of transports.
//!
//! A transport has one target and knows no queues, retries or spools. It tries
//! once and returns a [`Delivery`] with the result of each payload. The caller
//! decides from the [`Retry`] of the error when to try again.

pub(crate) mod batch;
pub(crate) mod delivery;
pub(crate) mod discard;
pub(crate) mod error;
pub(crate) mod message;

use crate::{Delivery, Payloads, Retry, Shortened, TransportError};

/// A target for payloads.
///
/// A simple transport implements [`send`](Self::send), and
/// [`flush`](Self::flush) if it buffers payloads. A transport that sends several
/// payloads at once implements [`deliver`](Self::deliver).
pub trait Transport: Send {
    /// Sends one payload. Transports that write lines end it with LF.
    ///
    /// # Errors
    /// The payload did not arrive whole, or its arrival is unknown.
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError>;

    /// Sends buffered payloads.
    ///
    /// # Errors
    /// As for [`send`](Self::send). The transport discards its buffer then; the
    /// caller sends all of it again.
    fn flush(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Returns whether [arrived](Delivery::arrived) payloads are confirmed: the
    /// target answered, or the bytes are on disk.
    fn confirms(&self) -> bool {
        false
    }

    /// Returns the counter of messages that were cut to a length limit; it stays
    /// 0 for transports without one.
    fn shortened(&self) -> Shortened {
        Shortened::default()
    }

    /// Returns the largest batch for [`deliver`](Self::deliver).
    fn batch_limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Takes the number of payloads that the queue has dropped so far. Called before each
    /// [`deliver`](Self::deliver). Transports that can tell their target do.
    fn note_dropped(&mut self, _payloads: u64) {}

    /// Tries once to deliver payloads in order, and returns the result of each.
    /// It may settle only some at the front, also without an error; the caller
    /// offers the others again at once.
    ///
    /// The default calls [`send`](Self::send) for each payload, then
    /// [`flush`](Self::flush), and stops at the first error that may be retried.
    /// A payload with [`Retry::Never`] is refused, and the next one is tried.
    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        let mut delivery = Delivery::new();
        let mut stopped = None;
        for payload in payloads.iter() {
            match self.send(payload) {
                Ok(()) => delivery.arrived(1),
                Err(error) if error.retry() == Retry::Never => delivery.refused(1, error),
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
        }
        match (self.flush(), stopped) {
            (Ok(()), None) => {}
            (Ok(()), Some(error)) => delivery.stopped(error),
            // The flush lost the buffered payloads.
            (Err(_), Some(error)) | (Err(error), None) => {
                delivery = Delivery::new();
                if error.retry() == Retry::Never {
                    delivery.refused(payloads.len(), error);
                } else {
                    delivery.stopped(error);
                }
            }
        }
        delivery
    }

    /// Opens the target, so that errors show before the first payload.
    /// Transports without an open target open it with the next payload. Does
    /// nothing if the target is open.
    ///
    /// # Errors
    /// The target cannot be opened.
    fn open_target(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Opens the target again, after a file was renamed (`doveadm stats reopen`).
    ///
    /// # Errors
    /// The target cannot be opened.
    fn reopen(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

/// Limits of a batch for a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Number of payloads, at least 1, by default 1,024.
    pub payloads: usize,
    /// Bytes of payloads, by default 1 MiB. A larger payload is a batch of its
    /// own.
    pub bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            payloads: 1_024,
            bytes: 1 << 20,
        }
    }
}
