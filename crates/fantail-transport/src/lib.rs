//! Transports for exported events, with queues and spools.
//!
//! A [`Transport`] tries to deliver payloads to one target and returns the
//! result of each. It blocks, so it belongs on a thread of its own. Payloads are
//! opaque bytes. The transports are [`LogTransport`] (one line per payload to
//! any writer), [`DovecotLog`], [`SyslogTransport`], [`JournalTransport`], [`FileTransport`],
//! [`UnixTransport`], [`HttpTransport`] and [`DropTransport`].
//!
//! A transport with the name of a feature (`file`, `syslog`, `journal`, `http`) needs it,
//! and [`DovecotLog`] needs `file` and `syslog`; all are there by default. The settings,
//! the queue and the spool need no feature.
//!
//! A [`Queue`] separates producers from a target: producers never wait, failed
//! attempts are repeated, and each payload is counted. Payloads wait in memory
//! or in a [`spool`] on disk. A [`Throttle`] reduces the number of events before
//! they are formatted.
//!
//! ```
//! use std::{sync::mpsc, time::Duration};
//!
//! use fantail_transport::{Batch, Queue, QueueSettings, Transport, TransportError};
//!
//! #[derive(Debug)]
//! struct Channel(mpsc::Sender<Vec<u8>>);
//!
//! impl Transport for Channel {
//!     fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
//!         // A receiver that is gone wants no payloads.
//!         let _ = self.0.send(payload.to_vec());
//!         Ok(())
//!     }
//! }
//!
//! let (sender, receiver) = mpsc::channel();
//! let queue = Queue::start("events", Box::new(Channel(sender)), QueueSettings::default())?;
//! let mut batch = Batch::new();
//! batch.push(b"login");
//! queue.offer(&mut batch);
//! assert!(queue.close(Duration::from_secs(60)));
//! assert_eq!(receiver.recv()?, b"login");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod file;
mod http;
mod journal;
#[cfg(all(feature = "file", feature = "syslog"))]
mod local_time;
mod log;
mod nats;
mod positioned_file;
mod queue;
mod regular_file;
mod socket;
pub mod spool;
mod sync;
mod syslog;
mod system;
mod throttle;
mod transport;

pub use crate::{
    file::{FileAccess, FileSettings, Rotation},
    http::{HttpBatch, HttpSettings},
    journal::{JOURNAL_SOCKET, JournalPayloads, JournalSettings},
    log::{LogSettings, LogTarget, LogTransport},
    nats::NatsSettings,
    positioned_file::PositionedFile,
    queue::retry::{Backoff, RetrySettings},
    queue::{
        DeliveryLevel, DropReason, LastError, Opening, Queue, QueueBuilder, QueueCounters,
        QueueError, QueueErrorKind, QueueMemory, QueueSettings, QueueStatus, Trouble,
    },
    socket::unix::{UnixSettings, UnixSocket, UnixTransport},
    spool::{Overflow, SpoolError, SpoolErrorKind, SpoolSettings},
    syslog::{
        Facility, SYSLOG_MESSAGE_BYTES, SyslogAddress, SyslogPayloads, SyslogProtocol,
        SyslogSettings, SyslogSeverity,
    },
    throttle::{Admission, Throttle, ThrottleSettings},
    transport::batch::{Batch, PayloadId, Payloads},
    transport::delivery::{Delivery, Refusal},
    transport::discard::DropTransport,
    transport::error::{Retry, TransportError, TransportErrorKind},
    transport::message::{MessageSettings, Shortened, Tabs},
    transport::{BatchLimits, Transport},
};

#[cfg(feature = "file")]
pub use crate::file::FileTransport;
#[cfg(feature = "http")]
pub use crate::http::HttpTransport;
#[cfg(feature = "journal")]
pub use crate::journal::JournalTransport;
#[cfg(all(feature = "file", feature = "syslog"))]
pub use crate::log::DovecotLog;
#[cfg(feature = "syslog")]
pub use crate::syslog::SyslogTransport;

/// Items for the other crates of this workspace, outside of semantic versioning.
#[doc(hidden)]
pub mod internal {
    #[cfg(feature = "file")]
    pub use crate::file::{group_id, user_id};
    #[cfg(feature = "http")]
    pub use crate::http::{HttpPoster, Retries, connect_by, tls};
    pub use crate::queue::{Stepped, Worker};
    pub use crate::regular_file::{open_regular, open_regular_or_link};
    pub use crate::spool::open_on;
    #[cfg(shuttle)]
    pub use crate::sync::planted::lose_signal;
    pub use crate::system::{
        Access, Create, OpenFile, REAL, RealSystem, System, SystemFile, absent_is_fine,
    };
}
