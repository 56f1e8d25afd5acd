//! Where exported bytes go.
//!
//! A [`Transport`] takes one payload after another and says whether it
//! arrived; it blocks, so it belongs on a thread of its own. There are
//! [`LogTransport`] (a line for each to any writer), [`FileTransport`] and
//! [`DropTransport`]. What is sent is not looked at. A [`Queue`] keeps
//! whoever makes events from ever waiting for a target.

mod batch;
mod delivery;
mod discard;
mod error;
mod file;
mod id;
mod log;
mod queue;
mod transport;

pub use crate::{
    batch::{Batch, Payload, Payloads},
    delivery::{Delivery, Refusal},
    discard::DropTransport,
    error::{Retry, TransportError, TransportErrorKind},
    file::FileTransport,
    id::{EventId, EventIds, Origin},
    log::LogTransport,
    queue::{Queue, QueueCounters, QueueSettings},
    transport::{BatchLimits, Transport},
};
