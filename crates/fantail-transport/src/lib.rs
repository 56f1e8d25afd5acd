//! Where exported bytes go.
//!
//! A [`Transport`] tries to deliver payloads to one target, and says what
//! became of each; it blocks, so it belongs on a thread of its own. There are
//! [`LogTransport`] (a line for each to any writer), [`FileTransport`] and
//! [`DropTransport`]. What is sent is not looked at.
//!
//! A [`Queue`] keeps whoever makes events from ever waiting for a target,
//! repeats what failed, and counts what becomes of each payload. It waits in
//! memory, or in a [`spool`] on disk. A [`Throttle`] lets fewer events
//! through in the first place.

mod batch;
mod clock;
mod delivery;
mod discard;
mod error;
mod file;
mod id;
mod log;
mod queue;
mod retry;
pub mod spool;
mod throttle;
mod transport;

pub use crate::{
    batch::{Batch, Payload, Payloads},
    delivery::{Delivery, Refusal},
    discard::DropTransport,
    error::{Retry, TransportError, TransportErrorKind},
    file::FileTransport,
    id::{EventId, EventIds, Origin},
    log::LogTransport,
    queue::{
        DeliveryLevel, DropReason, LastError, Overflow, Queue, QueueBuilder, QueueCounters,
        QueueSettings, QueueStatus, Trouble,
    },
    retry::{Backoff, RetrySettings},
    spool::SpoolSettings,
    throttle::{Admission, RateLimit, Throttle, ThrottleSettings},
    transport::{BatchLimits, Transport},
};
