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

mod clock;
mod file;
mod http;
mod journal;
mod log;
mod queue;
mod socket;
pub mod spool;
mod syslog;
mod throttle;
mod transport;

pub use crate::{
    file::{FileSettings, FileTransport, Rotation},
    http::{HttpBatch, HttpSettings},
    journal::{JOURNAL_SOCKET, JournalPayloads, JournalSettings, JournalTransport},
    log::LogTransport,
    queue::retry::{Backoff, RetrySettings},
    queue::{
        DeliveryLevel, DropReason, LastError, Queue, QueueBuilder, QueueCounters, QueueSettings,
        QueueStatus, Trouble,
    },
    socket::unix::{UnixSettings, UnixSocket, UnixTransport},
    spool::{Overflow, SpoolSettings},
    syslog::{
        Facility, SYSLOG_MESSAGE_BYTES, Severity, SyslogAddress, SyslogPayloads, SyslogProtocol,
        SyslogSettings, SyslogTransport,
    },
    throttle::{Admission, Throttle, ThrottleSettings},
    transport::batch::{Batch, Payloads},
    transport::delivery::{Delivery, Refusal},
    transport::discard::DropTransport,
    transport::error::{Retry, TransportError, TransportErrorKind},
    transport::message::{MessageSettings, Shortened, Tabs},
    transport::{BatchLimits, Transport},
};

#[cfg(feature = "http")]
pub use crate::http::HttpTransport;
