//! Where exported bytes go.
//!
//! A [`Transport`] takes one payload after another and says whether it
//! arrived; it blocks, so it belongs on a thread of its own. What is sent is
//! not looked at. A [`Queue`] keeps whoever makes events from ever waiting
//! for a target.
//!
//! There are [`LogTransport`] (a line for each to any writer),
//! [`SyslogTransport`], [`JournalTransport`], [`FileTransport`],
//! [`UnixTransport`], [`HttpTransport`] and [`DropTransport`].

mod batch;
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
mod stream;
mod syslog;
mod transport;
mod unix;

pub use crate::{
    batch::{Batch, Payload, Payloads},
    delivery::{Delivery, Refusal},
    discard::DropTransport,
    error::{Retry, TransportError, TransportErrorKind},
    file::FileTransport,
    http_post::{HttpBatch, HttpSettings, HttpTransport},
    id::{EventId, EventIds, Origin},
    journald::{JOURNAL_SOCKET, JournalPayloads, JournalSettings, JournalTransport},
    log::LogTransport,
    message::{MessageSettings, Shortened, Tabs},
    queue::{Queue, QueueCounters, QueueSettings},
    syslog::{
        Facility, Severity, SyslogAddress, SyslogPayloads, SyslogProtocol, SyslogSettings,
        SyslogTransport,
    },
    transport::{BatchLimits, Transport},
    unix::{UnixSettings, UnixSocket, UnixTransport},
};
