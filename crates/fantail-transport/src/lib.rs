//! Where exported bytes go.
//!
//! A [`Transport`] takes one payload after another and says whether it
//! arrived; it blocks, so it belongs on a thread of its own. There are
//! [`LogTransport`] (a line for each to any writer), [`FileTransport`] and
//! [`DropTransport`]. What is sent is not looked at. A [`Queue`] keeps
//! whoever makes events from ever waiting for a target.

mod batch;
mod discard;
mod file;
mod log;
mod queue;
mod transport;

pub use crate::{
    batch::Batch,
    discard::DropTransport,
    file::FileTransport,
    log::LogTransport,
    queue::{Queue, QueueCounters, QueueSettings},
    transport::{Transport, TransportError, TransportErrorKind},
};
