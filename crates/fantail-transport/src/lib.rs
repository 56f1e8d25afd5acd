//! Where exported bytes go.
//!
//! A [`Transport`] takes one payload after another and says whether it
//! arrived; it blocks, so it belongs on a thread of its own. There are
//! [`LogTransport`] (a line for each to any writer), [`FileTransport`] and
//! [`DropTransport`]. What is sent is not looked at, and nothing is queued or
//! tried again here.

mod discard;
mod file;
mod log;
mod transport;

pub use crate::{
    discard::DropTransport,
    file::FileTransport,
    log::LogTransport,
    transport::{Transport, TransportError, TransportErrorKind},
};
