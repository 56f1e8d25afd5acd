//! Where exported bytes go.
//!
//! A [`Transport`] tries to deliver payloads to one target, and says what
//! became of each; it blocks, so it belongs on a thread of its own. What is
//! sent is not looked at. There are [`LogTransport`] (a line for each to any
//! writer), [`SyslogTransport`], [`JournalTransport`], [`FileTransport`],
//! [`UnixTransport`], [`HttpTransport`] and [`DropTransport`].
//!
//! A [`Queue`] keeps whoever makes events from ever waiting for a target,
//! repeats what failed, and counts what becomes of each payload. It waits in
//! memory, or in a [`spool`] on disk. A [`Throttle`] lets fewer events
//! through in the first place.

mod batch;
mod clock;
mod datagram;
mod delivery;
mod discard;
mod error;
mod file;
mod http_post;
mod id;
mod journald;
mod log;
mod message;
mod queue;
mod retry;
pub mod spool;
mod stream;
mod syslog;
mod throttle;
mod transport;
mod unix;

pub use crate::{
    batch::{Batch, Payload, Payloads},
    delivery::{Delivery, Refusal},
    discard::DropTransport,
    error::{Retry, TransportError, TransportErrorKind},
    file::{FileSettings, FileTransport, Rotation},
    http_post::{HttpBatch, HttpSettings},
    id::{EventId, EventIds, Origin},
    journald::{JOURNAL_SOCKET, JournalPayloads, JournalSettings, JournalTransport},
    log::LogTransport,
    message::{MessageSettings, Shortened, Tabs},
    queue::{
        DeliveryLevel, DropReason, LastError, Overflow, Queue, QueueBuilder, QueueCounters,
        QueueSettings, QueueStatus, Trouble,
    },
    retry::{Backoff, RetrySettings},
    spool::SpoolSettings,
    syslog::{
        Facility, SYSLOG_MESSAGE_BYTES, Severity, SyslogAddress, SyslogPayloads, SyslogProtocol,
        SyslogSettings, SyslogTransport,
    },
    throttle::{Admission, Throttle, ThrottleSettings},
    transport::{BatchLimits, Transport},
    unix::{UnixSettings, UnixSocket, UnixTransport},
};

#[cfg(feature = "http")]
pub use crate::http_post::HttpTransport;
