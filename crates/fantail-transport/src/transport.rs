//! What all transports have in common.
//!
//! A transport knows one target, and nothing of queues, retries or spools:
//! it tries once, and its [`Delivery`] says what became of each payload.
//! Whether and when to try again is decided by whoever called it, from the
//! [`Retry`] of the error.

pub(crate) mod batch;
pub(crate) mod delivery;
pub(crate) mod discard;
pub(crate) mod error;
pub(crate) mod message;

use crate::{Delivery, Payloads, Retry, Shortened, TransportError};

/// Somewhere to send payloads to.
///
/// A simple transport has a [`send`](Self::send) and, if it holds payloads
/// back, a [`flush`](Self::flush). One that sends several payloads at once
/// has a [`deliver`](Self::deliver) of its own.
pub trait Transport: Send {
    /// Sends one payload; a transport that writes lines ends it with LF.
    ///
    /// # Errors
    /// The payload did not arrive, or not whole, or nobody knows.
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError>;

    /// Hands over what is still held back.
    ///
    /// # Errors
    /// As for [`send`](Self::send). What was held back has to be forgotten
    /// then: the caller sends all of it again.
    fn flush(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Whether what [arrived](Delivery::arrived) is safe with the target: it
    /// answered, or the bytes are on disk. A transport that only hands over to
    /// the system does not know.
    fn confirms(&self) -> bool {
        false
    }

    /// How many messages were cut, as the target takes no longer ones; always
    /// 0 for a transport that cuts none.
    fn shortened(&self) -> Shortened {
        Shortened::default()
    }

    /// How many payloads the transport likes to get at once. It gets no
    /// more, but may get fewer.
    fn batch_limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Tries to deliver payloads in their order, once, and says what became
    /// of each. It may settle only some at the front, even without an error:
    /// the others are offered again at once.
    ///
    /// By default [`send`](Self::send)s each, [`flush`](Self::flush)es, and
    /// stops at the first error that leaves hope; a payload whose error says
    /// [`Retry::Never`] is refused, and the next one tried.
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
            // The flush lost what the sends had taken.
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

    /// Opens the target anew, after it was moved away (`doveadm stats reopen`).
    ///
    /// # Errors
    /// The target cannot be opened.
    fn reopen(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

/// How much a transport likes to get at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Payloads; at least 1. By default 1,024.
    pub payloads: usize,
    /// Bytes of payloads, by default 1 MiB. A single larger payload is handed
    /// over all the same.
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
